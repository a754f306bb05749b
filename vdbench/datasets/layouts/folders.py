"""Class folders: ``class/*.mp4`` at any depth, or ``train/class/*.mp4`` beside ``test/class/*.mp4``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import places
from vdbench.datasets.layouts.rows import PARTS, Row
from vdbench.datasets.source import Source
from vdbench.errors import DataError
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from vdbench.datasets.spec import DatasetSpec


def rows(spec: DatasetSpec, root: Path) -> list[Row]:
    """Take classes from folders, and the split too where the outer ones are called train, test and val."""
    return listed(root, (spec.source or Source()).class_level)


def listed(root: Path, level: int) -> list[Row]:
    """The videos below a folder, each with its class.

    Args:
        root: the folder; folders in it that hold no more than one other are passed through.
        level: which folder on the way to a video is its class: 1 for the first one, -1 for the one it lies in.

    Raises:
        DataError: there is no such folder, no video in it, or a video that lies in no class folder.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; check the path")
    found = list(places.videos(root.absolute(), suffixes=places.ANY_CONTAINER))
    if not found:
        raise DataError(f"there is no video in {root}; name the folder that holds a folder of videos per class")
    top = Path(os.path.commonpath({path.parent for path in found}))
    ways = [path.relative_to(top).parts[:-1] for path in found]
    if not any(ways):
        raise DataError(f"all videos in {root} lie in one folder, {top}; put them into a folder per class")
    split = all(way and way[0].casefold() in PARTS for way in ways)
    listed = []
    for path, way in zip(found, ways, strict=True):
        folders = way[1:] if split else way
        if len(folders) < abs(level):
            raise DataError(
                f"{path} lies in {'one class folder' if folders else 'no class folder'}"
                f"{'' if abs(level) == 1 else f', and class_level {level} asks for more'}; the folder {top} has to "
                "hold a folder of videos per class"
            )
        name = folders[level - 1 if level > 0 else level]
        part = PARTS[way[0].casefold()] if split else None
        listed.append(Row(path, harmless(places.composed(name)), str(path), part))
    return listed
