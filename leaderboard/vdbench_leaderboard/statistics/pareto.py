"""The Pareto front of accuracy over cost: what nothing else beats at its price."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
"""Cost and accuracy."""


def front(points: Sequence[Point]) -> list[int]:
    """Places of the points that no other one dominates, the cheapest first.

    One dominates another if it costs no more and is as accurate, and is better in one of the two. Equal points do not
    dominate each other.

    Args:
        points: in any order, none of them NaN.
    """
    kept: list[int] = []
    best: Point | None = None
    for place in sorted(range(len(points)), key=lambda p: (points[p][0], -points[p][1], p)):
        cost, accuracy = points[place]
        if best is None or accuracy > best[1] or (cost, accuracy) == best:
            kept.append(place)
            best = (cost, accuracy)
    return kept
