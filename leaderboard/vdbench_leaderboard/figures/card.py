"""The picture that stands for the page where a link to it is shown: the answer, and the accuracies behind one of it."""

from __future__ import annotations

import textwrap
from io import BytesIO
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.figures.style import ACCENT, GREY, INK, LINE, MUTED, PAPER
from vdbench_leaderboard.tables import formats, verdict_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from vdbench_leaderboard.tables.verdicts import Line, Verdict

WIDTH, HEIGHT, DPI = 12.0, 6.3, 100
"""Inches, and pixels of an inch: 1200 by 630 is what pages that show links ask for."""
CHARACTERS = 58
"""Of a line of the reason."""
MOST_LINES = 3
"""Of the answer and its reason, or one more where the answer takes all of them."""


def card(headline: verdict_words.Answer, verdict: Verdict | None, mark: str) -> bytes:
    """Draw it.

    Args:
        headline: the answer over all data sets.
        verdict: whose short table is drawn below; None for none.
        mark: goes to the beginning of the file.

    Returns:
        A PNG of 1200 by 630 pixels, which depend on the arguments alone.
    """
    with style.styled():
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=PAPER)
        figure.text(0.05, 0.915, "vdbench leaderboard", fontsize=19, color=MUTED)
        long = len(headline.short) > CHARACTERS // 2
        short = textwrap.wrap(headline.short, CHARACTERS - 4, max_lines=MOST_LINES, placeholder=" …")
        figure.text(0.05, 0.87, "\n".join(short), fontsize=22 if long else 35, color=ACCENT, weight="bold", va="top")
        left = max(1, MOST_LINES - len(short))
        reason = textwrap.wrap(headline.reason, CHARACTERS, max_lines=left, placeholder=" …")
        top = 0.84 - 0.06 * len(short) if long else 0.765
        figure.text(0.05, top, "\n".join(reason), fontsize=22, color=INK, va="top", linespacing=1.35)
        if verdict is not None:
            _table(figure, verdict)
        written = BytesIO()
        figure.savefig(written, format="png", facecolor=PAPER, metadata={"Software": None, "Comment": mark})
        return written.getvalue()


def _table(figure: Figure, verdict: Verdict) -> None:
    lines = verdict.lines
    where = " on other clips" if verdict.on_these_clips else ""
    title = f"Top-1 in %, 95 % interval{where}: {verdict_words.place(verdict)}"
    figure.text(0.05, 0.5, textwrap.shorten(title, 80, placeholder=" …"), fontsize=17, color=MUTED)
    axes = figure.add_axes((0.33, 0.09, 0.5, 0.37), facecolor="none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    ends = [line.top1.high or line.top1.mean for line in lines]
    axes.set_xlim(0, max(verdict.boards[0].chance, *ends))
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_yticks(range(len(lines)), [style.shortened(line.method) for line in lines], fontsize=16, color=INK)
    axes.tick_params(length=0, pad=12)
    _points(axes, lines, verdict.boards[0].chance)


def _points(axes: Axes, lines: Sequence[Line], chance: float) -> None:
    right = axes.get_xlim()[1]
    axes.vlines(chance, -0.5, len(lines) - 0.5, colors=MUTED, linewidth=1.5, linestyles="dotted")
    for place, (_, top1, _, role) in enumerate(lines):
        colour = GREY if role else ACCENT
        axes.hlines(place, 0, right, colors=LINE, linewidth=2)
        if top1.low is not None and top1.high is not None:
            axes.hlines(place, max(top1.low, 0), min(top1.high, 100), colors=colour, linewidth=11, alpha=0.35)
        axes.plot([top1.mean], [place], marker="o", markersize=11, color=colour, clip_on=False)
        shown = formats.percent(top1.mean)
        axes.text(right * 1.03, place, shown, fontsize=19, va="center_baseline", color=INK, weight="bold")
