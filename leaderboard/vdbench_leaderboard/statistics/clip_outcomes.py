"""What the networks of a method made of every test clip, and the intervals that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vdbench_leaderboard.statistics.estimates import Estimate
from vdbench_leaderboard.statistics.two_way import Interval, Parts, of_accuracy, of_difference, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ClipOutcomes:
    """The outcomes of one method at one place of a table, or their mean over several.

    Attributes:
        won: by seed, how much of each clip its networks won on average, in percent, ``(clips,)``.
        test_set: the fingerprint of the clips; only outcomes of equal ones are compared.
        labels: class of each clip, ``(clips,)``.
        sources: number of the source of each clip, counted from 0, ``(clips,)``.
    """

    won: Mapping[int, NDArray[np.float64]]
    test_set: str
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]

    def parts(self, base: ClipOutcomes | None = None) -> Parts | None:
        """Of the mean, or of the mean difference to another one with the same seeds on the same clips.

        Returns:
            None where there is nothing to pair, or too little to say something of others.
        """
        seeds = sorted(self.won.keys() & (base or self).won.keys())
        if not seeds or (base is not None and base.test_set != self.test_set):
            return None
        won = np.stack([self.won[seed] - (base.won[seed] if base else 0) for seed in seeds])
        return parts(won, self.labels, self.sources)

    def interval(self) -> Interval | None:
        """Of the mean accuracy, on other clips of this kind."""
        found = self.parts()
        return None if found is None else of_accuracy(found)

    def against(self, base: ClipOutcomes) -> Interval | None:
        """Of the mean difference to another one, on other clips of this kind."""
        found = self.parts(base)
        return None if found is None else of_difference(found)


def told(found: Interval | None, seeds: int) -> Estimate | None:
    """An interval as tables show those over seeds; it has no standard deviation."""
    return None if found is None else Estimate(found.mean, None, found.low, found.high, seeds, "seeds")


def mean_of(many: Sequence[ClipOutcomes | None]) -> ClipOutcomes | None:
    """The mean over students or budgets of a method, which count the same, of the seeds that all of them have.

    Returns:
        None where one of them has no outcomes, or where they speak of several test sets or share no seed.
    """
    known = [one for one in many if one is not None]
    if not known or len(known) < len(many) or len({one.test_set for one in known}) > 1:
        return None
    first, *others = known
    shared = [seed for seed in first.won if all(seed in one.won for one in others)]
    if not shared:
        return None
    won = {seed: np.mean([one.won[seed] for one in known], axis=0) for seed in shared}
    return ClipOutcomes(won, first.test_set, first.labels, first.sources)
