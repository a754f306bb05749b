"""Mean, spread, interval, paired difference and ranks of accuracies that were measured over several seeds.

One method at one place of a table has *runs*: for every distillation seed, the accuracy of each student network that
was trained on what this seed gave. Networks of one seed share their distilled set, so they are not independent:
they are averaged first, and the seeds are what is repeated. With a single seed the networks are the only repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from scipy import stats

Runs = Mapping[int, Mapping[int, float]]
"""Accuracy in percent by distillation seed and, within it, by evaluation seed."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over repeats, and how sure it is.

    Attributes:
        mean: of the repeats.
        spread: their sample standard deviation (``ddof=1``); None for a single repeat.
        low: lower end of the 95 % Student-t interval of the mean; None for a single repeat.
        high: its upper end.
        repeats: how many values were averaged.
        over: what was repeated: distillation ``seeds``, or the ``networks`` of a single seed.
    """

    mean: float
    spread: float | None
    low: float | None
    high: float | None
    repeats: int
    over: Literal["seeds", "networks"]

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero; False where there is no interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def repeats(runs: Runs) -> tuple[list[float], Literal["seeds", "networks"]]:
    """What is averaged: the mean of each seed, or the networks of the only seed there is."""
    ordered = [[networks[key] for key in sorted(networks)] for _, networks in sorted(runs.items())]
    if len(ordered) == 1:
        return ordered[0], "networks"
    return [_mean(networks) for networks in ordered], "seeds"


def estimate(runs: Runs) -> Estimate | None:
    """Mean, spread and interval of runs; None where there are none."""
    values, over = repeats(runs)
    return _estimate(values, over) if values else None


def difference(runs: Runs, base: Runs) -> Estimate | None:
    """Paired difference ``runs - base`` over the seeds that both have.

    With one seed in common, the networks that start from the same evaluation seed are the pairs.

    Returns:
        None where nothing can be paired.
    """
    common = sorted(runs.keys() & base.keys())
    if len(common) >= 2:
        pairs = [_mean(list(runs[seed].values())) - _mean(list(base[seed].values())) for seed in common]
        return _estimate(pairs, "seeds")
    if not common:
        return None
    ours, theirs = runs[common[0]], base[common[0]]
    pairs = [ours[network] - theirs[network] for network in sorted(ours.keys() & theirs.keys())]
    return _estimate(pairs, "networks") if pairs else None


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


def ranks(column: Mapping[str, Runs]) -> dict[str, int]:
    """Competition ranks (1, 1, 3, ...) of methods, where those that the seeds cannot tell apart share a rank.

    Methods are walked from the highest mean down. The first one leads; every following one whose paired difference
    to the leader has a 95 % interval that includes zero shares the leader's rank; the first one that does not, leads
    the next rank. A difference without an interval (a single repeat) tells nothing apart. There is no correction for
    comparing many methods.

    Args:
        column: the runs of each method, none of them empty.
    """
    means = {method: _mean(repeats(runs)[0]) for method, runs in column.items()}
    ranked: dict[str, int] = {}
    leader = ""
    for place, method in enumerate(sorted(column, key=lambda name: (-means[name], name)), start=1):
        if ranked and not _apart(column[leader], column[method]):
            ranked[method] = ranked[leader]
        else:
            leader, ranked[method] = method, place
    return ranked


def _apart(better: Runs, worse: Runs) -> bool:
    gap = difference(better, worse)
    return gap is not None and gap.excludes_zero


def _estimate(values: Sequence[float], over: Literal["seeds", "networks"]) -> Estimate:
    mean, count = _mean(values), len(values)
    if count == 1:
        return Estimate(mean, None, None, None, 1, over)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = _quantile(count - 1) * spread / math.sqrt(count)
    return Estimate(mean, spread, mean - half, mean + half, count, over)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)  # exact, so that the order of values cannot matter


@cache
def _quantile(freedom: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))
