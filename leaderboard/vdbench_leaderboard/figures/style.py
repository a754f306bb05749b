"""What all plots share: how a method looks and where its name is, axes, and SVG that depends on the numbers alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.collections import PathCollection
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import IdentityTransform

from vdbench_leaderboard.tables.boards import BASELINE, FULL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

    from vdbench_leaderboard.tables.cells import Cell

INK, MUTED, LINE, PAPER, ACCENT = "#1c2230", "#5d6675", "#dfe3ea", "#fefefe", "#2c5fc4"
"""Colours of text, secondary text, rules, background and emphasis; the page replaces them by its theme's."""
HEAT = tuple(sns.blend_palette(["#f7f9fd", "#89a7e0"], 12).as_hex())
"""Shades of a heat map, from nothing to much: text in INK can be read on each; the page replaces them, too."""
GREY = "#8a93a3"
"""Of the baseline."""
SERIES = (
    *("#3a78d6", "#e0702b", "#2a9d78", "#b8479b", "#8565d4", "#b28910", "#229cb1", "#d64b5f"),
    *("#6f8f2f", "#a0684a", "#cf6fa5", "#5f7f9f", "#43a043", "#c25a1c", "#7a55c8", "#1f8a9c"),
)
"""Colours of methods: each can be distinguished from white and from near black."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h", "<", ">")
TEXT, SIZE = 9.0, 5.5
"""Sizes of labels and of markers, in points."""
STYLE: dict[Any, Any] = {
    **sns.axes_style("white"),
    "svg.fonttype": "none",  # text stays text: small files, the page's font
    "svg.hashsalt": "vdbench",  # ids depend on the content alone
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that its measures are the same everywhere
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a setting is a dollar sign
}
HALO = "halo"
"""The ``gid`` of texts that lines run under: they get an edge in the colour of the paper."""
EDGE = f"paint-order: stroke; stroke: {PAPER}; stroke-width: 2.5; stroke-linejoin: round"
FONT = "font-family: 'DejaVu Sans'"
WIDTH = 6.2
"""Of a plot, in inches."""
HEIGHT = 2.7
"""Of its axes, at least, where names stand beside them."""

LONGEST = 26
"""Characters of a name that are shown."""
LINE_HEIGHT = 0.165
"""Inches from one name to the next."""
MARKER = 0.15
"""Inches from the axes to a marker, and from there half as far to its name."""


@dataclass(frozen=True)
class Look:
    """How a method is drawn.

    Attributes:
        colour: that of its method, whatever the pool.
        marker: its own among the methods of its colour.
        hollow: whether its clips are generated: drawn as an outline, and with a dashed line.
    """

    colour: str
    marker: str
    hollow: bool


Looks = Mapping[str, Look]


def looks(cells: Iterable[Cell]) -> dict[str, Look]:
    """One look per row label, the same in every plot of a leaderboard."""
    labels = {cell.method: cell for cell in cells}
    methods = sorted({cell.any_result.method for cell in labels.values()} - {BASELINE, FULL})
    place = {method: number for number, method in enumerate(methods)}
    found: dict[str, Look] = {}
    seen: dict[tuple[str, bool], int] = {}
    for label, cell in sorted(labels.items()):
        method, hollow = cell.any_result.method, cell.pool == "generated"
        turn = seen[method, hollow] = seen.get((method, hollow), -1) + 1
        own = {BASELINE: GREY, FULL: INK}.get(method) or SERIES[place[method] % len(SERIES)]
        found[label] = Look(own, MARKERS[(place.get(method, 0) + turn) % len(MARKERS)], hollow)
    return found


@contextmanager
def styled() -> Iterator[None]:
    """Draw within it: neither a user's settings nor their fonts have a say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def sized(figure: Figure, height: float, width: float = WIDTH) -> Axes:
    """Give a new figure its size in inches, and axes without a frame; they are placed with :func:`place`."""
    figure.set_facecolor(PAPER)
    figure.set_size_inches(width, height)
    axes = figure.add_axes((0, 0, 1, 1), facecolor="none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)
    axes.tick_params(colors=MUTED, length=0, labelsize=TEXT)
    axes.set_axisbelow(True)
    return axes


def place(axes: Axes, left: float, bottom: float, right: float, top: float) -> None:
    """Set the margins around axes, in inches."""
    dpi = axes.figure.dpi
    width, height = axes.figure.bbox.width / dpi, axes.figure.bbox.height / dpi
    axes.set_position((left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height))


def beside_names(figure: Figure, names: Sequence[str]) -> Axes:
    """Give a new figure axes with room to their right for names, which :func:`name_points` writes."""
    axes = sized(figure, max(HEIGHT, LINE_HEIGHT * (len(names) + 0.5)) + 0.6)
    place(axes, 0.55, 0.5, width_of(names), 0.1)
    return axes


def dress(axes: Axes, ticks: Mapping[float, str], ends: tuple[float, float], over: str) -> None:
    """Label axes on which accuracy stands over something on a logarithmic scale.

    Args:
        axes: where.
        ticks: what is written where along the scale.
        ends: of the scale.
        over: what accuracy stands over.
    """
    axes.set_xscale("log")
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xticks([], minor=True)
    axes.set_xlim(ends)
    axes.set_xlabel(over, color=MUTED)
    axes.set_ylabel("top-1 accuracy, %", color=MUTED)
    axes.grid(axis="y", color=LINE, linewidth=0.8)


def draw_level(axes: Axes, name: str, height: float, dash: tuple[int, ...], lift: int = 2) -> None:
    """A line across, and its name so many points above it."""
    axes.axhline(height, color=INK, linewidth=1.1, linestyle=(0, dash), zorder=1)
    axes.annotate(
        shortened(name),
        (0, height),
        (3, lift),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=TEXT - 1,
        color=INK,
        gid=HALO,
    )


def inches(axes: Axes) -> tuple[float, float]:
    """Width and height of axes."""
    return axes.bbox.width / axes.figure.dpi, axes.bbox.height / axes.figure.dpi


def draw_points(
    axes: Axes, points: Sequence[tuple[float, float, Look]], *, alpha: float = 1.0, transform: Transform | None = None
) -> None:
    """Draw markers, those of one shape together: one by one they would take most of a plot's time and bytes.

    Args:
        axes: where.
        points: across, up, and how each looks.
        alpha: opacity.
        transform: of the positions; the axes' data where left out.
    """
    for marker in dict.fromkeys(look.marker for _, _, look in points):
        own = [point for point in points if point[2].marker == marker]
        drawn = PathCollection(
            [_marker(marker)],
            sizes=[SIZE**2],
            facecolors=[PAPER if look.hollow else look.colour for _, _, look in own],
            edgecolors=[look.colour for _, _, look in own],
            linewidths=[1.3 if look.hollow else 0.4 for _, _, look in own],
            offsets=[(across, up) for across, up, _ in own],
            offset_transform=transform or axes.transData,
            alpha=alpha,
            clip_on=False,
            zorder=3,
        )
        drawn.set_transform(IdentityTransform())
        axes.add_collection(drawn, autolim=False)


@cache
def _marker(name: str) -> Path:
    style = MarkerStyle(name)
    return style.get_path().transformed(style.get_transform())


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


def svg(figure: Figure) -> str:
    """The document of a figure, without its date and maker, unused names and the third decimal: a page holds many."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")), facecolor=PAPER)
    document = text.getvalue().replace(f'<g id="{HALO}">', f'<g style="{EDGE}">').replace(f"{FONT}; ", "")
    document = document[document.index("<svg") :].replace("<svg", f'<svg style="{FONT}; stroke-linejoin: round"', 1)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', document))
    document = re.sub(r' id="([^"]+)"', lambda name: name[0] if name[1] in used else "", document)
    document = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|(?<=>)\s*\n\s*(?=<)", "", document, flags=re.DOTALL)
    return re.sub(r"(\.\d\d)\d+", r"\1", re.sub(r" ?\n", " ", document)).strip() + "\n"
