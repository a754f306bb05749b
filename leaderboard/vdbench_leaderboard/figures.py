"""Accuracy over IPC as SVG: one plot per board, drawn by seaborn, the same bytes for the same numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from markupsafe import escape
from matplotlib.figure import Figure

from vdbench_leaderboard.standings import BASELINE, Board

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, LINE, PAPER = "#1c2230", "#5d6675", "#dfe3ea", "#fefefe"
"""Colours of text, secondary text, rules and background; the page replaces them by its theme's."""
SERIES = ("#3a78d6", "#e0702b", "#2a9d78", "#b8479b", "#8565d4", "#bf9417", "#2ba3b8", "#d64b5f", "#6f8f2f", "#a0684a")
"""Colours of methods: readable on white and on near black."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small files, the page's font
    "svg.hashsalt": "vdbench",  # ids depend on the content alone
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that its measures are the same everywhere
    "text.parse_math": False,  # a dollar sign in a setting is a dollar sign
}
WIDTH = 5.4
"""Of a plot, in inches."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h", "8")


def colours(methods: Iterable[str]) -> dict[str, str]:
    """One colour per method, the same in every plot of a leaderboard; the baseline is grey."""
    others = sorted(set(methods) - {BASELINE})
    palette = SERIES if len(others) <= len(SERIES) else sns.husl_palette(len(others), l=0.6).as_hex()
    return {BASELINE: "#8a93a3", **dict(zip(others, palette, strict=False))}


def accuracy_over_ipc(board: Board, palette: Mapping[str, str]) -> str | None:
    """Draw a board: a line per method with a band of one spread, ``full`` and chance as horizontal lines.

    Args:
        board: what to draw.
        palette: a colour for each of its methods.

    Returns:
        The SVG document; None where no method with a budget has a result.
    """
    data = _means(board)
    if data.empty:
        return None
    methods = [row.method for row in board.rows if row.method in set(data["method"])]
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(facecolor=PAPER)
        axes = figure.add_subplot(facecolor="none")
        sns.lineplot(
            data,
            x="ipc",
            y="top1",
            hue="method",
            style="method",
            hue_order=methods,
            style_order=methods,
            palette={method: palette[method] for method in methods},
            markers=[MARKERS[n % len(MARKERS)] for n in range(len(methods))],
            dashes=False,
            estimator=None,  # the means are the table's
            errorbar=None,
            linewidth=1.8,
            markersize=6,
            ax=axes,
        )
        _spreads(data, palette, axes)
        _bounds(board, axes)
        _dress(board, axes)
        _fit(figure, axes)
        text = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing, facecolor=PAPER)
    return _tidy(text.getvalue())


def inline(svg: str, prefix: str, label: str) -> str:
    """Turn an SVG document into an element of a page: no outside names, ids of its own, the page's colours.

    Args:
        svg: of :func:`accuracy_over_ipc`.
        prefix: makes its ids unique on the page.
        label: what a screen reader says.
    """
    body = svg[svg.index("<svg") :]
    head, rest = body.split(">", 1)
    head = re.sub(r' (xmlns(:\w+)?|version|width|height)="[^"]*"', "", head)
    body = f"{head}>{rest}".replace("xlink:href", "href")
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)  # it would style the whole page
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", body)
    for colour, name in ((INK, "ink"), (MUTED, "muted"), (LINE, "line"), (PAPER, "plot")):
        body = body.replace(colour, f"var(--{name})")
    return body.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


def _means(board: Board) -> pd.DataFrame:
    """One row per method and IPC that has a result, with the numbers of the table."""
    rows = [
        (row.method, standing.cell.ipc, top1.mean, top1.spread or 0.0)
        for row in board.rows
        for standing in row.shown
        if (top1 := standing.cell.top1) is not None
    ]
    return pd.DataFrame(rows, columns=["method", "ipc", "top1", "spread"])


def _spreads(data: pd.DataFrame, palette: Mapping[str, str], axes: Axes) -> None:
    """One spread to either side: a band along each line, and a bar at a point that stands alone."""
    for method, line in data.groupby("method"):
        colour = palette[str(method)]
        if len(line) == 1:
            axes.errorbar(line["ipc"], line["top1"], yerr=line["spread"], color=colour, fmt="none", capsize=4)
        else:
            low, high = line["top1"] - line["spread"], line["top1"] + line["spread"]
            axes.fill_between(line["ipc"], low, high, color=colour, alpha=0.14, linewidth=0)


def _bounds(board: Board, axes: Axes) -> None:
    """Horizontal lines for methods without a budget and for chance."""
    for row, dash in zip(board.bounds, ((5, 3), (2, 2), (7, 2, 1, 2)) * len(board.bounds), strict=False):
        top1 = row.shown[0].cell.top1
        if top1 is not None:
            axes.axhline(top1.mean, color=INK, linewidth=1.5, linestyle=(0, dash), label=row.method, zorder=1)
            spread = top1.spread or 0
            axes.axhspan(top1.mean - spread, top1.mean + spread, color=INK, alpha=0.08, linewidth=0)
    axes.axhline(board.chance, color=MUTED, linewidth=1.2, linestyle=(0, (1, 2)), label="chance", zorder=1)


def _dress(board: Board, axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xticks(board.ipcs, [str(ipc) for ipc in board.ipcs])
    axes.set_xticks([], minor=True)
    axes.set_xlim(board.ipcs[0] / 1.25, board.ipcs[-1] * 1.25)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("instances per class (IPC)", color=MUTED)
    axes.set_ylabel("top-1 accuracy, %", color=MUTED)
    axes.tick_params(colors=MUTED, length=0)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)


def _fit(figure: Figure, axes: Axes) -> None:
    """Put the legend below, in as many columns as its labels leave room for, and give the plot the whole width."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, min(5, 70 // (max(map(len, labels)) + 7)))
    legend = 0.22 * math.ceil(len(labels) / columns)
    plot, below = 2.6, 0.6 + legend
    figure.set_size_inches(WIDTH, 0.1 + plot + below)
    height = figure.get_figheight()
    axes.set_position((0.1, below / height, 0.88, plot / height))
    if axes.legend_ is not None:
        axes.legend_.remove()
    figure.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0.07, 0),
        ncols=columns,
        frameon=False,
        labelcolor=INK,
        handlelength=1.8,
        columnspacing=1.4,
        labelspacing=0.35,
    )


def _tidy(svg: str) -> str:
    """Drop the preamble that names outside documents; keep the element."""
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in body.splitlines()) + "\n"
