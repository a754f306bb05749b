"""Whether one preset holds for other clips: ``mtt`` and ``vdsd`` beside ``random`` on subsets of UCF101 and HMDB51.

    python benchmarks/transfer.py --data-root /data/videos --home HOME

draws classes of those whose videos are there: of either data set twice two, and once three, five and seven. It runs
the suite ``quick`` on each subset, and prints two tables of the differences on test clips, paired by seed: to
``random`` at the suite's recipe, and to random clips trained as the method's own are, at the step size that it learned.
It exits with 1 where a method is told to be below either. Seeds in which one of the two diverged are left out of a row,
and named. What is done is not run twice.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import vdbench
from vdbench.datasets.layouts import read_index
from vdbench.datasets.new import written
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import DatasetSpec, declaration, load_dataset
from vdbench.storage import files
from vdbench_leaderboard.build import load
from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Interval, of_difference, parts
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import answers

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.answered import Answered

DATASETS = ("ucf101", "hmdb51")
SIZES = (2, 2, 3, 5, 7)
LEARNED = ("mtt", "vdsd")
BASE = "random"
RECIPES = {False: "at the suite's recipe", True: "at the method's own recipe"}
"""What random clips are trained by; whether that is what the method asks for."""

Place = tuple[str, int]
"""A data set and an IPC."""
Cells = Mapping[Place, Mapping[str, "Answered"]]
"""What each method answered at each place, and by :func:`control` random clips at its recipe, if it has one."""


@dataclass(frozen=True)
class Row:
    """A method against random clips at one place, in points of top-1.

    Attributes:
        base: accuracy of random clips in percent.
        these: the difference on these test clips.
        others: the difference on other clips of this kind.
        p: of no difference on these test clips, corrected for all rows.
    """

    base: float
    these: Interval
    others: Interval
    p: float

    @property
    def below(self) -> bool:
        """Whether the method is told to be worse: the narrower question, corrected for all rows."""
        return self.these.mean < 0 and self.p < SIGNIFICANCE


def subsets(spec: DatasetSpec, names: Sequence[str], seed: int) -> Iterator[DatasetSpec]:
    """A declaration per size, with classes drawn from ``names``; a subset is not drawn twice."""
    rng, seen = np.random.default_rng(seed), set()
    for number, size in enumerate(size for size in SIZES if size <= len(names)):
        while (chosen := tuple(sorted(rng.choice(names, size, replace=False).tolist()))) in seen:
            pass
        seen.add(chosen)
        yield spec.model_copy(update={
            "name": f"{spec.name}-{size}-{'abcde'[number]}", "title": f"{size} classes of {spec.title}",
            "subset": chosen, "classes": size, "expected": {}, "splits": (1,),
        })  # fmt: skip


def declared(name: str, data_root: Path, home: Path, seed: int) -> list[str]:
    """Declare and prepare the subsets of a data set in a home; returns their names."""
    spec = load_dataset(name)
    at_hand = sorted({entry.class_name for entry in read_index(spec, data_root).entries if entry.path is not None})
    made = []
    for subset in subsets(spec, at_hand, seed):
        files.write_text(declaration(home, subset.name), written(subset))
        prepare(subset, data_root, home, partial=True)
        made.append(subset.name)
    return made


def control(method: str) -> str:
    """What random clips are called that were trained at the recipe of a method."""
    return f"{BASE} as {method}"


def rows(cells: Cells, same_recipe: bool = False) -> dict[tuple[str, Place], Row]:
    """Every learned method at every place, paired with random clips by seed and test clip."""
    found = {}
    for place, methods in cells.items():
        for method in LEARNED:
            base = methods.get(control(method), methods[BASE]) if same_recipe else methods[BASE]
            seeds = sorted(base.won.keys() & methods[method].won.keys())
            gain = np.array([methods[method].won[seed] - base.won[seed] for seed in seeds])
            error = parts(gain, base.labels, base.sources)
            if error is None:
                raise ValueError("a difference needs two seeds and two sources")
            accuracy = float(np.mean([base.won[seed] for seed in seeds]))
            found[method, place] = accuracy, of_difference(error, THESE), of_difference(error, OTHERS)
    p = corrected({key: these.p or 0.0 for key, (_, these, _) in found.items()})
    return {key: Row(*found[key], p[key]) for key in found}


def table(found: Mapping[tuple[str, Place], Row]) -> str:
    """In Markdown, a row per data set and IPC: for each method, random clips and both intervals of its difference."""
    lines = [["clips", "IPC", *(words for name in LEARNED for words in (BASE, f"`{name}` more than `{BASE}`"))]]
    lines.append(["---"] * len(lines[0]))
    for place in dict.fromkeys(place for _, place in found):
        own = [found[method, place] for method in LEARNED]
        cells = [words for row in own for words in (f"{row.base:.1f}", _shown(row))]
        lines.append([place[0], str(place[1]), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(row: Row) -> str:
    mean = f"{row.these.mean:+.1f}"
    mean = f"**{mean}**" if row.p < SIGNIFICANCE else mean
    ends = (f"{found.low:.1f} to {found.high:.1f}" for found in (row.these, row.others))
    return f"{mean} ({'; '.join(ends)})".replace("-", "−")


def read(home: Path, names: Sequence[str]) -> Cells:
    """What the methods answered on the subsets."""
    stored = load(home / "results")
    found: dict[Place, dict[str, Answered]] = {}
    for cell in gather(result for result in stored.results if result.dataset.name in names):
        answered = answers(cell, stored.tests)
        if answered is not None and cell.ipc is not None:
            here = found.setdefault((cell.dataset.name, cell.ipc), {})
            here[cell.any_result.method] = answered
            if cell.any_result.method in LEARNED:
                own = answers(cell, stored.tests, "own-random")
                if own is not None:
                    here[control(cell.any_result.method)] = own
    return dict(sorted(found.items(), key=lambda item: (names.index(item[0][0]), item[0][1])))


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="where the videos lie")
    parser.add_argument("--home", type=Path, required=True, help="where vdbench keeps what it makes")
    parser.add_argument("--seeds", type=int, default=5, help="clips drawn per cell (default: %(default)s)")
    parser.add_argument("--draw", type=int, default=0, help="seed of the classes (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="trials at a time (default: %(default)s)")
    chosen = parser.parse_args()
    names = [name for dataset in DATASETS for name in declared(dataset, chosen.data_root, chosen.home, chosen.draw)]
    done = vdbench.run(
        methods=[BASE, *LEARNED], datasets=names, seeds=chosen.seeds, suite="quick", partial=True,
        scheduler="ray" if chosen.workers > 1 else "inline", workers=chosen.workers, home=chosen.home,
    )  # fmt: skip
    cells, harmed = read(chosen.home, names), False
    for same_recipe, recipe in RECIPES.items():
        found = rows(cells, same_recipe)
        below = [f"{method} on {name} at IPC {ipc}" for (method, (name, ipc)), row in found.items() if row.below]
        print(f"{BASE} {recipe}:\n\n{table(found)}\n\nbelow {BASE} {recipe}: {', '.join(below) or 'nowhere'}\n")
        harmed = harmed or bool(below)
    for failure in done.failures:
        why = failure.failure.message if failure.failure is not None else failure.status
        print(f"left out: {failure.label}, seed {failure.seed}: {why}")
    sys.exit(harmed)


if __name__ == "__main__":
    main()
