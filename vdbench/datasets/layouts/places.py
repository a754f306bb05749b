"""Where the parts of a data set usually lie below the data root, and what is said when they do not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".webm", ".mkv", ".mov"})


def find(spec: DatasetSpec, root: Path, names: Sequence[str], fits: Callable[[Path], bool], what: str) -> Path:
    """The first usual folder that holds what is looked for.

    Args:
        spec: the data set, which says what its own folder may be called.
        root: the data root, or the data set's own folder.
        names: usual names of the folder within the data set's own; ``.`` for that itself.
        fits: whether a folder holds what is looked for.
        what: what is looked for, as the error calls it.

    Raises:
        DataError: no usual folder fits.
    """
    if not root.is_dir():
        raise DataError(f"there is no data root {root}; say where the videos lie with --data-root or VDBENCH_DATA")
    tried = []
    for base in (*(root / folder for folder in spec.folders), root):
        for name in names:
            place = base / name
            if place.is_dir() and fits(place):
                return place
            tried.append("." if place == root else str(place.relative_to(root)))
    raise DataError(
        f"{spec.name} needs {what}, which none of these folders in {root} holds: {', '.join(dict.fromkeys(tried))}; "
        "put it there, or say with --data-root where it is"
    )


def videos(folder: Path) -> Iterator[Path]:
    """All video files below a folder, sorted, so that nothing depends on the order of a directory."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir():
            yield path


def by_class(folder: Path) -> dict[str, Path]:
    """Videos of class folders by ``<class>/<file name>``, also where an archive unpacked into a folder of its own."""
    return {
        f"{path.relative_to(folder).parts[0]}/{path.name}": path for path in videos(folder) if path.parent != folder
    }


def read_text(path: Path) -> str:
    """The text of a split file.

    Raises:
        DataError: the file is missing or no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"the split file {path} is missing; restore the official split files") from None
    except UnicodeDecodeError as error:
        raise DataError(f"the split file {path} is no text; restore the official split files") from error


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a split file that are not blank, each with the ``file, line n,`` that an error would name.

    Raises:
        DataError: the file is missing or no UTF-8 text.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield line, f"{path}, line {number},"


def match(pattern: re.Pattern[str], line: str, where: str, form: str) -> re.Match[str]:
    """Match a whole line of a split file.

    Raises:
        DataError: the line is malformed; the sentence names its file, its number and the right form.
    """
    found = pattern.fullmatch(line.strip())
    if found is None:
        raise DataError(f"{where} is {line.strip()!r} where '{form}' was expected; restore the official split files")
    return found
