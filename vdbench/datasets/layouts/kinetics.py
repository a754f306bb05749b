"""Kinetics: CVDF's csv files beside ``<youtube_id>_<start>_<end>.mp4``, in class folders or flat."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import lists, places
from vdbench.datasets.layouts.index import Index, IndexBuilder, Role
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

_FILES: tuple[tuple[Role, str], ...] = (("train", "train.csv"), ("test", "val.csv"))
_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read(spec: DatasetSpec, root: Path) -> Index:
    """Read ``train.csv`` and ``val.csv``, whose clips are the test split. A clip's group is its YouTube video.

    A clip's id is ``<label>/<youtube_id>_<start>_<end>.mp4``, however the videos are sorted into folders. The good
    files that CVDF hands out in ``replacement/`` stand in for corrupt ones of the same name.
    """
    annotations = places.find(
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
    files = _videos(folder)
    clips = [(role, *clip) for role, name in _FILES for clip in _clips(annotations / name)]
    videos = {clip: files[stem] for _, clip, stem, *_ in clips if stem in files}
    builder = IndexBuilder(spec, videos)
    for role, clip, _, label, group, where in clips:
        builder.add(clip, label, group, 1, role, where)
    listed = {stem for _, _, stem, *_ in clips}
    unlisted = (places.name_of(path) for stem, path in files.items() if stem not in listed)
    return builder.build(sorted({label for _, _, _, label, *_ in clips}), unlisted)


def _videos(folder: Path) -> dict[str, Path]:
    """Videos by their names without suffix. A folder ``replacement/`` may lie among them or beside ``videos/``."""
    tops = [folder]
    if folder.name == "videos":
        tops += [path for path, is_folder in places.contents(folder.parent) if is_folder and _replaces(path.name)]
    found = [path for top in tops for path in places.videos(top)]
    good = {
        place
        for place in {path.parent for path in found}
        if any(map(_replaces, place.relative_to(folder.parent).parts))
    }
    replaceable = _by_stem(path for path in found if path.parent not in good)
    return replaceable | _by_stem(path for path in found if path.parent in good)


def _replaces(folder: str) -> bool:
    return folder.casefold().startswith("replacement")


def _by_stem(found: Iterable[Path]) -> dict[str, Path]:
    return places.choose((places.composed(path.stem), path) for path in found)


def _clips(path: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Clip id, file stem, label, YouTube id, and the place of each row."""
    for row, where in _rows(path):
        label, video, start, end = (row[name] for name in _COLUMNS)
        try:
            stem = f"{video}_{_seconds(start):06d}_{_seconds(end):06d}"
        except (TypeError, ValueError):
            raise DataError(f"{where} has no whole seconds as its times; restore the file of CVDF") from None
        if not label or not video:
            raise DataError(f"{where} has no label or no youtube_id; restore the file of CVDF")
        yield f"{label}/{stem}.mp4", stem, label, video, where


def _rows(path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Each row of a csv file, with the ``file, line n,`` that an error would name."""
    rows = csv.DictReader(io.StringIO(lists.read_text(path), newline=None))
    try:
        if not set(_COLUMNS) <= set(rows.fieldnames or ()):
            raise DataError(f"{path}, line 1, must name the columns {','.join(_COLUMNS)}; restore the file of CVDF")
        for row in rows:
            yield row, f"{path}, line {rows.line_num},"
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num + 1}, is no csv ({error}); restore the file of CVDF") from error


def _seconds(text: str) -> int:
    """Whole seconds, also where a spreadsheet has made 10.0 of 10."""
    if not (seconds := float(text)).is_integer():
        raise ValueError(text)
    return int(seconds)
