"""How archives unpack: for each layout, a reader of its official split files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.datasets.layouts import hmdb, kinetics, rendered, ssv2, ucf
from vdbench.datasets.layouts.index import Entry, Index, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vdbench.datasets.spec import DatasetSpec

__all__ = ["Entry", "Index", "Role", "read_index"]

_READERS: Mapping[str, Callable[[DatasetSpec, Path], Index]] = {
    "ucf": ucf.read,
    "hmdb": hmdb.read,
    "kinetics": kinetics.read,
    "ssv2": ssv2.read,
    "rendered": rendered.read,
}


def read_index(spec: DatasetSpec, root: Path) -> Index:
    """Find a data set below the data root and read what its official splits name.

    Args:
        spec: the data set.
        root: the data root, or the data set's own folder.

    Raises:
        DataError: a folder or a split file is missing or malformed; the sentence says which and where.
    """
    return _READERS[spec.layout](spec, root)
