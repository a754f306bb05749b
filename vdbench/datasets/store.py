"""The clip store: all clips of a data set, decoded once, in one memory-mapped array beside a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.clips.rows import CLIPS, MANIFEST, open_rows, read_rows
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts.index import Role, Segment
from vdbench.datasets.readers import READERS
from vdbench.datasets.spec import DatasetSpec, SplitSize
from vdbench.errors import DataError
from vdbench.records import ClassNames, Count, Record
from vdbench.storage import digests, documents, files
from vdbench.storage.collecting import uncollected
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

Status = Literal["ok", "padded", "truncated", "broken", "timeout", "missing"]
"""What became of a clip; only ``broken``, ``timeout`` and ``missing`` ones cannot be used."""


class Decode(Record):
    """What came out of decoding one file.

    Attributes:
        status: what became of it.
        message: what happened, completing "this file ..."; empty when all is well.
        sha256: of the file; None where it could not be read.
        pixels: SHA-256 of the clip's bytes in the store; None where there are none.
        frames: frames that could be decoded.
        header_frames: frames that the header promises.
        fps: frames per second.
        width: of a frame of the video, in pixels.
        height: of a frame of the video, in pixels.
        looks: what its frames look like: see :mod:`vdbench.datasets.alike`.
    """

    status: Status
    message: str = ""
    sha256: str | None = None
    pixels: str | None = None
    frames: int = 0
    header_frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    looks: str | None = None


class StoredClip(Record):
    """One clip of the manifest.

    Attributes:
        id: its name within the data set.
        class_name: its class.
        group: the source it was cut from.
        roles: for each split that uses it, what for.
        row: its row in ``clips.npy``; None where the clip cannot be used.
        decode: what came out of decoding it.
        segment: the part of its video that it is; None for all of it.
    """

    id: str
    class_name: str
    group: str
    roles: dict[int, Role]
    row: Count | None
    decode: Decode
    segment: Segment | None = None


class Manifest(Record):
    """All that is known of a store: ``manifest.json``.

    Attributes:
        schema_version: of this record.
        spec: the data set.
        geometry: the shape of the clips.
        reader: the decoder.
        reader_version: its version.
        request: hash of what was asked for: the data set, its files, the geometry and the reader.
        fingerprint: hash of the data set, the geometry, the reader and every usable clip.
        classes: the classes that the split files name, in official order.
        clips: one entry per clip that some split uses, sorted by id.
        unlisted: ids of videos that no split uses.
        partial: whether classes or clips of the data set are missing or cannot be used.
    """

    schema_version: Literal[1] = 1
    spec: DatasetSpec
    geometry: Geometry
    reader: str
    reader_version: str
    request: str
    fingerprint: str
    classes: ClassNames
    clips: tuple[StoredClip, ...]
    unlisted: tuple[str, ...]
    partial: bool

    def usable(self, split: int, role: Role) -> list[StoredClip]:
        """The clips with pixels that a split uses for a role."""
        return [clip for clip in self.clips if clip.row is not None and clip.roles.get(split) == role]

    def judged(self, split: int) -> dict[Role, int]:
        """How many clips of each role results of a split rest on: those of the classes that it can use."""
        kept = set(self.classes_of(split))
        roles: tuple[Role, ...] = ("train", "test")
        return {role: sum(clip.class_name in kept for clip in self.usable(split, role)) for role in roles}

    def size(self, split: int) -> SplitSize:
        """Clips of the whole split: as published, or else as its files name them."""
        named = [clip.roles.get(split) for clip in self.clips]
        return self.spec.expected.get(split) or SplitSize(train=named.count("train"), test=named.count("test"))

    def classes_of(self, split: int) -> tuple[str, ...]:
        """The classes with at least one usable train clip and one usable test clip, in official order."""
        train = {clip.class_name for clip in self.usable(split, "train")}
        test = {clip.class_name for clip in self.usable(split, "test")}
        return tuple(name for name in self.classes if name in train and name in test)

    def empty_classes(self, split: int) -> tuple[str, ...]:
        """The classes that a split cannot use, because they lack a train clip or a test clip."""
        kept = set(self.classes_of(split))
        return tuple(name for name in self.classes if name not in kept)

    def faults(self) -> list[StoredClip]:
        """Every clip that something is to be said about."""
        return [clip for clip in self.clips if clip.decode.status != "ok"]


@dataclass(frozen=True)
class ClipStore:
    """A finished store.

    Attributes:
        folder: where ``clips.npy`` and ``manifest.json`` lie.
        manifest: what is in it.
    """

    folder: Path
    manifest: Manifest

    @cached_property
    def clips(self) -> NDArray[np.uint8]:
        """All rows, uint8 ``(N, T, H, W, 3)``, memory-mapped and read-only; a row holds all windows of its clip."""
        return open_rows(self.folder / CLIPS)

    @classmethod
    def open(cls, folder: Path) -> ClipStore:
        """Read a finished store, and compare some of its rows with their hashes; ``verify`` compares them all.

        Raises:
            DataError: there is none, or it was damaged.
        """
        store = cls.read(folder)
        try:
            digests.kept(f"rows of {folder}", [folder / MANIFEST, folder / CLIPS], store._look)
        except FileNotFoundError:
            raise DataError(f"{folder / CLIPS} is missing; prepare it again") from None
        except DataError as error:
            raise DataError(f"{error}; prepare it again") from None
        return store

    @classmethod
    def read(cls, folder: Path) -> ClipStore:
        """Read the manifest of a finished store, once per process, and look at nothing else.

        Raises:
            DataError: there is none, or it was damaged.
        """
        path = folder / MANIFEST
        try:
            if path.is_file() and (fault := digests.fault_in(folder)) is not None:
                raise DataError(f"{folder} {fault}; prepare it again")
            return cls(folder, digests.kept(f"manifest of {folder}", [path], lambda: _manifest(path)))
        except FileNotFoundError as error:
            raise DataError(f"{folder} is no clip store: {MANIFEST} is missing; prepare it again") from error
        except ValueError as error:
            raise DataError(f"{path} cannot be read ({faults_in(error)}); prepare it again") from error

    @uncollected()
    def _look(self) -> None:
        """Compare the fingerprint, the shape of the rows, and as many rows as a look may read."""
        manifest, path = self.manifest, self.folder / CLIPS
        if seal(manifest).fingerprint != manifest.fingerprint:
            raise DataError(f"{self.folder / MANIFEST} names other clips than its fingerprint")
        stored = [clip for clip in manifest.clips if clip.row is not None]
        shape = (manifest.geometry.rows, manifest.geometry.size, manifest.geometry.size, 3)
        if self.clips.shape[1:] != shape or len(self.clips) <= max((clip.row or 0 for clip in stored), default=-1):
            raise DataError(f"{path} is uint8 {self.clips.shape}, which does not fit the {MANIFEST} beside it")
        for clip in self.changed(digests.spread(stored, max(2, digests.LOOK // int(np.prod(shape))))):
            raise DataError(f"{path} holds other pixels of {clip.id} than were written")

    def changed(self, clips: Iterable[StoredClip]) -> list[StoredClip]:
        """Those of some clips whose rows are not what was written."""
        stored = [(clip, clip.row) for clip in clips if clip.row is not None]
        rows = read_rows(self.folder / CLIPS, [row for _, row in stored])
        return [
            clip
            for (clip, _), row in zip(stored, rows, strict=True)
            if hashlib.sha256(row).hexdigest() != clip.decode.pixels
        ]


@uncollected()
def _manifest(path: Path) -> Manifest:
    return documents.load(Manifest, path, documents.LISTING)


def store_folder(home: Path, spec: DatasetSpec, geometry: Geometry, reader: str) -> Path:
    """Where the store of a data set is, or will be."""
    return home / "stores" / f"{spec.name}-{geometry.frames}x{geometry.size}-{reader}"


def prepare_command(spec: DatasetSpec, frames: int | None = None, size: int | None = None) -> tuple[str, ...]:
    """Words of the command that prepares a data set; smaller clips than its own are derived from its own."""
    words = ["datasets", "prepare", spec.name]
    for name, value, own in (("frames", frames, spec.geometry.frames), ("size", size, spec.geometry.size)):
        if value is not None and value > own:
            words += [f"--{name}", str(value)]
    return (*words, *(() if spec.at_hand else ("--data-root", "FOLDER")))


def find_store(
    home: Path,
    spec: DatasetSpec,
    *,
    frames: int | None = None,
    size: int | None = None,
    look: bool = True,
) -> ClipStore:
    """The store of a data set that clips of a wanted shape are derived from.

    The store of the data set's own geometry comes first, so that preparing another one later changes no result;
    without it, the smallest that is large enough. Of several readers' stores decord's comes first.

    Args:
        home: where stores are kept.
        spec: the data set.
        frames: frames wanted per clip; those of the data set's own geometry when left out.
        size: side wanted in pixels; that of the data set's own geometry when left out.
        look: whether some of its rows are compared with their hashes.

    Raises:
        DataError: it was damaged, or there is no such store; the sentence offers the command that makes it.
    """
    wanted = (frames or spec.geometry.frames, size or spec.geometry.size)
    found = []
    readers = READERS.names()
    for place, name in enumerate(readers):
        for folder in (home / "stores").glob(f"{spec.name}-*x*-{name}"):
            shape = folder.name.removeprefix(f"{spec.name}-").removesuffix(f"-{name}").split("x")
            if all(part.isdecimal() for part in shape) and (folder / MANIFEST).is_file():
                found.append((int(shape[0]), int(shape[1]), place, folder))
    own = (spec.geometry.frames, spec.geometry.size)
    fitting = [(item[:2] != own, *item) for item in found if item[0] >= wanted[0] and item[1] >= wanted[1]]
    if fitting:
        return (ClipStore.open if look else ClipStore.read)(min(fitting)[-1])
    state = "is not prepared" if not found else f"is not prepared with {wanted[0]} frames of {wanted[1]} pixels"
    raise DataError(f"{spec.name} {state} in {home}; type:", prepare_command(spec, frames, size))


@uncollected()
def seal(manifest: Manifest) -> Manifest:
    """The manifest with its fingerprint."""
    content = [
        [clip.id, clip.class_name, clip.group, sorted(clip.roles.items()), clip.decode.pixels]
        for clip in manifest.clips
        if clip.row is not None
    ]
    fingerprint = files.digest(
        {
            "dataset": manifest.spec.name,
            "classes": manifest.classes,
            "geometry": manifest.geometry.model_dump(mode="json"),
            "reader": [manifest.reader, manifest.reader_version],
            "clips": content,
        }
    )
    return manifest.model_copy(update={"fingerprint": fingerprint})
