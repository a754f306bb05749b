"""Names of methods next to a plot instead of a legend: in the order of their values, and never on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.collections import LineCollection

from vdbench_leaderboard.figures.style import INK, LINE, MUTED, TEXT, draw_points, inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Look

LONGEST = 26
"""Characters of a name that are shown."""
LINE_HEIGHT = 0.165
"""Inches from one name to the next."""
LEAD = 0.15
"""Inches from the end of a line to its name."""


def shortened(name: str) -> str:
    """A name that fits: ``herding (encoder.name=pix…``."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def width_of(names: Sequence[str]) -> float:
    """Inches that names and their markers take."""
    return 0.42 + 0.0725 * max((len(shortened(name)) for name in names), default=0)


def spaced(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions at least a gap apart, in the order of those wanted and as near to them as can be.

    Args:
        wanted: positions, ascending.
        gap: smallest distance.
        low: the lowest position there is.
        high: the highest one; passed where there is no room.
    """
    blocks: list[tuple[float, int]] = []  # pool adjacent violators on what is wanted less the gaps below it
    for place, value in enumerate(wanted):
        mean, count = value - place * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), count + size
        blocks.append((mean, count))
    most = max(low, high - gap * (len(wanted) - 1))
    flat = [min(max(mean, low), most) for mean, count in blocks for _ in range(count)]
    return [value + place * gap for place, value in enumerate(flat)]


def name_lines(axes: Axes, ends: Mapping[str, float], looks: Mapping[str, Look | None]) -> None:
    """Write each name to the right of the axes, as near as can be to where its line ends, and lead there.

    Args:
        axes: placed, with their limits set; the right margin has to hold the names.
        ends: the value of each name at the right end.
        looks: how each is drawn; None for a line that is no method's.
    """
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda name: (ends[name], name))
    at = spaced([ends[name] for name in order], LINE_HEIGHT * _inch(axes), low, high)
    leads = [[(1, ends[name]), (1 + LEAD / inches(axes)[0], y)] for name, y in zip(order, at, strict=True)]
    colours = [look.colour if (look := looks[name]) else LINE for name in order]
    across = axes.get_yaxis_transform()
    axes.add_collection(
        LineCollection(leads, colors=colours, linewidths=0.8, alpha=0.7, transform=across, clip_on=False), autolim=False
    )
    _write(axes, dict(zip(order, at, strict=True)), looks)


def name_points(axes: Axes, order: Sequence[str], looks: Mapping[str, Look | None]) -> None:
    """Write names to the right of the axes from the top down, each with its marker."""
    _, high = axes.get_ylim()
    _write(axes, {name: high - (place + 0.5) * LINE_HEIGHT * _inch(axes) for place, name in enumerate(order)}, looks)


def _write(axes: Axes, heights: Mapping[str, float], looks: Mapping[str, Look | None]) -> None:
    width, _ = inches(axes)
    marker = 1 + (LEAD + 0.07) / width
    across = axes.get_yaxis_transform()
    draw_points(axes, [(marker, y, look) for name, y in heights.items() if (look := looks[name])], transform=across)
    for name, y in heights.items():
        left = marker + (0.1 if looks[name] else -0.06) / width
        colour = INK if looks[name] else MUTED
        axes.text(left, y, shortened(name), transform=across, va="center_baseline", fontsize=TEXT, color=colour)


def _inch(axes: Axes) -> float:
    """What an inch up is in the values of axes."""
    low, high = axes.get_ylim()
    return (high - low) / inches(axes)[1]


def height_of(names: Sequence[str], least: float) -> float:
    """Inches of axes next to which all names have room."""
    return max(least, LINE_HEIGHT * (len(names) + 0.5))
