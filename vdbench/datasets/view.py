"""A view: the clips of a store under one protocol, as train, validation and test sets in files of their own.

The train set is mapped from a file that holds train clips only, so nothing that is handed to a method leads to a test
clip.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vdbench.clips.clipset import ClipSet, Normalisation, pixel_statistics
from vdbench.clips.rows import CLIPS, allocate_rows, open_rows, write_row
from vdbench.datasets.geometry import evenly
from vdbench.datasets.holdout import hold_out
from vdbench.datasets.store import prepare_command
from vdbench.errors import DataError, UsageError
from vdbench.records import Count, DatasetRecord, Record
from vdbench.storage import digests, documents, files
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.datasets.store import ClipStore, StoredClip

VERSION = 1
"""Raised when the same store and parameters would give another view."""
PARTS = ("train", "validation", "test")
LABELS = "labels.json"


class _Labels(Record):
    """What a part's clips are, beside their pixels."""

    labels: tuple[Count, ...]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    ids: tuple[str, ...]
    normalisation: Normalisation
    fingerprint: str


@dataclass(frozen=True, eq=False)
class View:
    """The three parts of a view.

    Attributes:
        train: what methods are given.
        validation: held out of the official train split by group; empty unless asked for.
        test: what students are tested on.
        facts: what a result says about them; its train clips do not count those held out.
    """

    train: ClipSet
    validation: ClipSet
    test: ClipSet
    facts: DatasetRecord


def open_view(
    store: ClipStore,
    home: Path,
    *,
    split: int = 1,
    frames: int | None = None,
    size: int | None = None,
    validation: float = 0.0,
    seed: int = 0,
) -> View:
    """Open the clips of a store under a protocol; whoever comes first builds the files.

    A view that was damaged is set aside, named in a warning and built again.

    Args:
        store: the decoded clips.
        home: where views are kept.
        split: the official split.
        frames: frames per clip, evenly picked from the stored ones; the data set's own number when left out.
        size: side in pixels, by averaging stored pixels; the data set's own when left out.
        validation: share of each class's train clips that is held out, by group.
        seed: decides which groups are held out.

    Raises:
        UsageError: the data set has no such split, or ``validation`` is not in 0..1.
        DataError: the store's clips have fewer frames or pixels than asked for, no class is left, or the disk is full.
    """
    manifest = store.manifest
    if split not in manifest.spec.splits:
        known = ", ".join(str(known) for known in manifest.spec.splits)
        raise UsageError(f"{manifest.spec.name} has no split {split}; there are: {known}")
    if not 0 <= validation < 1:
        raise UsageError(f"validation is a share of the train clips, at least 0 and below 1, not {validation:g}")
    shape = _shape(store, frames, size)
    key = files.digest(
        {
            "version": VERSION,
            "store": manifest.fingerprint,
            "split": split,
            "shape": shape,
            "validation": validation,
            "seed": seed if validation else 0,
        }
    )
    folder = home / "views" / key

    def build(draft: Path) -> None:
        _build(draft, store, key, split, shape, _parts(store, split, validation, seed))

    def load(folder: Path) -> list[ClipSet]:
        return [_open_part(folder / part) for part in PARTS]

    with files.touching_disk(home):
        train, held_out, test = files.made_once(folder, build, load, look=digests.LOOK)
    total = manifest.size(split)
    facts = DatasetRecord(
        name=manifest.spec.name,
        fingerprint=key,
        split=split,
        classes=len(train.classes),
        class_names=train.classes,
        classes_total=manifest.spec.classes,
        clips=len(train) + len(held_out) + len(test),
        clips_total=total.train + total.test,
        train_clips=len(train),
        test_clips=len(test),
    )
    return View(train, held_out, test, facts)


def verify_views(home: Path) -> list[str]:
    """Hash every view of a home again. Damaged ones are set aside with a warning, and built again when they are used.

    Returns:
        One sentence per view that carries no digests, since an earlier version built it: its bytes cannot be compared.
    """
    without = []
    for folder in sorted(path for path in (home / "views").glob("*") if path.is_dir() and path.name[0] != "."):
        if not digests.sealed(folder):
            without.append(f"{folder} carries no digests; delete it, and it is built again with them when it is used")
        elif (fault := digests.fault_in(folder)) is not None:
            files.set_aside(folder, fault)
    return without


