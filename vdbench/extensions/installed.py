"""What installed packages offer, as their entry points say, looked up once per process."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group; looked up again when something was installed or removed since.

    A look reads the metadata of every installed package, which takes longer than all else that begins a trial.
    """
    return _found(group, tuple((place, _changed(place)) for place in sys.path))


@lru_cache
def package(point: EntryPoint) -> str:
    """The name of the package that offers an entry point, or what it points to where that is not known."""
    return point.dist.name if point.dist else point.value


@lru_cache(maxsize=64)
def _found(group: str, places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    return tuple(metadata.entry_points(group=group))


def _changed(place: str) -> int:
    """When something was added to a folder or removed from it; 0 for what is no folder."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0
