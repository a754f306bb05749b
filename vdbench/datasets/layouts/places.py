"""Where the parts of a data set usually lie below the data root, and what is said when they do not."""

from __future__ import annotations

import os
import re
import unicodedata
import warnings
from itertools import chain
from typing import TYPE_CHECKING

from vdbench.errors import DataError
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".webm", ".mkv", ".mov"})
ANY_CONTAINER = VIDEO_SUFFIXES | {
    *(".3g2", ".3gp", ".asf", ".divx", ".dv", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v", ".mpe", ".mpeg", ".mpg"),
    *(".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".wmv", ".y4m"),
}
"""What somebody's own videos may be called: all that FFmpeg opens."""
_DEPTH = 3
"""How many levels below the data set's own folder its parts are looked for where they are not in usual places."""
_GENERIC = frozenset({".", "annotations", "labels", "splits", "videos"})
"""Folder names that other data sets in the same data root use as well."""


def contents(folder: Path) -> Iterator[tuple[Path, bool]]:
    """What lies in a folder, sorted by name, and whether it is a folder itself; symlinks count as what they lead to.

    Hidden files, macOS's ``._x.avi`` among them, its ``__MACOSX`` and symlinks to nowhere are left out. Of a folder
    that may not be read nothing is given, so that its clips are missing and the others are not.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        try:
            if entry.is_symlink():
                entry.stat()  # fails where it leads nowhere, or to itself
            is_folder = entry.is_dir()
        except OSError:
            continue
        yield folder / entry.name, is_folder


def videos(
    folder: Path, above: frozenset[Path] = frozenset(), suffixes: Collection[str] = VIDEO_SUFFIXES
) -> Iterator[Path]:
    """All video files below a folder, sorted, so that nothing depends on the order of a directory.

    Symlinked folders are entered, except one that leads back to a folder that it lies in.

    Args:
        folder: where to look.
        above: the real paths of the folders that were passed on the way to this one.
        suffixes: endings of video files, in small letters.
    """
    real = folder.resolve()
    if real in above:
        return
    for path, is_folder in contents(folder):
        if is_folder:
            yield from videos(path, above | {real}, suffixes)
        elif path.suffix.lower() in suffixes:
            yield path


def find(
    spec: DatasetSpec,
    root: Path,
    names: Sequence[str],
    fits: Callable[[Path], bool],
    what: str,
    nearly: Callable[[Path], bool] | None = None,
) -> Path:
    """The first usual folder that holds what is looked for; else the first within the data set's own folders.

    Args:
        spec: the data set, which says what its own folder may be called.
        root: the data root, or the data set's own folder.
        names: usual names of the folder within the data set's own; ``.`` for that itself.
        fits: whether a folder holds what is looked for.
        what: what is looked for, as the error calls it.
        nearly: whether a folder will do where none fits.

    Raises:
        DataError: no folder fits.
    """
    if not root.is_dir():
        raise DataError(f"there is no data root {root}; say where the videos lie with --data-root or VDBENCH_DATA")
    usual = [base / name for base in (*(root / folder for folder in spec.folders), root) for name in names]
    for test in (fits,) if nearly is None else (fits, nearly):
        for place in chain(usual, _nested(spec, root, names)):
            if place.is_dir() and test(place):
                return place
    tried = ["." if place == root else str(place.relative_to(root)) for place in usual]
    raise DataError(
        f"{spec.name} needs {what}, which none of these folders in {root} holds: {', '.join(dict.fromkeys(tried))}; "
        "put it there, or say with --data-root where it is"
    )


def _nested(spec: DatasetSpec, root: Path, names: Sequence[str]) -> Iterator[Path]:
    """Folders that are the data set's by their name, in whatever case, and the folders within them.

    Archives often unpack into a folder of their own, or into one of the same name.
    """
    known = {name.casefold() for name in (*spec.folders, *names)} - _GENERIC
    level = [path for path, is_folder in contents(root) if is_folder and path.name.casefold() in known]
    for _ in range(1 + _DEPTH):
        yield from level
        level = [path for folder in level for path, is_folder in contents(folder) if is_folder]


def class_folders(spec: DatasetSpec, root: Path, names: Sequence[str], classes: Collection[str], what: str) -> Path:
    """The folder that holds a folder of videos per class, at least of one of them.

    Where no class folder is called as its class is, one that is in another case will do.

    Raises:
        DataError: no usual folder holds any.
    """
    called = set(classes)
    return find(
        spec,
        root,
        names,
        lambda folder: not called.isdisjoint(_folders(folder)),
        what,
        lambda folder: bool(misspelt(folder, called)),
    )


def misspelt(folder: Path, classes: Iterable[str]) -> dict[str, str]:
    """Class folders called nearly as their class is, in another case for instance: their names by that of the class."""
    known = {_letters(name): name for name in classes}
    found = sorted(_folders(folder).difference(known.values()))
    return {known[_letters(name)]: harmless(name) for name in found if _letters(name) in known}


def _folders(folder: Path) -> set[str]:
    return {composed(path.name) for path, is_folder in contents(folder) if is_folder}


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def by_class(folder: Path) -> dict[str, Path]:
    """Videos of class folders by ``<class>/<file name>``, also where an archive unpacked into a folder of its own."""
    return choose(
        (f"{composed(path.relative_to(folder).parts[0])}/{name_of(path)}", path)
        for path in videos(folder)
        if path.parent != folder
    )


def name_of(path: Path) -> str:
    """A file's name as split files spell it: in composed characters (NFC), with its suffix in lower case."""
    return composed(path.stem) + path.suffix.lower()


def choose(found: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """One file per clip: of several, the last one that is not empty. A warning says so."""
    chosen: dict[str, Path] = {}
    passed: dict[str, Path] = {}
    for clip, path in found:
        other = chosen.setdefault(clip, path)
        if other is path or other.samefile(path):
            continue
        better = path if path.stat().st_size or not other.stat().st_size else other
        chosen[clip], passed[clip] = better, other if better == path else path
    for clip in list(passed)[:1]:
        pair = f"{passed[clip]} and {chosen[clip]}"
        warnings.warn(
            harmless(f"of some clips, {len(passed)} in all, there are several files; of {pair} the latter is used"),
            stacklevel=1,
        )
    return chosen


def composed(text: str) -> str:
    """Text in composed characters (NFC): macOS decomposes file names, and some archives hold them so."""
    return unicodedata.normalize("NFC", text)
