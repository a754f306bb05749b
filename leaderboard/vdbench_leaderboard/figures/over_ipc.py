"""Accuracy over IPC: one plot per board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.lines import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Board, Row

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
    bounds = {row.method: top1 for row in board.bounds if (top1 := row.shown[0].cell.top1)}

    limits = _limits(lines, bounds, board.chance)
    return drawn(
        lines, looks, lambda axes: _dress(board, axes, limits), lambda axes: _horizontals(axes, bounds, board.chance)
    )


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


def _horizontals(axes: Axes, bounds: dict[str, Estimate], chance: float) -> None:
    """Methods without a budget, and chance: a line across with its name on it."""
    heights = {**{method: top1.mean for method, top1 in bounds.items()}, "chance": chance}
    for (name, height), dash in zip(heights.items(), [*(DASHES * len(bounds))[: len(bounds)], (1, 2)], strict=True):
        style.draw_level(axes, name, height, dash)


def _dress(board: Board, axes: Axes, limits: tuple[float, float]) -> None:
    ipcs = [budget.value for budget in board.budgets if not budget.in_bytes]
    ends = (ipcs[0] / 1.12, ipcs[-1] * 1.04)
    style.dress(axes, {ipc: str(ipc) for ipc in ipcs}, ends, "instances per class (IPC)")
    axes.set_ylim(limits)
