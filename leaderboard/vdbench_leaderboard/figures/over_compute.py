"""Accuracy over training compute: one plot per column of a board and kind of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.over_ipc import HEIGHT, draw_bands, draw_means
from vdbench_leaderboard.figures.style import INK, LINE, MUTED, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.compute import Courses

FEWEST_POINTS = 2


def accuracy_over_compute(courses: Courses, chance: float, looks: Looks) -> str | None:
    """Draw a column: a line per method with a band of one standard deviation, over the training clips shown.

    Args:
        courses: what to draw.
        chance: top-1 in percent of chance.
        looks: of its methods.

    Returns:
        The SVG document; None where students were tested at one point alone, or there is a single method.
    """
    lines = {line.cell.method: {point.clips: point.top1 for point in line.points} for line in courses.lines}
    if len(lines) < 2 or len(courses.shares) < FEWEST_POINTS:
        return None
    ends = {method: line[max(line)].mean for method, line in lines.items()}
    order = sorted(ends, key=lambda method: (-ends[method], method))
    with style.styled():
        figure = Figure()
        axes = style.sized(figure, style.height_of(order, HEIGHT) + 0.6)
        style.place(axes, 0.55, 0.5, style.width_of(order), 0.1)
        _dress(axes, lines, chance)
        draw_bands(axes, lines, looks)
        draw_means(axes, lines, looks)
        style.name_points(axes, order, looks)
        return style.svg(figure)


def _dress(axes: Axes, lines: dict[str, dict[float, Estimate]], chance: float) -> None:
    shown = sorted({clips for line in lines.values() for clips in line})
    tops = [top1.mean + (top1.std or 0) for line in lines.values() for top1 in line.values()]
    axes.set_xscale("log")
    first = next(iter(lines.values()))
    axes.set_xticks(list(first), [f"{clips:,.0f}" for clips in first])
    axes.set_xticks([], minor=True)
    axes.set_xlim(shown[0] / 1.12, shown[-1] * 1.04)
    axes.set_ylim(0, 1.03 * max([chance, *tops]))
    axes.axhline(chance, color=INK, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1)
    axes.annotate(
        "chance",
        (0, chance),
        (3, -9),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=TEXT - 1,
        color=INK,
        gid=style.HALO,
    )
    axes.set_xlabel("training clips shown", color=MUTED)
    axes.set_ylabel("top-1 accuracy, %", color=MUTED)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
