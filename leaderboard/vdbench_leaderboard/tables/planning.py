"""What a difference of some points would take, column by column: seeds, networks and hours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vdbench_leaderboard.statistics.estimates import paired
from vdbench_leaderboard.statistics.power import level, seeds_for
from vdbench_leaderboard.tables.boards import base_of
from vdbench_leaderboard.tables.undecided import columns

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.statistics.estimates import Runs
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget, Group, Student


@dataclass(frozen=True)
class Needed:
    """What it takes to tell a method from ``random`` in one column.

    Attributes:
        group: suite, protocol and data.
        student: the network that judges.
        budget: the column.
        methods: compared with ``random``, and corrected for.
        seeds: that there are.
        networks: per seed.
        seeds_std: standard deviation of the difference by seeds alone, were there networks without end, in points.
        networks_std: of one network's difference within a seed; None with a single network per seed.
        needed: seeds that find the difference four times out of five; beyond ``power.MOST_SEEDS`` where too many.
        needed_twice: the same with twice the networks; None with a single network per seed.
        seconds_per_seed: that one more seed of all methods of the column takes, one trial after the other; all its
            students are counted.
    """

    group: Group
    student: Student
    budget: Budget
    methods: int
    seeds: int
    networks: int
    seeds_std: float
    networks_std: float | None
    needed: int
    needed_twice: int | None
    seconds_per_seed: float

    @property
    def seconds(self) -> float:
        """Of the seeds that are missing, one trial after the other."""
        return max(0, self.needed - self.seeds) * self.seconds_per_seed


def needed(results: Iterable[Result], points: float) -> list[Needed]:
    """What a difference of so many points takes in every column with ``random``, another method and two seeds.

    The standard deviations are pooled over the methods of a column, which have few seeds each: that of the differences
    of seeds, and within seeds that of networks, which are paired since all methods' networks start from the same seeds.
    """
    rows = (_row(place, column, points) for place, column in columns(results).items())
    return [row for row in rows if row is not None]


def _row(place: tuple[Group, Student, Budget], column: Sequence[Cell], points: float) -> Needed | None:
    pairs = [(cell, base) for cell in column if (base := base_of(cell, column)) is not None and base is not cell]
    known = [(cell.runs, base.runs) for cell, base in pairs if len(cell.seeds & base.seeds) > 1]
    if not known:
        return None
    of_means = _pooled([paired(*pair)[0] for pair in known])
    within = [differences for pair in known for differences in _by_seed(*pair)]
    networks = min(len(differences) for differences in within)
    of_networks = _pooled(within) if networks > 1 else None
    alone = of_means if of_networks is None else max(0.0, of_means - of_networks / networks)
    alpha = level(len(pairs))

    def seeds(variance: float) -> int:
        return seeds_for(points / math.sqrt(variance) if variance else math.inf, alpha)

    return Needed(
        *place,
        methods=len(pairs),
        seeds=min(len(cell.seeds & base.seeds) for cell, base in pairs),
        networks=networks,
        seeds_std=math.sqrt(alone),
        networks_std=None if of_networks is None else math.sqrt(of_networks),
        needed=seeds(of_means),
        needed_twice=None if of_networks is None else seeds(alone + of_networks / (2 * networks)),
        seconds_per_seed=sum(map(_seconds, column)),
    )


def _by_seed(runs: Runs, base: Runs) -> list[list[float]]:
    """Differences of the networks of each seed that both have, in points."""
    return [
        [runs[seed][network] - base[seed][network] for network in sorted(runs[seed].keys() & base[seed].keys())]
        for seed in sorted(runs.keys() & base.keys())
    ]


def _pooled(samples: Sequence[Sequence[float]]) -> float:
    """Variance within samples, all together."""
    squares = sum(float(np.var(values)) * len(values) for values in samples)
    return squares / sum(len(values) - 1 for values in samples)


def _seconds(cell: Cell) -> float:
    """Of a trial, mean; the assets are there, and further seeds share them."""
    taken = [result.stages[stage].seconds for result, _ in cell.done for stage in ("distill", "evaluate")]
    return sum(taken) / len(cell.done)
