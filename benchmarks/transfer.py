"""Whether one preset holds for other clips: ``mtt`` and ``vdsd`` beside ``random`` on subsets of UCF101 and HMDB51.

    python benchmarks/transfer.py --data-root /data/videos --home HOME

draws classes of those whose videos are there: of either data set twice two, and once three, five and seven. It runs
the suite ``quick`` on each subset, and prints two tables of the differences on test clips, paired by seed: to
``random`` at the suite's recipe, and to random clips trained as the method's own are, at the step size that it learned.
It exits with 1 where a method is told to be below either. A row is of the seeds that both have. Those in which one of
the two diverged, or that are missing for another reason, are named, and so are rows of fewer than two, which are left
out. What is done is not run twice.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import vdbench
from vdbench.datasets.layouts import read_index
from vdbench.datasets.new import written
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import DatasetSpec, declaration, load_dataset
from vdbench.experiment.suite import load_suite
from vdbench.storage import files
from vdbench_leaderboard.build import load
from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Interval, of_difference, parts
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import outcomes_of

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes

DATASETS = ("ucf101", "hmdb51")
SIZES = (2, 2, 3, 5, 7)
LEARNED = ("mtt", "vdsd")
BASE = "random"
RECIPES = {False: "at the suite's recipe", True: "at the method's own recipe"}
"""What random clips are trained by; whether that is what the method asks for."""

FEWEST = 2
"""Seeds that a row takes."""

Place = tuple[str, int]
"""A data set and an IPC."""
Cells = Mapping[Place, Mapping[str, "ClipOutcomes"]]
"""What each method answered at each place, and by :func:`control` random clips at its recipe."""


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
    """A declaration per size, with classes drawn from ``names``; none is drawn twice, and draws share no name."""
    rng, seen = np.random.default_rng(seed), set()
    for number, size in enumerate(size for size in SIZES if size <= len(names)):
        while (chosen := tuple(sorted(rng.choice(names, size, replace=False).tolist()))) in seen:
            pass
        seen.add(chosen)
        yield spec.model_copy(update={
            "name": f"{spec.name}-{size}-{'abcde'[number]}{seed or ''}", "title": f"{size} classes of {spec.title}",
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


def against(method: str, same_recipe: bool) -> str:
    """What random clips are called that a method is held against."""
    return control(method) if same_recipe else BASE


def shared(methods: Mapping[str, ClipOutcomes], method: str, same_recipe: bool) -> list[int]:
    """The seeds in which both a method and its random clips have an answer."""
    both = [methods[name].won.keys() if name in methods else set() for name in (method, against(method, same_recipe))]
    return sorted(both[0] & both[1])


def lacking(cells: Cells, places: Iterable[Place], seeds: int, same_recipe: bool) -> list[str]:
    """A sentence for every row that does not rest on all seeds, or is not there."""
    said = []
    for place in places:
        for method in LEARNED:
            have = shared(cells.get(place, {}), method, same_recipe)
            if gone := [str(seed) for seed in range(seeds) if seed not in have]:
                row = "so that there is no row" if len(have) < FEWEST else "left out of its row"
                without = "seed" if len(gone) == 1 else "seeds"
                said.append(
                    f"{method} on {place[0]} at IPC {place[1]}: {without} {', '.join(gone)} without a result of it or "
                    f"of {against(method, same_recipe)}, {row}"
                )
    return said


def rows(cells: Cells, same_recipe: bool = False) -> dict[tuple[str, Place], Row]:
    """Every learned method at every place, paired with random clips by seed and test clip, where both have seeds."""
    found = {}
    for place, methods in cells.items():
        for method in LEARNED:
            if len(seeds := shared(methods, method, same_recipe)) < FEWEST:
                continue
            base = methods[against(method, same_recipe)]
            gain = np.array([methods[method].won[seed] - base.won[seed] for seed in seeds])
            error = parts(gain, base.labels, base.sources)
            if error is None:
                raise ValueError("a difference needs two sources of test clips")
            accuracy = float(np.mean([base.won[seed] for seed in seeds]))
            found[method, place] = accuracy, of_difference(error, THESE), of_difference(error, OTHERS)
    p = corrected({key: these.p or 0.0 for key, (_, these, _) in found.items()})
    return {key: Row(*found[key], p[key]) for key in found}


def table(found: Mapping[tuple[str, Place], Row]) -> str:
    """In Markdown, a row per data set and IPC: for each method, random clips and both intervals of its difference."""
    lines = [["clips", "IPC", *(words for name in LEARNED for words in (BASE, f"`{name}` more than `{BASE}`"))]]
    lines.append(["---"] * len(lines[0]))
    for place in dict.fromkeys(place for _, place in found):
        own = [found.get((method, place)) for method in LEARNED]
        cells = [words for row in own for words in ((f"{row.base:.1f}", _shown(row)) if row else ("", "no row"))]
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
    found: dict[Place, dict[str, ClipOutcomes]] = {}
    for cell in gather(result for result in stored.results if result.dataset.name in names):
        answered = outcomes_of(cell, stored.tests)
        if answered is not None and cell.ipc is not None:
            here = found.setdefault((cell.dataset.name, cell.ipc), {})
            here[cell.any_result.method] = answered
            if cell.any_result.method in LEARNED:
                own = outcomes_of(cell, stored.tests, "own-random")
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
    places = [(name, ipc) for name in names for ipc in load_suite("quick").ipc]
    for same_recipe, recipe in RECIPES.items():
        found = rows(cells, same_recipe)
        below = [f"{method} on {name} at IPC {ipc}" for (method, (name, ipc)), row in found.items() if row.below]
        print(f"{BASE} {recipe}:\n\n{table(found)}\n\nbelow {BASE} {recipe}: {', '.join(below) or 'nowhere'}\n")
        for sentence in lacking(cells, places, chosen.seeds, same_recipe):
            print(sentence)
        print()
        harmed = harmed or bool(below)
    for failure in done.failures:
        why = failure.failure.message if failure.failure is not None else failure.status
        print(f"left out: {failure.label}, seed {failure.seed}: {why}")
    sys.exit(harmed)


if __name__ == "__main__":
    main()
