"""Accuracy over IPC: one plot per board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.style import draw_points
from vdbench_leaderboard.tables.boards import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Board, Row

MOST_BANDS = 5
"""Lines of a plot that each have a band."""
DASHES = ((5, 3), (2, 2), (7, 2, 1, 2))
"""Of lines of methods without a budget."""


def accuracy_over_ipc(board: Board, looks: Looks) -> str | None:
    """Draw a board: a line per method, bands of one standard deviation, ``full`` and chance as horizontal lines.

    Returns:
        The SVG document; None where fewer than two methods have a result, or no method at two IPCs.
    """
    lines = {row.method: line for row in board.rows if (line := _line(row))}
    if len(lines) < 2 or all(len(line) < 2 for line in lines.values()):
        return None
    ends = {method: line[max(line)].mean for method, line in lines.items()}
    bounds = {row.method: top1 for row in board.bounds if (top1 := row.shown[0].cell.top1)}
    order = sorted(ends, key=lambda method: (-ends[method], method))
    with style.styled():
        figure = Figure()
        axes = style.beside_names(figure, order)
        _dress(board, axes)
        draw_bands(axes, lines, looks)
        draw_means(axes, lines, looks)
        axes.set_ylim(_limits(lines, bounds, board.chance))
        _horizontals(axes, bounds, board.chance)
        style.name_points(axes, order, looks)
        return style.svg(figure)


def _line(row: Row) -> dict[int, Estimate]:
    """The estimates of a method by IPC."""
    return {
        standing.cell.budget.value: top1
        for standing in row.shown
        if standing.cell.budget and not standing.cell.budget.in_bytes and (top1 := standing.cell.top1)
    }


def _limits(lines: dict[str, dict[int, Estimate]], bounds: dict[str, Estimate], chance: float) -> tuple[float, float]:
    shown = [*(top1 for line in lines.values() for top1 in line.values()), *bounds.values()]
    highest = max(top1.mean + (top1.std or 0) for top1 in shown)
    return 0.8 * min(chance, *(top1.mean for top1 in shown)), 1.03 * highest + 1e-9


def draw_bands(axes: Axes, lines: Mapping[str, Mapping[Any, Estimate]], looks: Looks) -> None:
    """One standard deviation to either side of each line; a bar at a single point.

    Bands of many lines hide each other: then only the control has one, against which all are held.
    """
    areas, colours = [], []
    for method, line in lines.items():
        if len(lines) > MOST_BANDS and method != BASELINE:
            continue
        ends = [(ipc, top1.mean - (top1.std or 0), top1.mean + (top1.std or 0)) for ipc, top1 in sorted(line.items())]
        if len(ends) == 1:
            axes.vlines(*ends[0], colors=looks[method].colour, linewidth=1)
        else:
            areas.append([*((ipc, low) for ipc, low, _ in ends), *((ipc, high) for ipc, _, high in reversed(ends))])
            colours.append(looks[method].colour)
    axes.add_collection(PolyCollection(areas, facecolors=colours, alpha=0.1, linewidths=0), autolim=False)


def draw_means(axes: Axes, lines: Mapping[str, Mapping[Any, Estimate]], looks: Looks) -> None:
    """A line and its markers."""
    ends = {method: [(ipc, top1.mean) for ipc, top1 in sorted(line.items())] for method, line in lines.items()}
    colours = [looks[method].colour for method in lines]
    dashes: list[Any] = [(0, (4, 2)) if looks[method].hollow else "-" for method in lines]
    axes.add_collection(
        LineCollection(list(ends.values()), colors=colours, linestyles=dashes, linewidths=1.5), autolim=False
    )
    draw_points(axes, [(ipc, mean, looks[method]) for method, line in ends.items() for ipc, mean in line])


def _horizontals(axes: Axes, bounds: dict[str, Estimate], chance: float) -> None:
    """Methods without a budget, and chance: a line across with its name on it."""
    heights = {**{method: top1.mean for method, top1 in bounds.items()}, "chance": chance}
    for (name, height), dash in zip(heights.items(), [*(DASHES * len(bounds))[: len(bounds)], (1, 2)], strict=True):
        style.draw_level(axes, name, height, dash)


def _dress(board: Board, axes: Axes) -> None:
    ipcs = [budget.value for budget in board.budgets if not budget.in_bytes]
    ends = (ipcs[0] / 1.12, ipcs[-1] * 1.04)
    style.dress(axes, {ipc: str(ipc) for ipc in ipcs}, ends, "instances per class (IPC)")
