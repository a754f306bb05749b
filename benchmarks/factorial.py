"""Selected or guided, real or generated? Writes the table and the plot of their page from stored results.

``python benchmarks/factorial.py`` reads the rows of the suite ``factorial`` in ``leaderboard/results``: every selector
on real clips and on those of one generator, and the methods that guide that generator, all at equal bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from vdbench.storage import files
from vdbench_leaderboard.build import load
from vdbench_leaderboard.figures import style
from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Interval, of_accuracy, of_difference, parts
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import outcomes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "leaderboard" / "results"
PAGE = ROOT / "docs" / "selected-or-generated.md"
PICTURE = ROOT / "docs" / "selected-or-generated.svg"
BEGIN, END = "<!-- factorial -->", "<!-- end -->"

SELECTORS = ("herding", "k-center", "k-means", "greedy-reward", "tac-dt", "vst-unet", "rded")
GUIDED = ("mode-guided", "d4m")
METHODS = ("random", *SELECTORS, *GUIDED)
TITLES = {"motion-digits": "motion-digits", "ucf101": "UCF101", "hmdb51": "HMDB51"}

Arm = tuple[str, str]
"""A method and its pool."""
Place = tuple[str, int]
"""A data set and an IPC."""
Arms = Mapping[Place, Mapping[Arm, "ClipOutcomes"]]


@dataclass(frozen=True)
class Question:
    """One mean minus another, over the arms of each.

    Attributes:
        words: how the table asks it.
        arms: whose mean is asked after.
        base: what it is compared with.
    """

    words: str
    arms: tuple[Arm, ...]
    base: tuple[Arm, ...]


REAL, GENERATED = ("random", "real"), ("random", "generated")
CHOSEN = {pool: tuple((method, pool) for method in SELECTORS) for pool in ("real", "generated")}
MODES, PROTOTYPES = ("mode-guided", "generated"), ("d4m", "generated")
QUESTIONS = (
    Question("generated instead of real clips, both drawn at random", (GENERATED,), (REAL,)),
    Question("generated instead of real clips, both selected", CHOSEN["generated"], CHOSEN["real"]),
    Question("selected instead of random, real clips", CHOSEN["real"], (REAL,)),
    Question("selected instead of random, generated clips", CHOSEN["generated"], (GENERATED,)),
    Question("`mode-guided` instead of random, generated clips", (MODES,), (GENERATED,)),
    Question("`d4m` instead of random, generated clips", (PROTOTYPES,), (GENERATED,)),
    Question("`mode-guided` instead of selected, generated clips", (MODES,), CHOSEN["generated"]),
    Question("`mode-guided` instead of random real clips", (MODES,), (REAL,)),
)


@dataclass(frozen=True)
class Answer:
    """What a place answers to a question, in points.

    Attributes:
        these: on these test clips.
        others: on other clips of this kind.
        told: whether both differ from zero, corrected for every question at every place.
    """

    these: Interval
    others: Interval
    told: bool


def read(results: Path) -> dict[Place, dict[Arm, ClipOutcomes]]:
    """The arms of the suite ``factorial`` that keep outcomes per clip, by data set and IPC."""
    stored = load(results)
    found: dict[Place, dict[Arm, ClipOutcomes]] = {}
    for cell in gather(result for result in stored.results if result.suite == "factorial"):
        answered = outcomes_of(cell, stored.tests) if cell.done else None
        method, pool = cell.any_result.method, cell.pool
        if answered is not None and cell.ipc is not None and pool is not None and method in METHODS:
            found.setdefault((cell.dataset.name, cell.ipc), {})[method, pool] = answered
    return {place: found[place] for place in sorted(found, key=lambda place: (list(TITLES).index(place[0]), place[1]))}


def intervals(question: Question, arms: Mapping[Arm, ClipOutcomes]) -> tuple[Interval, Interval]:
    """The difference on these test clips and on other ones, paired by seed and clip.

    Raises:
        ValueError: seeds or sources are too few.
    """
    one = arms[question.base[0]]
    many = [arms[arm] for arm in (*question.arms, *question.base)]
    seeds = sorted(set.intersection(*(set(answered.won) for answered in many)))

    def mean(of: Sequence[Arm]) -> NDArray[np.float64]:
        return np.asarray(np.mean([[arms[arm].won[seed] for seed in seeds] for arm in of], axis=0))

    error = parts(mean(question.arms) - mean(question.base), one.labels, one.sources)
    if error is None:
        raise ValueError("a difference needs two seeds and two sources")
    return of_difference(error, THESE), of_difference(error, OTHERS)


def answered(arms: Arms) -> dict[tuple[Question, Place], Answer]:
    """Every question at every place, told or not after Holm's correction over all of them."""
    found = {(asked, place): intervals(asked, arms[place]) for asked in QUESTIONS for place in arms}
    on_these, on_others = (corrected({key: pair[side].p or 0.0 for key, pair in found.items()}) for side in (0, 1))
    return {
        key: Answer(these, others, max(on_these[key], on_others[key]) < SIGNIFICANCE)
        for key, (these, others) in found.items()
    }


