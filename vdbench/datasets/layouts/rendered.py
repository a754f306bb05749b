"""A data set that vdbench renders itself: ``train/<class>/*.mp4`` and ``test/<class>/*.mp4``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.datasets.layouts import places
from vdbench.datasets.layouts.index import Entry, Index, Role

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_ROLES: tuple[Role, ...] = ("train", "test")


def read(spec: DatasetSpec, root: Path) -> Index:
    """Take role and class from the folders. A clip's group is its file name, which names what it was rendered from."""
    entries = [
        Entry(path.relative_to(root).as_posix(), path, path.parent.name, path.stem, {1: role})
        for role in _ROLES
        for path in places.videos(root / role)
    ]
    classes = sorted({entry.class_name for entry in entries})
    return Index(tuple(classes), tuple(sorted(entries, key=lambda entry: entry.id)))
