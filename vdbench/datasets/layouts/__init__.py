"""How videos lie on disk: for each layout, a reader of its official split files, or of somebody's own list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.datasets.layouts import (
    diving48,
    folders,
    hmdb,
    jester,
    kinetics,
    rendered,
    ssv2,
    table,
    ucf,
    videofolder,
)
from vdbench.datasets.layouts.index import Entry, Index, Role, Segment
from vdbench.datasets.layouts.rows import index_of
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vdbench.datasets.layouts.rows import Row
    from vdbench.datasets.spec import DatasetSpec

LONGEST = 255
"""Characters of a class name, as of the name of a folder."""

__all__ = ["Entry", "Index", "Role", "Segment", "own_rows", "read_index"]

_READERS: Mapping[str, Callable[[DatasetSpec, Path], Index]] = {
    "ucf": ucf.read,
    "hmdb": hmdb.read,
    "kinetics": kinetics.read,
    "ssv2": ssv2.read,
    "jester": jester.read,
    "diving48": diving48.read,
    "rendered": rendered.read,
}
_OWN: Mapping[str, Callable[[DatasetSpec, Path], list[Row]]] = {
    "folders": folders.rows,
    "csv": table.rows,
    "videofolder": videofolder.rows,
}


def read_index(spec: DatasetSpec, root: Path) -> Index:
    """Find a data set below the data root, or in its own folder, and read what its official splits name.

    Raises:
        DataError: a folder or a split file is missing or malformed; the sentence says which and where.
    """
    index = index_of(spec, own_rows(spec, root)) if spec.layout in _OWN else _READERS[spec.layout](spec, root)
    if long := [name for name in index.classes if len(name) > LONGEST]:
        raise DataError(
            f"{spec.name} has a class name of {len(long[0])} characters, '{long[0][:40]}...'; give it one of at most "
            f"{LONGEST}"
        )
    return index


def own_rows(spec: DatasetSpec, root: Path) -> list[Row]:
    """The clips of somebody's own data set as they are listed.

    Raises:
        DataError: a folder or the list is missing or malformed.
    """
    return _OWN[spec.layout](spec, root)