def table(arms: Arms) -> str:
    """The answers in Markdown, a column per data set and IPC."""
    found = answered(arms)
    heads = [f"{TITLES[dataset]}, IPC {ipc}" for dataset, ipc in arms]
    rows = [[asked.words, *(_shown(found[asked, place]) for place in arms)] for asked in QUESTIONS]
    lines = [["question", *heads], ["---"] * (len(heads) + 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(answer: Answer) -> str:
    mean = f"{answer.these.mean:+.1f}"
    ends = (f"{found.low:.1f} to {found.high:.1f}" for found in (answer.these, answer.others))
    lines = [f"**{mean}**" if answer.told else mean, *ends]
    return "<br>".join(line.replace("-", "−").replace(" ", "&nbsp;") for line in lines)


def picture(arms: Arms) -> str:
    """The SVG document: accuracy of every arm with its interval on these test clips, a panel per data set and IPC."""
    datasets = list(dict.fromkeys(dataset for dataset, _ in arms))
    budgets = sorted({ipc for _, ipc in arms})
    left, top, gap, room, foot = 1.05, 0.45, 0.15, 0.35, 0.15
    wide = (style.WIDTH - left - gap * len(datasets)) / len(datasets)
    tall = style.LINE_HEIGHT * (len(METHODS) + 0.5)
    whole = top + (tall + room) * len(budgets) + foot
    with style.styled():
        figure = Figure()
        for (dataset, ipc), found in arms.items():
            across, down = datasets.index(dataset), budgets.index(ipc)
            axes = style.sized(figure, whole)
            start, above = left + (wide + gap) * across, top + (tall + room) * down
            style.place(axes, start, whole - above - tall, style.WIDTH - start - wide, above)
            _draw(axes, found)
            if down == 0:
                axes.annotate(TITLES[dataset], (0, 1), (0, 20), xycoords="axes fraction", textcoords="offset points")
            axes.annotate(f"IPC {ipc}", (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points",
                          color=style.MUTED)  # fmt: skip
            if across == 0:
                axes.set_yticks(range(len(METHODS)), METHODS, color=style.INK)
        figure.text(
            left / style.WIDTH, 0.12 / whole,
            "top-1 in %, interval on these test clips; ● real, ○ generated; line: random real clips",
            color=style.MUTED, fontsize=style.TEXT - 1,
        )  # fmt: skip
        return style.svg(figure)


def _draw(axes: Axes, found: Mapping[Arm, ClipOutcomes]) -> None:
    axes.set_ylim(len(METHODS) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(labelsize=style.TEXT - 1)
    axes.grid(axis="x", color=style.LINE, linewidth=0.8)
    points = []
    for method, pool, interval in _accuracies(found):
        row = METHODS.index(method) + (0.17 if pool == "generated" else -0.17)
        colour = style.GREY if method == "random" else style.SERIES[method in GUIDED]
        axes.hlines(row, interval.low, interval.high, colors=colour, linewidth=1.4, alpha=0.6)
        points.append((interval.mean, row, style.Look(colour, "o", pool == "generated")))
        if (method, pool) == REAL:
            axes.axvline(interval.mean, color=style.GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    style.draw_points(axes, points)


def _accuracies(found: Mapping[Arm, ClipOutcomes]) -> Iterator[tuple[str, str, Interval]]:
    for (method, pool), arm in found.items():
        error = arm.parts()
        if error is not None:
            yield method, pool, of_accuracy(error, THESE)


def replaced(page: str, text: str) -> str:
    """The page with another table."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the table into the page, and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results (default: %(default)s)")
    arms = read(parser.parse_args().results)
    files.write_text(PAGE, replaced(PAGE.read_text(encoding="utf-8"), table(arms)))
    files.write_text(PICTURE, picture(arms))


if __name__ == "__main__":
    main()
