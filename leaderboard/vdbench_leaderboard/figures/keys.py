"""Names of methods next to a plot instead of a legend, in the order of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vdbench_leaderboard.figures.style import INK, TEXT, draw_points, inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks

LONGEST = 26
"""Characters of a name that are shown."""
LINE_HEIGHT = 0.165
"""Inches from one name to the next."""
MARKER = 0.15
"""Inches from the axes to a marker, and from there half as far to its name."""


def shortened(name: str) -> str:
    """A name that fits: ``herding (encoder.name=pix…``."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def width_of(names: Sequence[str]) -> float:
    """Inches that names and their markers take."""
    return 0.42 + 0.0725 * max((len(shortened(name)) for name in names), default=0)


def name_points(axes: Axes, order: Sequence[str], looks: Looks) -> None:
    """Write names to the right of the axes from the top down, each with its marker."""
    width, height = inches(axes)
    marker = 1 + MARKER / width
    heights = {name: 1 - (place + 0.5) * LINE_HEIGHT / height for place, name in enumerate(order)}
    draw_points(axes, [(marker, y, looks[name]) for name, y in heights.items()], transform=axes.transAxes)
    for name, y in heights.items():
        left = marker + MARKER / 1.5 / width
        axes.text(left, y, shortened(name), transform=axes.transAxes, va="center_baseline", fontsize=TEXT, color=INK)


def height_of(names: Sequence[str], least: float) -> float:
    """Inches of axes next to which all names have room."""
    return max(least, LINE_HEIGHT * (len(names) + 0.5))
