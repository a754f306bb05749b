"""From the clips of somebody's own data set, however they are listed, to its index."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.datasets.holdout import hold_out
from vdbench.datasets.layouts.index import Entry, Index, Role, Segment
from vdbench.datasets.layouts.places import composed
from vdbench.datasets.source import Source
from vdbench.errors import DataError
from vdbench.storage import files
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from vdbench.datasets.spec import DatasetSpec

Part = Literal["train", "test", "validation"]

PARTS: Mapping[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
}
"""What people call the parts of a split, in small letters."""
_SAMPLE = 64 * 1024
"""Bytes of the beginning and of the end of a file that tell it from others."""


@dataclass(frozen=True)
class Row:
    """One clip as it is listed.

    Attributes:
        path: its video, absolute, whether it is there or not.
        class_name: its class.
        where: the place in the list, which an error begins with.
        part: of the split that is given; None where none is.
        group: that is given; None where none is.
        segment: the part of the video that it is, in seconds; None for all of it.
    """

    path: Path
    class_name: str
    where: str
    part: Part | None = None
    group: str | None = None
    segment: Segment | None = None


def index_of(spec: DatasetSpec, rows: Sequence[Row]) -> Index:
    """The index of listed clips, which does not depend on who listed them, nor in which order.

    A clip's id is its path below the deepest folder that holds them all, with its segment if it has one. Validation
    clips are the test part where there is no other, and else unlisted: a suite holds its own out of train.

    Raises:
        DataError: there is no clip, one is listed twice, or a group or a part of the split is missing.
    """
    if not rows:
        raise DataError(f"{spec.name} has no clips; check where its videos lie, and that its table has a row for each")
    source = spec.source or Source()
    top = _common([row.path.parent for row in rows])
    named = {_id(row, top): row for row in rows}
    if len(named) < len(rows):
        _refuse_repeats(rows, top)
    subset = spec.subset
    kept = {clip: named[clip] for clip in sorted(named) if subset is None or named[clip].class_name in subset}
    classes = sorted({row.class_name for row in kept.values()})
    groups = {clip: _group(row, top, source) for clip, row in kept.items()}
    roles = _given(kept) if source.split == "given" else _made(spec, source, kept, groups, classes)
    entries = tuple(
        Entry(clip, row.path if row.path.exists() else None, row.class_name, groups[clip], roles[clip], row.segment)
        for clip, row in kept.items()
        if roles[clip]
    )
    unlisted = tuple(clip for clip in kept if not roles[clip])
    return Index(tuple(classes), entries, unlisted, content=_content(kept), top=top)


def _common(folders: Iterable[Path]) -> Path:
    try:
        return Path(os.path.commonpath(set(folders)))
    except ValueError:
        raise DataError("the videos lie on several drives; put them below one folder") from None


def _id(row: Row, top: Path) -> str:
    name = harmless(composed(row.path.relative_to(top).as_posix()))
    return name if row.segment is None else f"{name}@{'-'.join(map(_seconds, row.segment))}"


def _told(row: Row, top: Path) -> str:
    """A clip's id as people know it: below the root of a disk it would lack the first slash of its path."""
    return f"{'' if top.name else top.as_posix()}{_id(row, top)}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _refuse_repeats(rows: Sequence[Row], top: Path) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        other = seen.setdefault(_id(row, top), row)
        if other is not row:
            raise DataError(
                f"{row.where} names the same clip as {other.where.rstrip(',')}: {_told(row, top)}; delete one, or "
                "say with start and end which part of the video each one is"
            )


def _group(row: Row, top: Path, source: Source) -> str:
    if row.group is not None:
        return harmless(row.group)
    stem = composed(row.path.stem)
    if source.group is None:
        return harmless(composed(row.path.relative_to(top).with_suffix("").as_posix()))
    found = re.search(source.group, stem)
    if found is None or not (group := next((part for part in found.groups() if part), found[0])):
        raise DataError(
            f"{row.where} is called '{stem}', in which '{source.group}' finds no group; change the expression"
        )
    return harmless(group)


def _given(rows: Mapping[str, Row]) -> dict[str, dict[int, Role]]:
    """The roles that the parts of the rows say."""
    parts = {row.part for row in rows.values()}
    if unsaid := next((row for row in rows.values() if row.part is None), None):
        raise DataError(f"{unsaid.where} is in no part of the split; say train, test or val, as others do")
    roles: dict[Part | None, Role | None] = {"train": "train", "test": "test"}
    if "test" not in parts:
        roles["validation"] = "test"
    return {clip: {1: role} if (role := roles.get(row.part)) else {} for clip, row in rows.items()}


def _made(
    spec: DatasetSpec, source: Source, rows: Mapping[str, Row], groups: Mapping[str, str], classes: Sequence[str]
) -> dict[str, dict[int, Role]]:
    """The roles that a rule makes, one split after the other."""
    rule = source.split
    assert rule != "given"
    labels = np.array([classes.index(row.class_name) for row in rows.values()], dtype=np.int64)
    roles: dict[str, dict[int, Role]] = {clip: {} for clip in rows}
    for split in spec.splits:
        tested = hold_out(labels, [groups[clip] for clip in rows], rule.test, rule.seed + split - 1)
        for clip, test in zip(rows, tested.tolist(), strict=True):
            roles[clip][split] = "test" if test else "train"
    return roles


def _content(rows: Mapping[str, Row]) -> str:
    """Hash of all clips: their ids, classes and segments, and what tells their files from others."""
    mark = cache(_mark)
    return files.digest([[clip, row.class_name, row.segment, mark(row.path)] for clip, row in rows.items()])


def _mark(path: Path) -> str:
    """A file's size and its ends, hashed; empty where it is missing or cannot be read."""
    try:
        if not stat.S_ISREG((found := path.stat()).st_mode):
            return ""
        with path.open("rb") as file:
            hashed = hashlib.sha256(f"{found.st_size} ".encode() + file.read(_SAMPLE))
            if found.st_size > _SAMPLE:
                file.seek(max(_SAMPLE, found.st_size - _SAMPLE))
                hashed.update(file.read(_SAMPLE))
    except (OSError, ValueError):  # the second where a name holds a zero byte, which no file's does
        return ""
    return hashed.hexdigest()
