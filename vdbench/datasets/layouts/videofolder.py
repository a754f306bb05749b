"""A Hugging Face ``videofolder``: ``metadata.csv`` or ``metadata.jsonl`` beside the videos, or class folders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vdbench.datasets.layouts import folders, places, table
from vdbench.datasets.layouts.rows import PARTS
from vdbench.datasets.source import Source
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdbench.datasets.layouts.rows import Row
    from vdbench.datasets.spec import DatasetSpec

_FILES = ("metadata.csv", "metadata.jsonl")
_DEPTH = 2
"""Levels below the folder in which metadata are looked for: ``data/train/metadata.csv``."""


def rows(spec: DatasetSpec, root: Path) -> list[Row]:
    """Read the metadata of each part; without any, a video's class is the folder that it lies in."""
    source = spec.source or Source()
    found = list(_metadata(root, _DEPTH))
    if not found:
        return folders.listed(root, -1)
    columns = {"path": "file_name", **source.columns}
    return [row for path in found for row in _rows(path, root, columns)]


def _metadata(folder: Path, depth: int) -> Iterator[Path]:
    inside = list(places.contents(folder))
    here = [path for path, is_folder in inside if not is_folder and path.name in _FILES]
    yield from here
    if any(path.name == "metadata.parquet" for path, _ in inside) and not here:
        raise DataError(f"{folder / 'metadata.parquet'} cannot be read; write it as metadata.csv beside it")
    for path, is_folder in inside:
        if is_folder and depth and not here:
            yield from _metadata(path, depth - 1)


def _rows(path: Path, root: Path, columns: dict[str, str]) -> Iterator[Row]:
    """The clips of one metadata file. Without a column of their own, folders say their part of the split."""
    for row in table.listed(path, path.parent.absolute(), columns):
        if row.part is not None or not row.path.is_relative_to(root.absolute()):
            yield row
            continue
        way = row.path.relative_to(root.absolute()).parts[:-1]
        yield replace(row, part=next((PARTS[name.casefold()] for name in way if name.casefold() in PARTS), None))
