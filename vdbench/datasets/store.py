"""The clip store: all clips of a data set, decoded once, in one memory-mapped array beside a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdbench.clips.rows import CLIPS, MANIFEST, open_rows, read_rows
from vdbench.datasets.manifest import Manifest, StoredClip, seal
from vdbench.datasets.readers import READERS
from vdbench.errors import DataError
from vdbench.storage import digests, documents
from vdbench.storage.allocation import return_freed_memory
from vdbench.storage.collecting import uncollected
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.spec import DatasetSpec


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
    try:
        return documents.load(Manifest, path, documents.LISTING)
    finally:
        return_freed_memory()  # reading takes three times what is kept


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
