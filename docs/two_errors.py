"""Draws ``docs/two-errors.svg``: a planted method, whose accuracy other seeds change little and other test clips more.

Its seven classes are as hard as those of UCF101 for MiniC3D, and its errors as large as measured there: about a point
by ten seeds and three by 49 videos. Test sets have their classes on purpose, so other clips are of the same classes.

``python docs/two_errors.py`` draws it anew; a test compares it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from vdbench_leaderboard.figures import style
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, of_accuracy, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PICTURE = Path(__file__).with_name("two-errors.svg")
SEEDS, REPEATS, VIDEOS, CLIPS = 10, 24, 49, 5
ACCURACIES = np.array([57, 96, 76, 88, 98.5, 9, 2])
"""Of the classes in percent; video number ``v`` is of class ``v % 7``."""
BY_SEED, BY_VIDEO, BY_FIT = 0.4, 2.0, 0.8
"""Standard deviations of the latent sum that has to be positive for a right answer, beside a coin of 1."""
ROWS = (
    "same test clips,\nother seeds",
    "other test clips,\nother seeds",
    "interval on these\ntest clips",
    "interval on other\nclips of this kind",
)


def world() -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """The true accuracy in percent, and right answers in percent, ``(repeats, seeds, clips)``.

    The first answers are all on the clips of the first repeat, the second ones on clips of their own.
    """
    rng = np.random.default_rng(11)
    classes = np.arange(VIDEOS) % len(ACCURACIES)
    spread = np.sqrt(1 + BY_SEED**2 + BY_VIDEO**2 + BY_FIT**2)
    video = spread * stats.norm.ppf(ACCURACIES / 100)[classes] + rng.normal(0, BY_VIDEO, (REPEATS, 1, VIDEOS))
    network = rng.normal(0, BY_SEED, (REPEATS, SEEDS, 1)) + rng.normal(0, BY_FIT, (REPEATS, SEEDS, VIDEOS))
    coin = rng.normal(0, 1, (REPEATS, SEEDS, VIDEOS * CLIPS))
    same, other = (
        np.where(np.repeat(network + videos, CLIPS, axis=-1) + coin > 0, 100.0, 0.0) for videos in (video[:1], video)
    )
    return float(ACCURACIES[classes].mean()), same, other


def picture() -> str:
    """The SVG document."""
    truth, same, other = world()
    videos = np.repeat(np.arange(VIDEOS), CLIPS)
    error = parts(same[0], videos % len(ACCURACIES), videos)
    if error is None:
        raise ValueError("a world needs two seeds and two videos")
    with style.styled():
        figure = Figure()
        axes = style.sized(figure, 2.5)
        style.place(axes, 1.35, 0.5, 0.2, 0.3)
        axes.set_ylim(3.5, -0.5)
        axes.axvline(truth, color=style.MUTED, linewidth=1, linestyle=(0, (3, 3)))
        axes.annotate(
            "true accuracy", (truth, -0.5), (0, 4), textcoords="offset points", ha="center", color=style.MUTED
        )
        for row, won in enumerate((same, other)):
            means = won.mean(axis=(1, 2))
            axes.plot(means, [row] * REPEATS, "o", markersize=5, alpha=0.5, color=style.ACCENT, markeredgewidth=0)
        for row, question in ((2, THESE), (3, OTHERS)):
            found = of_accuracy(error, question)
            axes.hlines(row, found.low, found.high, colors=style.ACCENT, linewidth=6, alpha=0.45)
            axes.plot([found.mean], [row], marker="|", markersize=11, markeredgewidth=2.5, color=style.ACCENT)
        axes.set_yticks(range(len(ROWS)), ROWS, color=style.INK)
        axes.set_xlabel(
            "top-1 in %: means of ten seeds, 24 times, and intervals of one of them",
            color=style.MUTED,
        )
        axes.grid(axis="x", color=style.LINE, linewidth=0.8)
        return style.svg(figure)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
