"""Mean, standard deviation, interval and paired difference of accuracies that were measured over several seeds.

One method at one place of a table has *runs*: for every distillation seed, the accuracy of each student network that
was trained on what this seed gave. Networks of one seed share their distilled set, so they are not independent:
they are averaged first, and the seeds are what is repeated. With a single seed the networks are the only repeats.

The interval is Student's: ``mean ± t * s / sqrt(n)``, with the sample standard deviation ``s`` of ``n`` repeats and
the quantile ``t`` for ``n - 1`` degrees of freedom (Student, The probable error of a mean, Biometrika 1908). It covers
exactly 95 % where the means of seeds are normal. It speaks of other seeds on the same test clips.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

Runs = Mapping[int, Mapping[int, float]]
"""Accuracy in percent by distillation seed and, within it, by evaluation seed."""
Repeated = Literal["seeds", "networks"]
"""What was repeated: distillation seeds, or the networks of a single seed."""

CONFIDENCE = 0.95
FEW_SEEDS = 3
"""Fewer seeds than this are marked, and no difference of them is significant."""
DECIMALS = 9
"""Of a difference between percentages that count: finer ones come from the arithmetic, not from clips."""


@dataclass(frozen=True)
class Estimate:
    """A mean over repeats, and how sure it is.

    Attributes:
        mean: of the repeats.
        std: their sample standard deviation (``ddof=1``); None for a single repeat, and of two-way intervals.
        low: lower end of the 95 % interval of the mean, Student's t or two-way; None for a single repeat.
        high: its upper end.
        repeats: how many values were averaged.
        over: what was repeated: distillation ``seeds``, or the ``networks`` of a single seed.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    repeats: int
    over: Repeated

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero; False where there is no interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def significant(self) -> bool:
        """Whether at least three seeds show that it is not zero: its interval is that of the t-test at 5 %."""
        return self.over == "seeds" and self.repeats >= FEW_SEEDS and self.excludes_zero


def repeats(runs: Runs) -> tuple[list[float], Repeated]:
    """What is averaged: the mean of each seed, or the networks of the only seed there is."""
    ordered = [[networks[key] for key in sorted(networks)] for _, networks in sorted(runs.items())]
    if len(ordered) == 1:
        return ordered[0], "networks"
    return [_mean(networks) for networks in ordered], "seeds"


def estimate(runs: Runs) -> Estimate | None:
    """Mean, standard deviation and interval of runs; None where there are none."""
    return _estimate(*repeats(runs))


def paired(runs: Runs, base: Runs) -> tuple[list[float], Repeated]:
    """Differences ``runs - base`` of the seeds that both have, in points, rounded to ``DECIMALS``.

    With one seed in common, the networks that start from the same evaluation seed are the pairs.

    Returns:
        The differences, none where nothing can be paired, and what they pair.
    """
    common = sorted(runs.keys() & base.keys())
    if len(common) == 1:
        ours, theirs = runs[common[0]], base[common[0]]
        pairs = [(ours[network], theirs[network]) for network in sorted(ours.keys() & theirs.keys())]
    else:
        pairs = [(_mean(list(runs[seed].values())), _mean(list(base[seed].values()))) for seed in common]
    return [round(one - other, DECIMALS) for one, other in pairs], "networks" if len(common) == 1 else "seeds"


def difference(runs: Runs, base: Runs) -> Estimate | None:
    """Mean, standard deviation and interval of the differences of ``paired``; None where nothing can be paired."""
    return _estimate(*paired(runs, base))


def average(many: Sequence[Runs]) -> Runs:
    """Runs of the mean over several methods, of which each one counts the same.

    Args:
        many: at least one method's runs; seeds and networks that not all of them have are left out.
    """
    first, *others = many
    return {
        seed: means
        for seed, networks in first.items()
        if all(seed in runs for runs in others)
        and (
            means := {
                key: _mean([runs[seed][key] for runs in many])
                for key in networks
                if all(key in runs[seed] for runs in others)
            }
        )
    }


def _estimate(values: Sequence[float], over: Repeated) -> Estimate | None:
    count = len(values)
    if count == 0:
        return None
    mean = _mean(values)
    if count == 1:
        return Estimate(mean, None, None, None, 1, over)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * std / math.sqrt(count)
    return Estimate(mean, std, mean - half, mean + half, count, over)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)  # exact, so that the order of values cannot matter
