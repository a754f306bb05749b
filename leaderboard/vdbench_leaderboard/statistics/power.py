"""How many seeds a difference takes: the power of the paired t-test.

The difference and its spread are those that were seen. With few seeds both are rough, and so is the number of seeds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import stats

from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate

POWER = 0.8
"""How often the test should find a difference that is there."""
MOST_SEEDS = 1000
"""More are not counted: nobody runs them."""


def level(tests: int) -> float:
    """The p below which one of several tests is significant whatever the others say: Šidák's bound.

    Args:
        tests: how many are made together, at least one.
    """
    return -math.expm1(math.log1p(-SIGNIFICANCE) / tests)


def power(effect: float, seeds: int, alpha: float) -> float:
    """How often a two-sided paired t-test is significant, from the noncentral t distribution.

    Args:
        effect: mean difference over the standard deviation of differences.
        seeds: pairs, at least two.
        alpha: the p below which the test is significant.
    """
    needed, shift = stats.t.isf(alpha / 2, seeds - 1), abs(effect) * math.sqrt(seeds)
    return float(stats.nct.sf(needed, seeds - 1, shift) + stats.nct.cdf(-needed, seeds - 1, shift))


def seeds_needed(difference: Estimate | None, tests: int) -> int | None:
    """The smallest number of seeds at which a difference of this size is found four times out of five.

    Differences that are the same for every seed have no spread: the test then flips their signs, and takes as many
    seeds as make ``2^(1 - n)`` small enough.

    Returns:
        At least ``FEW_SEEDS``, and ``MOST_SEEDS + 1`` where ``MOST_SEEDS`` are not enough; None where the difference is
        zero, fewer than two seeds have shown its spread, or it is that of a two-way interval.
    """
    if difference is None or difference.std is None or difference.over != "seeds" or difference.mean == 0:
        return None
    alpha = level(tests)
    if difference.std == 0:
        return max(FEW_SEEDS, 2 + math.floor(-math.log2(alpha)))
    return seeds_for(difference.mean / difference.std, alpha)


def more_seeds(difference: Estimate | None, tests: int) -> int | None:
    """How many seeds are missing to :func:`seeds_needed`.

    Returns:
        At least 1; ``MOST_SEEDS`` where as many are not enough; None as there.
    """
    needed = seeds_needed(difference, tests)
    if needed is None or difference is None:
        return None
    return MOST_SEEDS if needed > MOST_SEEDS else max(1, needed - difference.repeats)


def seeds_for(effect: float, alpha: float) -> int:
    """The smallest number of seeds at which an effect is found four times out of five.

    Args:
        effect: mean difference over the standard deviation of differences; may be infinite.
        alpha: the p below which the test is significant.

    Returns:
        At least ``FEW_SEEDS``, and ``MOST_SEEDS + 1`` where ``MOST_SEEDS`` are not enough.
    """
    if math.isinf(effect):
        return FEW_SEEDS
    low, high = FEW_SEEDS - 1, FEW_SEEDS
    while power(effect, high, alpha) < POWER:
        low, high = high, 2 * high
        if low > MOST_SEEDS:
            return MOST_SEEDS + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha) >= POWER else (middle, high)
    return min(high, MOST_SEEDS + 1)
