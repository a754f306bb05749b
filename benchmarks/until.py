"""Whether ``--until`` decides what a run of twenty seeds decides, and with how many networks: real runs, replayed.

    OMP_NUM_THREADS=1 python benchmarks/until.py --home HOME --out TABLE

judges ``random``, ``full`` and four selectors on ``motion-digits`` with 400 seeds of a tiny student, in two worlds.
Every twenty seeds are a repetition: on one side a fixed run of them all, tested as a table tests it; on the other
``vdbench run --until told``, whose own functions are asked which trials come next, and are handed the stored ones. What
all the seeds together tell is taken for the truth. ``again`` chooses clips by chance too, so that whoever tells it from
``random`` is wrong. The trials of a world take some ten or fifty minutes of one CPU core; what is done is not run
twice, and ``--seeds 40`` is a beginning.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vdbench.api.asking import Asked, requested
from vdbench.api.rounds import MOST_SEEDS, Search, Searched, in_rounds
from vdbench.experiment.home import Home
from vdbench.experiment.plan import Plan, make_plan
from vdbench.experiment.run import Outcome, carry_out
from vdbench.experiment.schedule import run_inline
from vdbench.experiment.suite import load_suite
from vdbench.method import Card
from vdbench.selector import Selector, SelectorSettings
from vdbench_leaderboard.statistics.comparisons import Comparison, compare
from vdbench_leaderboard.tables.undecided import columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Job
    from vdbench.method import Task

BASE, NULL = "random", "again"
METHODS = ("herding", "k-center", "k-means")
IPC = 5
SIGN = {"up": 1, "down": -1, "": 0}


def _settings(size: int, width: int, steps: int, lr: float, **encoder: str) -> dict[str, Any]:
    recipe = {"epochs": 1, "min_steps": steps, "max_steps": steps, "batch": 20, "lr": lr}
    student = {"name": "minic3d", "width": width}
    protocol = {"frames": 8, "size": size, "students": [student], "recipe": recipe, "draws": 1}
    return {**{name: encoder for name in METHODS}, "protocol": protocol}


WORLDS: dict[str, dict[str, Any]] = {
    "large": _settings(size=32, width=16, steps=100, lr=0.02),
    "small": _settings(size=16, width=8, steps=60, lr=0.05, encoder="pixels"),
}
"""The suite ``quick`` at sizes at which a trial takes a second or so of one CPU core, by how far methods differ from
``random``: with its pixels, student and encoder, and half of its steps, as far as in its own table; else hardly."""


class Again(Selector[SelectorSettings]):
    """Random clips, of which ``random`` chooses none with the same seed."""

    name: ClassVar[str] = "again"
    card: ClassVar[Card] = Card("Random clips once more")

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """The last k of a random order."""
        return rng.permutation(len(features))[-k:]


def judged(home: Home, seeds: int, settings: Mapping[str, Any]) -> Plan:
    """All trials of so many seeds, finished: those that are not stored yet are run.

    Raises:
        RuntimeError: some failed, or it was interrupted.
    """
    asked = Asked([*METHODS, Again], ["motion-digits"], [IPC], range(seeds), load_suite("quick"), settings)
    plan = make_plan(requested(asked, home), home)
    outcome = carry_out(plan, home, run_inline, [])
    if outcome.failed or outcome.interrupted:
        raise RuntimeError(f"interrupted, or {len(outcome.failed)} trials failed; run it again to go on")
    return Plan(plan.jobs, {result.id: result for result in outcome.done})


@dataclass(frozen=True)
class Told:
    """What is said of each method against ``random``: 1 where it is told to be better, -1 worse, 0 neither.

    Attributes:
        fixed: by a run of all the seeds of a repetition.
        until: by ``--until told``.
        networks: share of the fixed run's that ``--until`` judged.
        compared: the same without ``full``, which a search judges with the seeds of its first look and compares with
            nothing.
    """

    fixed: Mapping[str, int]
    until: Mapping[str, int]
    networks: float
    compared: float


def replayed(jobs: Sequence[Job], results: Mapping[str, Result]) -> Told:
    """One repetition: a fixed run, and a search that is handed the stored results in place of running trials.

    Args:
        jobs: of its seeds.
        results: at least theirs, by trial id.
    """

    def carry(part: Plan) -> Outcome:
        return Outcome((*part.done.values(), *(results[job.trial.id] for job in part.pending)), (), False)

    search = Search.of("told", None, most=len({job.trial.seed for job in jobs}))
    found = in_rounds(Plan(tuple(jobs), {}), search, lambda part: 0.0, carry)
    told = {method: SIGN[one.direction] for method, one in compared([results[job.trial.id] for job in jobs]).items()}
    without_full = sum(r.ipc is not None for r in found.results) / sum(job.trial.ipc is not None for job in jobs)
    return Told(told, _said(found), len(found.results) / len(jobs), without_full)


def _said(found: Searched) -> dict[str, int]:
    told = {q.method: q.look for q in found.questions if q.against == BASE and q.look is not None}
    return {method: int(np.sign(look.mean)) if look.state == "told" else 0 for method, look in told.items()}


def compared(results: Sequence[Result]) -> dict[str, Comparison]:
    """Every method against ``random``, as a table compares them."""
    (column,) = columns(results).values()
    return compare({cell.method: cell.runs for cell in column}, BASE)


def replays(plan: Plan, seeds: int = MOST_SEEDS) -> list[Told]:
    """All repetitions: seeds 0 to 19, 20 to 39, and so on, as far as all of them are there."""
    blocks: dict[int, list[Job]] = {}
    for job in plan.jobs:
        blocks.setdefault(job.trial.seed // seeds, []).append(job)
    whole = [jobs for jobs in blocks.values() if len({job.trial.seed for job in jobs}) == seeds]
    return [replayed(jobs, plan.done) for jobs in whole]


def table(told: Sequence[Told], truth: Mapping[str, Comparison]) -> str:
    """A row per method: what all seeds say, how often either told it, and how often both said the same.

    Args:
        told: the repetitions.
        truth: the comparison of all seeds.
    """
    lines = [
        "| method | all seeds | told by 20 seeds | told by `--until` | the same | `--until` was wrong |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    true = {method: 0 if method == NULL else SIGN[one.direction] for method, one in truth.items()}
    for method, one in sorted(truth.items()):
        assert one.difference is not None
        pairs = [(each.fixed[method], each.until[method]) for each in told]
        counts = (
            sum(fixed != 0 for fixed, _ in pairs),
            sum(until != 0 for _, until in pairs),
            sum(fixed == until for fixed, until in pairs),
            sum(until not in (0, true[method]) for _, until in pairs),
        )
        low, high = one.difference.low, one.difference.high
        lines.append(
            f"| {method} | {one.difference.mean:+.1f} ({low:+.1f} to {high:+.1f}) | "
            + " | ".join(map(str, counts))
            + " |"
        )
    shares, without_full = [each.networks for each in told], np.mean([each.compared for each in told])
    same = sum(each.fixed == each.until for each in told)
    wrong = sum(any(said not in (0, true[method]) for method, said in each.until.items()) for each in told)
    lines += [
        "",
        f"{len(told)} repetitions of {MOST_SEEDS} seeds. `--until told` judged {100 * np.mean(shares):.0f} % of the "
        f"networks ({100 * min(shares):.0f} to {100 * max(shares):.0f} %; {100 * without_full:.0f} % of those that are "
        f"compared, `full` left out), said the same of every method as the fixed run in {same}, and something wrong of "
        f"any method in {wrong}.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, replay it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="where vdbench keeps what it makes")
    parser.add_argument("--seeds", type=int, default=400, help="in all, a multiple of twenty")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=WORLDS, help="by the differences they give")
    parser.add_argument("--out", type=Path, help="also write the table here")
    asked = parser.parse_args(arguments)
    parts = []
    for name in asked.worlds:
        plan = judged(Home.at(asked.home), asked.seeds, WORLDS[name])
        parts.append(
            f"## {name.capitalize()} differences\n\n" + table(replays(plan), compared(list(plan.done.values())))
        )
        print(parts[-1], flush=True)
    text = "\n\n".join(parts)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
