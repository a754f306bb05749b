"""Methods over a whole suite: the critical-difference diagram, and interquartile means with their intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.style import ACCENT, INK, LINE, MUTED, TEXT, draw_points, inches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.average_ranks import AverageRanks
    from vdbench_leaderboard.statistics.interquartile import InterquartileMean

DIAGRAM, FOREST = 6.6, 4.8
"""Widths in inches."""
OUT, SPACE = 0.29, 0.05
"""Inches from the axis out to a name, over which its rank is written, and between the two."""
STEP = 0.2
"""Inches from one name of the diagram to the next."""
BAR = 0.1
"""Inches from one bar of methods that do not differ to the next."""


def critical_difference(found: AverageRanks) -> str:
    """Draw average ranks on an axis, the best to the left, and a bar over methods that do not differ significantly.

    After Demsar, JMLR 2006.
    """
    methods = list(found.ranks)
    half = math.ceil(len(methods) / 2)
    bars = 0.16 + BAR * len(found.groups)
    with style.styled():
        figure = Figure()
        height = 0.85 + bars + STEP * half
        axes = style.sized(figure, height, DIAGRAM)
        style.place(axes, style.width_of(methods[:half]) + 0.12, 0.1, style.width_of(methods[half:]) + 0.12, 0.6)
        inside = height - 0.7
        axes.set_xlim(1, len(methods))
        axes.set_ylim(inside, 0)
        _axis(axes, len(methods))
        _needed(axes, found.critical_difference)
        for place, method in enumerate(methods):
            left = place < half
            row = place if left else len(methods) - 1 - place
            _name(axes, method, found.ranks[method], bars + STEP * (row + 0.3), left=left)
        for place, group in enumerate(found.groups):
            ends = [found.ranks[group[0]], found.ranks[group[-1]]]
            reach = 0.02 * (len(methods) - 1)
            axes.plot(
                [ends[0] - reach, ends[1] + reach],
                [0.12 + BAR * place] * 2,
                color=ACCENT,
                linewidth=3.2,
                solid_capstyle="round",
                clip_on=False,
                zorder=3,
            )
        return style.svg(figure)


def interquartile_means(middles: Mapping[str, InterquartileMean], looks: Looks) -> str | None:
    """Draw the mean of each method with its interval, the best on top.

    Returns:
        The SVG document; None with fewer than two methods.
    """
    if len(middles) < 2:
        return None
    with style.styled():
        figure = Figure()
        axes = style.sized(figure, 0.65 + 0.215 * len(middles), FOREST)
        style.place(axes, style.width_of(list(middles)) - 0.1, 0.5, 0.2, 0.1)
        ends = [end for found in middles.values() for end in (found.mean, found.low, found.high) if end is not None]
        axes.set_xlim(min(0, *ends) - 0.03, max(1, *ends) + 0.03)
        axes.set_ylim(len(middles) - 0.4, -0.6)
        for place, (method, found) in enumerate(middles.items()):
            look = looks[method]
            if found.low is not None and found.high is not None:
                axes.hlines(place, found.low, found.high, colors=look.colour, linewidth=5, alpha=0.28)
        draw_points(axes, [(found.mean, place, looks[method]) for place, (method, found) in enumerate(middles.items())])
        axes.set_yticks(range(len(middles)), [style.shortened(method) for method in middles], color=INK)
        for end, across, text in (("left", 0, "0: chance"), ("right", 1, "1: full")):
            axes.text(across, -0.32 / inches(axes)[1], text, transform=axes.transAxes, ha=end, color=MUTED)
        axes.grid(axis="x", color=LINE, linewidth=0.8)
        return style.svg(figure)


def _axis(axes: Axes, count: int) -> None:
    axes.spines["bottom"].set_visible(False)
    axes.spines["top"].set(visible=True, color=MUTED)
    axes.xaxis.tick_top()
    axes.set_xticks(range(1, count + 1, 1 + count // 12))
    axes.set_yticks([])
    axes.tick_params(length=3, color=MUTED, labelcolor=MUTED, pad=2)


def _needed(axes: Axes, gap: float) -> None:
    """The critical difference, as a length above the axis."""
    left, right = axes.get_xlim()
    gap = min(gap, right - left)
    axes.plot([left, left + gap], [-0.37] * 2, color=INK, linewidth=1.2, clip_on=False)
    for end in (left, left + gap):
        axes.plot([end] * 2, [-0.41, -0.33], color=INK, linewidth=1.2, clip_on=False)
    axes.annotate(
        "critical difference",
        (left + gap, -0.37),
        (6, 0),
        textcoords="offset points",
        va="center",
        color=MUTED,
        fontsize=TEXT,
        annotation_clip=False,
    )


def _name(axes: Axes, method: str, rank: float, height: float, *, left: bool) -> None:
    """A name at the side, and the line that leads from it up to its rank."""
    low, high = axes.get_xlim()
    inch = (high - low) / inches(axes)[0] * (-1 if left else 1)
    beyond = (low if left else high) + OUT * inch
    axes.plot([rank, rank, beyond], [0, height, height], color=MUTED, linewidth=0.9, clip_on=False)
    side = "right" if left else "left"
    axes.text(beyond + SPACE * inch, height, style.shortened(method), ha=side, va="center_baseline", color=INK)
    inner = "left" if left else "right"
    axes.text(
        beyond - 0.02 * inch, height - 0.015, f"{rank:.1f}", va="bottom", ha=inner, color=MUTED, fontsize=TEXT - 2
    )
