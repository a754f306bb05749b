"""A view: the clips of a store under one protocol, as train, validation and test sets in files of their own.

The train set is mapped from a file that holds train clips only, so nothing that is handed to a method leads to a test
clip.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdbench.clips.clipset import ClipSet, Normalisation, pixel_statistics
from vdbench.clips.rows import CLIPS, allocate_rows, open_rows, write_row
from vdbench.datasets.holdout import hold_out
from vdbench.datasets.readings import Readings, Windows
from vdbench.datasets.spec import as_declared_now
from vdbench.datasets.store import prepare_command
from vdbench.errors import DataError, UsageError
from vdbench.records import ClassNames, Count, DatasetRecord, Record
from vdbench.seeding import generator
from vdbench.storage import digests, documents, files
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from vdbench.datasets.manifest import StoredClip
    from vdbench.datasets.store import ClipStore

VERSION = 1
"""Raised when the same store and parameters would give another view."""
PARTS = ("train", "validation", "test")
LABELS = "labels.json"


class _Labels(Record):
    """What a part's clips are, beside their pixels."""

    labels: tuple[Count, ...]
    classes: ClassNames
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
        readings: test clips read anew, where they are read at random; ``test`` then holds the first ones.
    """

    train: ClipSet
    validation: ClipSet
    test: ClipSet
    facts: DatasetRecord
    readings: Readings | None = None


def open_view(
    store: ClipStore,
    home: Path,
    *,
    split: int = 1,
    frames: int | None = None,
    size: int | None = None,
    validation: float = 0.0,
    seed: int = 0,
    readings: int | None = None,
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
        readings: how often each test clip is read at random, where each train clip is read so once; all clips are read
            once, in their middle, when left out.

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
    windows, times = Windows(store, *shape), readings or 1
    scale = as_declared_now(manifest.spec, home).normalisation
    key = files.digest(
        {
            **({} if readings is None else {"readings": readings}),
            **({} if scale is None else {"normalisation": scale}),
            "version": VERSION,
            "store": manifest.fingerprint,
            "split": split,
            "shape": shape,
            "validation": validation,
            "seed": seed if validation else 0,
        }
    )

    def build(draft: Path) -> None:
        parts = _parts(store, split, validation, seed)
        parts["test"] *= times
        _build(draft, windows, key, split, parts, readings, scale)

    with files.touching_disk(home):
        train, held_out, test = files.made_once(home / "views" / key, build, _open, look=digests.LOOK)
    total = manifest.size(split)
    facts = DatasetRecord(
        name=manifest.spec.name,
        fingerprint=key,
        split=split,
        classes=len(train.classes),
        class_names=train.classes,
        classes_total=manifest.spec.classes,
        clips=len(train) + len(held_out) + len(test) // times,
        clips_total=total.train + total.test,
        train_clips=len(train),
        test_clips=len(test) // times,
    )
    anew = None
    if readings is not None:
        rows = _rows(_parts(store, split, validation, seed)["test"])
        anew = Readings(windows, rows * readings, readings, test)
    return View(train, held_out, test, facts, anew)


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
    draft: Path,
    windows: Windows,
    key: str,
    split: int,
    parts: Mapping[str, list[StoredClip]],
    readings: int | None,
    scale: Normalisation | None,
) -> None:
    manifest = windows.store.manifest
    classes = manifest.classes_of(split)
    place = {name: label for label, name in enumerate(classes)}
    needed = sum(len(clips) for clips in parts.values()) * windows.frames * windows.size**2 * 3
    if needed > (free := shutil.disk_usage(draft).free):
        raise DataError(
            f"this view of {manifest.spec.name} needs {needed >> 20} MiB, but only {free >> 20} MiB are free"
        )
    for part, clips in parts.items():
        (draft / part).mkdir()
        _write_rows(draft / part / CLIPS, windows, _rows(clips), part, random=bool(readings) and part != "validation")
    normalisation = scale or pixel_statistics(open_rows(draft / "train" / CLIPS))
    for part, clips in parts.items():
        value = _Labels(
            labels=tuple(place[clip.class_name] for clip in clips),
            classes=classes,
            groups=tuple(clip.group for clip in clips),
            ids=_ids(clips),
            normalisation=normalisation,
            fingerprint=files.digest([key, part]),
        )
        files.write_json(draft / part / LABELS, value.model_dump(mode="json"))


def _write_rows(path: Path, windows: Windows, rows: Sequence[int], part: str, *, random: bool) -> None:
    shape = (len(rows), windows.frames, windows.size, windows.size, 3)
    allocate_rows(path, shape)
    rng = generator(0, "readings" if part == "test" else part)
    for place, row in enumerate(rows):
        write_row(path, shape, place, windows.at_random(row, rng) if random else windows.middle(row))


def _rows(clips: Sequence[StoredClip]) -> tuple[int, ...]:
    """Their rows in the store; only clips that have one are part of a view."""
    return tuple(clip.row for clip in clips if clip.row is not None)


def _ids(clips: Sequence[StoredClip]) -> tuple[str, ...]:
    """Their names, with the number of the reading where a clip is read more than once."""
    seen: Counter[str] = Counter()
    names = []
    for clip in clips:
        seen[clip.id] += 1
        names.append(clip.id if seen[clip.id] == 1 else f"{clip.id}#{seen[clip.id]}")
    return tuple(names)


def _open(folder: Path) -> list[ClipSet]:
    return [_open_part(folder / part) for part in PARTS]


def _open_part(folder: Path) -> ClipSet:
    path = folder / LABELS
    try:
        value = digests.kept(f"labels of {folder}", [path], lambda: documents.load(_Labels, path, documents.LISTING))
        return ClipSet(
            clips=open_rows(folder / CLIPS),
            labels=np.array(value.labels, dtype=np.int64),
            classes=value.classes,
            groups=value.groups,
            ids=value.ids,
            normalisation=value.normalisation,
            fingerprint=value.fingerprint,
        )
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be used ({faults_in(error)}); delete {folder.parent}, and it is built again"
        ) from error
