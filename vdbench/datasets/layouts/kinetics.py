"""Kinetics: CVDF's csv files beside ``<youtube_id>_<start>_<end>.mp4``, in class folders or flat."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_FILES: tuple[tuple[Role, str], ...] = (("train", "train.csv"), ("test", "val.csv"))
_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``train.csv`` and ``val.csv``, whose clips are the test split. A clip's group is its YouTube video.

    A clip's id is ``<label>/<youtube_id>_<start>_<end>.mp4``, however the videos are sorted into folders.
    """
    lists = places.find(
        spec,
        root,
        ["annotations", "."],
        lambda folder: all((folder / name).is_file() for _, name in _FILES),
        "train.csv and val.csv of CVDF",
    )
    folder = places.find(
        spec,
        root,
        ["videos", "."],
        lambda folder: any(places.videos(folder)),
        "the videos, in class folders or flat",
    )
    files = {path.stem: path for path in places.videos(folder)}
    clips = [(role, *clip) for role, name in _FILES for clip in _clips(lists / name)]
    videos = {clip: files[stem] for _, clip, stem, *_ in clips if stem in files}
    builder = IndexBuilder(spec, videos)
    for role, clip, _, label, group, where in clips:
        builder.add(clip, label, group, 1, role, where)
    listed = {stem for _, _, stem, *_ in clips}
    unlisted = (path.name for stem, path in files.items() if stem not in listed)
    return builder.build(sorted({label for _, _, _, label, *_ in clips}), unlisted)


def _clips(path: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Clip id, file stem, label, YouTube id, and the place of each row."""
    rows = csv.DictReader(io.StringIO(places.read_text(path)))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise DataError(f"{path}, line 1, must name the columns {','.join(_COLUMNS)}; restore the file of CVDF")
    for row in rows:
        where = f"{path}, line {rows.line_num},"
        label, video, start, end = (row[name] for name in _COLUMNS)
        try:
            stem = f"{video}_{int(start):06d}_{int(end):06d}"
        except (TypeError, ValueError):
            raise DataError(f"{where} has no whole seconds as its times; restore the file of CVDF") from None
        if not label or not video:
            raise DataError(f"{where} has no label or no youtube_id; restore the file of CVDF")
        yield f"{label}/{stem}.mp4", stem, label, video, where
