"""A line per method over a quantity, as the plots over IPC and over compute have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.tables.boards import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vdbench_leaderboard.figures.style import Looks
    from vdbench_leaderboard.statistics.estimates import Estimate

MOST_BANDS = 5
"""Lines of a plot that each have a band."""


def drawn(
    lines: Mapping[str, Mapping[Any, Estimate]],
    looks: Looks,
    under: Callable[[Axes], object],
    over: Callable[[Axes], object] = lambda axes: None,
) -> str:
    """The plot as an SVG document: lines with bands of one standard deviation, each named at its end.

    Args:
        lines: estimates by method and by the quantity.
        looks: how methods look.
        under: sets scales, and draws what is under the lines.
        over: draws what is over them.
    """
    ends = {method: line[max(line)].mean for method, line in lines.items()}
    order = sorted(ends, key=lambda method: (-ends[method], method))
    with style.styled():
        figure = Figure()
        axes = style.beside_names(figure, order)
        under(axes)
        draw_bands(axes, lines, looks)
        draw_means(axes, lines, looks)
        over(axes)
        style.name_points(axes, order, looks)
        return style.svg(figure)


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
    style.draw_points(axes, [(ipc, mean, looks[method]) for method, line in ends.items() for ipc, mean in line])
