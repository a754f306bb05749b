"""What a clip store knows of its clips, as its ``manifest.json`` has it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts.index import Role, Segment
from vdbench.datasets.spec import DatasetSpec, SplitSize
from vdbench.records import ClassNames, Count, Record
from vdbench.storage import files
from vdbench.storage.collecting import uncollected

Status = Literal["ok", "padded", "truncated", "broken", "timeout", "missing"]
"""What became of a clip; only ``broken``, ``timeout`` and ``missing`` ones cannot be used."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""As of every record. What is held of each clip has slots, since a manifest may list hundreds of thousands: the tables
that pydantic keeps beside the values of a model would take more memory than the values."""

_roles: dict[tuple[tuple[int, Role], ...], dict[int, Role]] = {}


def _shared(roles: dict[int, Role]) -> dict[int, Role]:
    """One mapping for all clips that the splits use alike."""
    return _roles.setdefault(tuple(roles.items()), roles)


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class Decode:
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


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class StoredClip:
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
    roles: Annotated[dict[int, Role], AfterValidator(_shared)]
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
