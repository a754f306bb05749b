"""Accuracy over what it costs, in bytes or in seconds, with the Pareto front."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.style import HALO, INK, TEXT, draw_points, inches
from vdbench_leaderboard.tables import formats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.cells import Cell

Cost = Literal["bytes", "seconds"]
LABELS: dict[Cost, str] = {
    "bytes": "bytes stored",
    "seconds": "time to distil, shared assets included",
}
TICKS: dict[Cost, dict[float, str]] = {
    "bytes": {float(4**power): formats.size(4**power).replace(".0", "") for power in range(22)},
    "seconds": {
        **{0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min"},
        **{3600: "1 h", 36_000: "10 h", 360_000: "100 h"},
    },
}
LEAST = 0.01
"""Seconds that are drawn for less."""
LETTER, LETTER_HEIGHT = 0.068, 0.17
"""Inches that a letter of a name on the front takes, rather more than less."""


@dataclass(frozen=True)
class _Point:
    method: str
    budget: str
    cost: float
    accuracy: float


def accuracy_over_cost(board: Board, looks: Looks, cost: Cost) -> str | None:
    """Draw every method of a board at every budget, and the front that nothing else beats at its price.

    Returns:
        The SVG document; None where the methods of every budget cost the same: there is nothing to trade then.
    """
    points = [point for row in board.rows for s in row.shown if (point := _point(s.cell, cost))]
    order = list(dict.fromkeys(p.method for p in sorted(points, key=lambda p: (-p.accuracy, p.method))))
    costs: dict[str, set[float]] = defaultdict(set)
    for point in points:
        costs[point.budget].add(point.cost)
    if all(len(own) < 2 for own in costs.values()):
        return None
    with style.styled():
        figure = Figure()
        axes = style.beside_names(figure, order)
        _dress(axes, points, cost)
        best = [points[place] for place in front([(p.cost, p.accuracy) for p in points])]
        _front(axes, best)
        for alpha, own in ((0.65, [point for point in points if point not in best]), (1.0, best)):
            draw_points(axes, [(p.cost, p.accuracy, looks[p.method]) for p in own], alpha=alpha)
        _name(axes, best)
        style.name_points(axes, order, looks)
        return style.svg(figure)


def _point(cell: Cell, cost: Cost) -> _Point | None:
    spent = cell.stored_bytes if cost == "bytes" else cell.distill_seconds
    if cell.top1 is None or spent is None:
        return None
    least = 1.0 if cost == "bytes" else LEAST
    return _Point(cell.method, str(cell.budget), max(spent, least), cell.top1.mean)


def _dress(axes: Axes, points: Sequence[_Point], cost: Cost) -> None:
    cheap, dear = min(p.cost for p in points), max(p.cost for p in points)
    room = (dear / cheap) ** 0.06
    low, high = cheap / room, dear * room
    ticks = {value: text for value, text in TICKS[cost].items() if low <= value <= high}
    step = -(-len(ticks) // 6) or 1
    style.dress(axes, dict(list(ticks.items())[::step]), (low, high), LABELS[cost])
    axes.set_ylim(0, 1.12 * max(point.accuracy for point in points) + 1e-9)


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Places of the points that no other one dominates, the cheapest first.

    One dominates another if it costs no more and is as accurate, and is better in one of the two. Equal points do not
    dominate each other.

    Args:
        points: cost and accuracy, in any order, none of them NaN.
    """
    kept: list[int] = []
    best: tuple[float, float] | None = None
    for place in sorted(range(len(points)), key=lambda p: (points[p][0], -points[p][1], p)):
        cost, accuracy = points[place]
        if best is None or accuracy > best[1] or (cost, accuracy) == best:
            kept.append(place)
            best = (cost, accuracy)
    return kept


def _front(axes: Axes, best: Sequence[_Point]) -> None:
    """A step from each point of the front to the next, on to the right edge."""
    costs = [point.cost for point in best]
    heights = [point.accuracy for point in best]
    _, right = axes.get_xlim()
    axes.plot([*costs, right], [*heights, heights[-1]], drawstyle="steps-post", color=INK, linewidth=1.1, zorder=2)


def _name(axes: Axes, best: Sequence[_Point]) -> None:
    """Write a name above and to the left of points of the front, the most accurate first, where there is room."""
    width, height = inches(axes)
    taken: list[tuple[float, float, float]] = []
    for point in reversed(best):
        text = f"{style.shortened(point.method)}, {point.budget}"
        x, y = axes.transAxes.inverted().transform(axes.transData.transform((point.cost, point.accuracy)))
        end, bottom, long = x * width, y * height, LETTER * len(text)
        left = end < long
        start = end if left else end - long
        if all(abs(bottom - y) > LETTER_HEIGHT or start > right or start + long < begin for begin, right, y in taken):
            taken.append((start, start + long, bottom))
            axes.annotate(
                text,
                (point.cost, point.accuracy),
                (5 if left else -5, 6),
                textcoords="offset points",
                ha="left" if left else "right",
                fontsize=TEXT - 1,
                color=INK,
                zorder=4,
                gid=HALO,
            )
