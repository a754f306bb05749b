"""Accuracy over training compute: one plot per column of a board and kind of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.lines import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.compute import Courses

FEWEST_POINTS = 2


def accuracy_over_compute(courses: Courses, chance: float, looks: Looks) -> str | None:
    """Draw a column: a line per method with a band of one standard deviation, over the training clips shown.

    Returns:
        The SVG document; None where students were tested at one point alone, or there is a single method.
    """
    lines = {line.cell.method: {point.clips: point.top1 for point in line.points} for line in courses.lines}
    if len(lines) < 2 or len(courses.shares) < FEWEST_POINTS:
        return None
    return drawn(lines, looks, lambda axes: _dress(axes, lines, chance))


def _dress(axes: Axes, lines: dict[str, dict[float, Estimate]], chance: float) -> None:
    shown = sorted({clips for line in lines.values() for clips in line})
    tops = [top1.mean + (top1.std or 0) for line in lines.values() for top1 in line.values()]
    ticks = {clips: f"{clips:,.0f}" for clips in next(iter(lines.values()))}
    style.dress(axes, ticks, (shown[0] / 1.12, shown[-1] * 1.04), "training clips shown")
    axes.set_ylim(0, 1.03 * max([chance, *tops]))
    style.draw_level(axes, "chance", chance, (1, 2), lift=-9)
