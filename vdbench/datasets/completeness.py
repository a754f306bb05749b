"""Whether all of a data set is there, and what is said when it is not."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from vdbench.errors import DataError
from vdbench.storage.text import counted, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdbench.datasets.layouts import Index
    from vdbench.datasets.manifest import Manifest
    from vdbench.datasets.spec import DatasetSpec

SHOWN = 3
"""Names that a sentence has at most."""


def check_complete(spec: DatasetSpec, index: Index) -> None:
    """Refuse a data set of which clips or classes are missing.

    Raises:
        DataError: with what is missing, counted, and a few names.
    """
    check_same(spec, index)
    if (lacking := lack_of(spec, index)) is not None:
        raise DataError(f"{spec.name} is not complete: {lacking}; add what is missing, or allow it with --partial")


def check_split(spec: DatasetSpec, index: Index) -> None:
    """Refuse a data set of which some split has too little to be learned and tested, however partial it may be.

    Raises:
        DataError: fewer than two classes have both train and test clips; with why.
    """
    for split in spec.splits:
        parts = {(entry.class_name, entry.roles.get(split)) for entry in index.entries if entry.path is not None}
        whole = [name for name in index.classes if {(name, "train"), (name, "test")} <= parts]
        if len(whole) < 2:
            found = counted(len(whole), "class", "classes")
            raise DataError(
                f"split {split} of {spec.name} has {found} with train and test clips, "
                f"but needs 2: {lack_of(spec, index)}; add clips"
            )


def check_same(spec: DatasetSpec, index: Index) -> None:
    """Refuse other clips than those for which somebody's own data set was declared.

    Raises:
        DataError: some were added, taken away or changed.
    """
    known = None if spec.source is None else spec.source.content
    if known is not None and index.content != known:
        now, then = len(index.entries) + len(index.unlisted), spec.source.clips if spec.source else None
        counts = f"{now} now, {then} then" if now != then else f"{now}, but not the same"
        raise DataError(
            f"the clips of {spec.name} are not those that it was declared with ({counts}); restore them, or declare it "
            "anew with vdbench datasets new and --replace"
        )


def lack_of(spec: DatasetSpec, index: Index) -> str | None:
    """What a data set lacks of its official clips and classes, as a clause; None when it is whole."""
    if missing := index.missing:
        absent = sorted({e.class_name for e in missing} - {e.class_name for e in index.entries if e.path is not None})
        classes = f", among them all clips of {_few(absent, 'classes')}" if absent else ""
        names = _few([entry.id for entry in missing], "clips")
        below = f" below {harmless(str(index.top))}" if index.top is not None else ""
        many = f"{len(missing)} of {counted(len(index.entries), 'clip')} {'is' if len(missing) == 1 else 'are'} missing"
        return f"{many} ({names}){below}{classes}{_near_misses(index)}"
    if len(index.classes) != spec.classes:
        return f"its split files name {len(index.classes)} of {spec.classes} classes"
    for split, size in spec.expected.items():
        train, test = index.named(split, "train"), index.named(split, "test")
        if (train, test) != (size.train, size.test):
            return (
                f"the files of split {split} name {train} train and {test} test clips, not {size.train} and {size.test}"
            )
    return _without_part(index) if spec.source is not None else None


def _without_part(index: Index) -> str | None:
    """A class that lacks train or test clips, as a clause; None where there is none."""
    splits = sorted({split for entry in index.entries for split in entry.roles})
    for split in splits:
        parts = {(entry.class_name, entry.roles.get(split)) for entry in index.entries}
        lacking = [name for name in index.classes if not {(name, "train"), (name, "test")} <= parts]
        if not lacking:
            continue
        clips = [entry for entry in index.entries if entry.class_name == lacking[0]]
        groups = {entry.group for entry in clips}
        why = f"has clips of one group only, '{clips[0].group}'" if len(groups) == 1 < len(clips) else ""
        why = "has one clip" if len(clips) == 1 else why or f"is not in both parts of split {split}"
        more = f"; the same goes for {_few(lacking[1:], 'classes')}" if len(lacking) > 1 else ""
        return f"class '{lacking[0]}' {why}, so that it cannot be both learned and tested{more}"
    return None


def tell_near_misses(spec: DatasetSpec, index: Index) -> None:
    """Warn of folders that are called nearly as a class is of which clips are missing: nothing else would tell."""
    if told := _near_misses(index):
        are = "is" if len(index.missing) == 1 else "are"
        warnings.warn(f"of {spec.name} {counted(len(index.missing), 'clip')} {are} missing{told}", stacklevel=2)


def check_classes(manifest: Manifest) -> None:
    """Refuse a store with a class that some split cannot use.

    Raises:
        DataError: with the names of such classes.
    """
    for split in manifest.spec.splits:
        if empty := manifest.empty_classes(split):
            raise DataError(
                f"split {split} of {manifest.spec.name} has no usable train clip or no usable test clip of "
                f"{_few(empty, 'classes')}; replace the broken files, or leave such classes out with --partial"
            )


def _near_misses(index: Index) -> str:
    lacking = sorted({entry.class_name for entry in index.missing} & index.near_misses.keys())
    folders = [f"the folder {index.near_misses[name]}, which has to be called {name}" for name in lacking]
    return f"; there is {_few(folders, 'such folders')}" if folders else ""


def _few(names: Sequence[str], what: str) -> str:
    rest = f" and {len(names) - SHOWN} more {what}" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