def _shape(store: ClipStore, frames: int | None, size: int | None) -> tuple[int, int]:
    stored, own = store.manifest.geometry, store.manifest.spec.geometry
    wanted = (own.frames if frames is None else frames, own.size if size is None else size)
    if min(wanted) < 1:
        raise UsageError(f"clips need at least 1 frame of 1 pixel, not {wanted[0]} of {wanted[1]}")
    if wanted[0] > stored.frames or wanted[1] > stored.size:
        raise DataError(
            f"the clip store of {store.manifest.spec.name} has {stored.frames} frames of {stored.size} pixels, not "
            f"{wanted[0]} of {wanted[1]}; type:",
            prepare_command(store.manifest.spec, *wanted),
        )
    return wanted


def _parts(store: ClipStore, split: int, validation: float, seed: int) -> dict[str, list[StoredClip]]:
    """The stored clips of each part, among the classes that the split can use."""
    manifest = store.manifest
    classes = manifest.classes_of(split)
    if len(classes) < 2:
        raise DataError(
            f"split {split} of {manifest.spec.name} has {len(classes)} classes with train and test clips, but needs 2; "
            "add their videos and type:",
            [*prepare_command(manifest.spec), "--partial"],
        )
    place = {name: label for label, name in enumerate(classes)}
    train, test = (
        [clip for clip in manifest.usable(split, role) if clip.class_name in place] for role in ("train", "test")
    )
    labels = np.array([place[clip.class_name] for clip in train])
    held = hold_out(labels, [clip.group for clip in train], validation, seed)
    return {
        "train": [clip for clip, out in zip(train, held, strict=True) if not out],
        "validation": [clip for clip, out in zip(train, held, strict=True) if out],
        "test": test,
    }


def _build(
    draft: Path, store: ClipStore, key: str, split: int, shape: tuple[int, int], parts: Mapping[str, list[StoredClip]]
) -> None:
    manifest = store.manifest
    classes = manifest.classes_of(split)
    place = {name: label for label, name in enumerate(classes)}
    needed = sum(len(clips) for clips in parts.values()) * shape[0] * shape[1] ** 2 * 3
    if needed > (free := shutil.disk_usage(draft).free):
        raise DataError(
            f"this view of {manifest.spec.name} needs {needed >> 20} MiB, but only {free >> 20} MiB are free"
        )
    for part, clips in parts.items():
        (draft / part).mkdir()
        _write_rows(draft / part / CLIPS, store.clips, clips, shape)
    normalisation = pixel_statistics(open_rows(draft / "train" / CLIPS))
    for part, clips in parts.items():
        value = _Labels(
            labels=tuple(place[clip.class_name] for clip in clips),
            classes=classes,
            groups=tuple(clip.group for clip in clips),
            ids=tuple(clip.id for clip in clips),
            normalisation=normalisation,
            fingerprint=files.digest([key, part]),
        )
        files.write_json(draft / part / LABELS, value.model_dump(mode="json"))


def _write_rows(path: Path, stored: NDArray[np.uint8], clips: list[StoredClip], shape: tuple[int, int]) -> None:
    frames, size = shape
    picks = evenly(stored.shape[1], frames)
    rows = (len(clips), frames, size, size, 3)
    allocate_rows(path, rows)
    for row, clip in enumerate(clips):
        write_row(path, rows, row, shrunk(stored[clip.row][picks], size))


def shrunk(clip: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Frames at the size of a suite, each pixel the mean of the area that it covers.

    Args:
        clip: uint8 ``(T, H, W, 3)``, with H equal to W.
        size: side in pixels, at most H.
    """
    if clip.shape[1] == size:
        return clip
    frames = [np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BOX)) for frame in clip]
    return np.stack(frames)


def _open_part(folder: Path) -> ClipSet:
    path = folder / LABELS
    try:
        value = digests.kept(f"labels of {folder}", [path], lambda: documents.load(_Labels, path, documents.LISTING))
        return _clips(open_rows(folder / CLIPS), value)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be used ({faults_in(error)}); delete {folder.parent}, and it is built again"
        ) from error


def _clips(rows: NDArray[np.uint8], value: _Labels) -> ClipSet:
    return ClipSet(
        clips=rows,
        labels=np.array(value.labels, dtype=np.int64),
        classes=value.classes,
        groups=value.groups,
        ids=value.ids,
        normalisation=value.normalisation,
        fingerprint=value.fingerprint,
    )
