"""Generated clips, in the clip store's format: one memory-mapped array beside a manifest that says what made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.clips.clipset import ClipSet, Normalisation
from vdbench.clips.rows import CLIPS, MANIFEST, allocate_rows, open_rows, write_row
from vdbench.errors import DataError
from vdbench.records import ClassNames, Count, PoolRecord, Record
from vdbench.storage import documents, files
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GeneratedClip(Record):
    """One clip of the manifest.

    Attributes:
        id: ``class/number``.
        class_name: the class that it was asked to be.
        row: its row in ``clips.npy``.
        pixels: SHA-256 of its bytes.
    """

    id: str
    class_name: str
    row: Count
    pixels: str


class PoolManifest(Record):
    """All that is known of a pool: ``manifest.json``.

    Attributes:
        schema_version: of this record.
        record: what made the clips, and what that cost.
        classes: the classes of the train split, in their order.
        normalisation: pixel statistics of the train split, by which networks are shown these clips too.
        clips: one entry per clip, class by class.
        fingerprint: hash of every clip and its class.
    """

    schema_version: Literal[1] = 1
    record: PoolRecord
    classes: ClassNames
    normalisation: Normalisation
    clips: tuple[GeneratedClip, ...]
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Pool:
    """Generated clips and where they came from.

    Attributes:
        clips: scaled by the statistics of the train split that they stand in for.
        record: what made them.
    """

    clips: ClipSet
    record: PoolRecord


def write_pool(
    folder: Path,
    blocks: Iterable[tuple[str, NDArray[np.uint8]]],
    like: ClipSet,
    record: PoolRecord,
    seconds: Sequence[float] = (),
) -> None:
    """Write a pool into a folder.

    Args:
        folder: exists and holds no pool.
        blocks: class names and clips, uint8 ``(n, T, H, W, 3)``, each class once, in the order of ``like.classes``;
            every class has as many clips as the record says.
        like: the train split, whose classes and geometry the clips have.
        record: what made the clips; its bytes and seconds are filled in here.
        seconds: that sampling took, piece by piece; read after the last block.
    """
    shape = (record.per_class * len(like.classes), *like.clips.shape[1:])
    allocate_rows(folder / CLIPS, shape)
    entries: list[GeneratedClip] = []
    for name, clips in blocks:
        for number, clip in enumerate(clips):
            row = len(entries)
            write_row(folder / CLIPS, shape, row, clip)
            sha256 = hashlib.sha256(clip.tobytes()).hexdigest()
            entries.append(GeneratedClip(id=f"{name}/{number:05}", class_name=name, row=row, pixels=sha256))
    if len(entries) != shape[0]:
        raise ValueError(f"{len(entries)} clips were given for a pool of {shape[0]}")
    manifest = PoolManifest(
        record=record.model_copy(update={"bytes": int(np.prod(shape)), "seconds": round(sum(seconds), 2)}),
        classes=like.classes,
        normalisation=like.normalisation,
        clips=tuple(entries),
        fingerprint=files.digest([like.classes, [[clip.class_name, clip.pixels] for clip in entries]]),
    )
    files.write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def open_pool(folder: Path) -> Pool:
    """Read a pool that :func:`write_pool` wrote.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = documents.load(PoolManifest, path, documents.LISTING)
        clips = _clips(manifest, open_rows(folder / CLIPS))
    except FileNotFoundError as error:
        raise DataError(f"{folder} is no pool: {MANIFEST} is missing") from error
    except ValueError as error:
        raise DataError(
            f"{path} cannot be read ({faults_in(error)}); delete {folder}, and it is sampled again"
        ) from error
    return Pool(clips, manifest.record)


def _clips(manifest: PoolManifest, rows: NDArray[np.uint8]) -> ClipSet:
    """The clips of a manifest; a ValueError where it does not fit itself or its rows."""
    if [clip.row for clip in manifest.clips] != [*range(len(rows))]:
        raise ValueError(f"it does not name the {len(rows)} rows of {CLIPS} one after the other")
    return ClipSet(
        clips=rows,
        labels=np.array([manifest.classes.index(clip.class_name) for clip in manifest.clips], dtype=np.int64),
        classes=manifest.classes,
        groups=tuple(clip.id for clip in manifest.clips),
        ids=tuple(clip.id for clip in manifest.clips),
        normalisation=manifest.normalisation,
        fingerprint=manifest.fingerprint,
    )
