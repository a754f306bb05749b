"""What a trial reports, as plain numbers, and the curves that are kept of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.storage.digests import spread

if TYPE_CHECKING:
    from vdbench.experiment.result import Curve

CURVE_POINTS = 24
"""Most points that are kept of a curve."""


def plain(value: Any) -> str | bool | int | float | None:
    """A reported value as JSON can hold it: a number of any library as Python's.

    Args:
        value: what a method reported.

    Returns:
        None for what is neither a word nor one finite number.
    """
    if isinstance(value, str | bool):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # no number, several, or too large a one
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    return number if math.isfinite(number) else None


class Curves:
    """Collects the points of every metric of a stage."""

    def __init__(self) -> None:
        self._points: dict[str, list[tuple[int, float]]] = {}

    def add(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Take the numbers of a step, but for ``of``, which says how many steps there are."""
        for name, value in metrics.items():
            if name != "of" and isinstance(value, int | float):
                self._points.setdefault(name, []).append((step, float(f"{value:.4g}")))

    def thinned(self) -> dict[str, Curve]:
        """The curves of more than one point, each of evenly spread points."""
        return {name: tuple(spread(points, CURVE_POINTS)) for name, points in self._points.items() if len(points) > 1}
