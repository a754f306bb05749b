"""Whether vdbench meets what is known: published numbers on MiniUCF, or the order of methods at reduced size.

Of MiniUCF under the suite ``as-published``, students where they were best on the test clips, as published logs count
them; the last checkpoint stands beside. It takes a GPU, and was not run yet; ``--methods random,full`` is a beginning:

    vdbench datasets prepare miniucf-as-published --data-root /data/videos
    python benchmarks/truth.py

At reduced size, on real clips of which a part will do; seven classes of UCF101 and three seeds took three and a half
minutes of one CPU core, and all four expectations held. ``--methods herding,full --seeds 1`` is its smallest form:

    vdbench datasets prepare ucf101 --data-root /data/videos --partial
    python benchmarks/truth.py --reduced

Either prints what was measured beside what was expected. It exits with 0 where all of it is met, with 1 where something
is missed, contradicted or not measured, and with 3 where nothing is but the order of some methods is undecided: more
seeds would tell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal, get_args

import vdbench

if TYPE_CHECKING:
    import pandas as pd

    from vdbench.experiment.result import Result

DATASET, SUITE = "miniucf-as-published", "as-published"
LEARNED = ("dc", "dm", "frepo", "mtt", "prism", "sfvd", "vdsd")
REDUCED: Mapping[str, Any] = {
    "protocol.readings": 3,
    "protocol.recipe.standardise": "batch",
    "protocol.recipe.schedule": "restart",
    "protocol.evaluation_seeds": 2,
}
"""What the suite ``quick`` lacks of the published evaluation, at its size."""

Cell = tuple[str, int | None]
"""A method and its IPC; None for a method without a budget."""
Verdict = Literal["met", "undecided", "missed"]
STATUS: Mapping[Verdict, int] = {"met": 0, "undecided": 3, "missed": 1}
"""Exit status by the worst verdict; 2 is that of wrong arguments."""


@dataclass(frozen=True)
class Number:
    """A published accuracy.

    Attributes:
        cell: what has it.
        mean: top-1 in percent.
        spread: standard deviation over networks, in points.
    """

    cell: Cell
    mean: float
    spread: float

    def told(self, top1: Mapping[Cell, pd.DataFrame]) -> tuple[str, Verdict]:
        """What is to be said of it, and whether the measured interval meets the published one."""
        if self.cell not in top1:
            return f"{_called(self.cell)}: not measured, published {self.mean} ± {self.spread}", "missed"
        best, last = (100 * top1[self.cell][name] for name in ("best", "last"))
        spread = float(best.std()) if len(best) > 1 else 0.0
        meets = abs(float(best.mean()) - self.mean) <= self.spread + spread
        measured = f"{best.mean():.1f} ± {spread:.1f} chosen on test, {last.mean():.1f} at the end"
        verb = "meets" if meets else "MISSES"
        return (
            f"{_called(self.cell)}: {measured}; {verb} the published {self.mean} ± {self.spread}",
            "met" if meets else "missed",
        )


@dataclass(frozen=True)
class Order:
    """That one cell has a higher accuracy than another.

    Attributes:
        higher: the one.
        lower: the other.
        why: completes "expected, since ...".
    """

    higher: Cell
    lower: Cell
    why: str

    def told(self, top1: Mapping[Cell, pd.DataFrame]) -> tuple[str, Verdict]:
        """What is to be said of it, and whether it holds or not by two standard errors, paired by seed."""
        pair = f"{_called(self.higher)} above {_called(self.lower)}"
        if self.higher not in top1 or self.lower not in top1:
            return f"{pair}: not measured", "missed"
        ours, theirs = (100 * top1[cell].groupby("seed")["last"].mean() for cell in (self.higher, self.lower))
        gains = (ours - theirs).dropna().tolist()
        if not gains:
            return f"{pair}: no seed in common", "missed"
        error = stdev(gains) / sqrt(len(gains)) if len(gains) > 1 else 0.0
        gain, margin = fmean(gains), 2 * error
        verdict: Verdict = "met" if gain > margin else "missed" if gain < -margin else "undecided"
        state = {"met": "holds", "missed": "CONTRADICTED", "undecided": "UNDECIDED"}[verdict]
        return f"{pair}: {gain:+.1f} ± {margin:.1f} points, {state}; expected, since {self.why}", verdict


PUBLISHED = (Number(("random", 1), 11.5, 0.7), Number(("dm", 1), 15.1, 1.1), Number(("full", None), 56.2, 1.2))
SELECTION = tuple(
    Order(("herding", 10), (name, 10), "selection overtakes learned clips as the IPC grows") for name in LEARNED
)
SMALL = (
    Order(("full", None), ("herding", 1), "all clips say more than one of each class"),
    Order(("herding", 1), ("random", 1), "the clip nearest to the mean of its class is more typical than any"),
    Order(("dm", 1), ("random", 1), "it starts from random clips and learns from there"),
    Order(("mtt", 1), ("random", 1), "it starts from random clips and learns from there"),
)


def _called(cell: Cell) -> str:
    return cell[0] if cell[1] is None else f"{cell[0]} at IPC {cell[1]}"


def accuracies(frame: pd.DataFrame, best: Mapping[tuple[str, int], float]) -> dict[Cell, pd.DataFrame]:
    """Networks by method and IPC, with the columns ``seed``, ``last`` and ``best``, shares from 0 to 1.

    Args:
        frame: as of :func:`vdbench.load_results`; what is not as the method means its set is left out.
        best: by result and network, the highest accuracy that it had on the test clips; the last one where left out.
    """
    own = frame[frame.condition == "own"]
    keys = zip(own.result, own.network, own.top1, strict=True)
    own = own.assign(last=own.top1, best=[best.get((result, network), top1) for result, network, top1 in keys])
    groups = own.assign(ipc=own.ipc.fillna(0)).groupby(["method", "ipc"])[["seed", "last", "best"]]
    return {(str(name), int(ipc) or None): networks for (name, ipc), networks in groups}


def chosen_on_test(results: Sequence[Result]) -> dict[tuple[str, int], float]:
    """By result and network, the highest accuracy on the test clips on its way."""
    return {
        (result.id, score.seed): max([score.top1, *(point.top1 for point in score.checkpoints)])
        for result in results
        for scores in result.students
        for score in scores.scores
    }


def report(expected: Sequence[Number | Order], top1: Mapping[Cell, pd.DataFrame]) -> Verdict:
    """Print a line for each expectation; the worst verdict."""
    told = [one.told(top1) for one in expected]
    for line, _ in told:
        print(line)
    return max((verdict for _, verdict in told), key=[*get_args(Verdict)].index, default="met")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, and compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reduced", action="store_true", help="the order of methods, on a CPU")
    parser.add_argument("--dataset", default="ucf101", help="of the reduced check")
    parser.add_argument("--methods", help="names with commas between them; expectations of others are left out")
    parser.add_argument("--seeds", type=int, default=3, help="of the distillation")
    parser.add_argument("--home", type=Path, help="where vdbench keeps what it makes")
    parser.add_argument("--scheduler", choices=["inline", "ray"], default="inline")
    asked = parser.parse_args(arguments)
    expected: list[Number | Order] = [*SMALL] if asked.reduced else [*PUBLISHED, *SELECTION]
    names = set(chain.from_iterable(_methods(one) for one in expected))
    if asked.methods:
        names = set(asked.methods.split(","))
        expected = [one for one in expected if _methods(one) <= names]
    means: dict[str, Any] = {"seeds": asked.seeds, "scheduler": asked.scheduler, "home": asked.home}
    if asked.reduced:
        done = [vdbench.run(sorted(names), asked.dataset, 1, suite="quick", set=REDUCED, partial=True, **means)]
    else:
        at_ten = sorted(names & {"herding", *LEARNED})
        done = [vdbench.run(sorted(names & {"random", "dm", "full"}), DATASET, 1, suite=SUITE, **means)]
        done += [vdbench.run(at_ten, DATASET, 10, suite=SUITE, **means)] if at_ten else []
    results = {result.id: result for one in done for result in one.results}
    stored = vdbench.load_results(done[0].home / "results")
    worst = report(expected, accuracies(stored[stored.result.isin(results)], chosen_on_test([*results.values()])))
    return STATUS["missed" if any(one.failures for one in done) else worst]


def _methods(one: Number | Order) -> set[str]:
    return {one.cell[0]} if isinstance(one, Number) else {one.higher[0], one.lower[0]}


if __name__ == "__main__":
    sys.exit(main())
