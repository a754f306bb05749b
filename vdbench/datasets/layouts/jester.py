"""Jester: ``jester-v1-train.csv`` and its like beside a folder of frames, or a video, per clip."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_FILES: tuple[tuple[Role, str], ...] = (("train", "train"), ("test", "validation"))
_LINE = re.compile(r"(\d+);(.+)")


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``*labels.csv``, ``*train.csv`` and ``*validation.csv``, whose clips are the test split.

    Nothing says which clips share an actor, so each is a group of its own. Clips are folders of numbered JPEG files, as
    they are handed out, or videos of the same names.
    """
    folder = places.find(
        spec,
        root,
        ["labels", "annotations", "."],
        lambda folder: all(_list(folder, name) for name in ("labels", "train", "validation")),
        "jester-v1-labels.csv, jester-v1-train.csv and jester-v1-validation.csv",
    )
    clips = places.find(
        spec, root, ["20bn-jester-v1", "videos", "."], lambda folder: any(_clips(folder)), "the folder 20bn-jester-v1"
    )
    classes = [line.strip() for line, _ in lists.lines(_list(folder, "labels")[0])]
    found = places.choose(_clips(clips))
    builder = IndexBuilder(spec, found)
    for role, name in _FILES:
        for line, where in lists.lines(_list(folder, name)[0]):
            clip, label = lists.match(_LINE, line, where, "number;class").groups()
            if label not in classes:
                raise DataError(f"{where} has class {label!r}, which the file of labels beside it does not")
            builder.add(clip, label, clip, 1, role, where)
    return builder.build(classes, found)


def _list(folder: Path, name: str) -> list[Path]:
    found = [path for path, is_folder in places.contents(folder) if not is_folder]
    return [path for path in found if path.name in (f"jester-v1-{name}.csv", f"{name}.csv")]


def _clips(folder: Path) -> Iterator[tuple[str, Path]]:
    """Clips by their numbers."""
    for path, is_folder in places.contents(folder):
        if (path.name if is_folder else path.stem).isdecimal() and (is_folder or path.suffix in places.VIDEO_SUFFIXES):
            yield path.stem, path
