"""Average ranks of methods over many blocks, and how far apart these must be: a critical-difference diagram's data.

Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 2006. A block is a data set at one
IPC; students share the distilled sets and are averaged first: as blocks of their own they would make the test find
differences where there are none. It takes blocks as independent, which IPCs of one data set are not quite: with few
data sets, read its p as a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.estimates import CONFIDENCE, DECIMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_METHODS, FEWEST_BLOCKS = 3, 2


@dataclass(frozen=True)
class AverageRanks:
    """Methods over blocks.

    Attributes:
        ranks: average rank of each method, the best first; 1 is the best there can be.
        blocks: how many were averaged.
        p: of Friedman's test that all methods are alike.
        critical_difference: Nemenyi's: average ranks this far apart, or farther, differ at 5 %.
        groups: methods that do not differ significantly, best first, each group as large as it can be; a method may
            be in several. Where Friedman's test finds nothing, all methods are one group.
        left_out: methods that some block lacks.
    """

    ranks: dict[str, float]
    blocks: int
    p: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]

    @property
    def tells_apart(self) -> bool:
        """Whether at least two methods differ significantly."""
        return all(len(group) < len(self.ranks) for group in self.groups)


def average_ranks(blocks: Mapping[str, Mapping[str, float]]) -> AverageRanks | None:
    """Rank the methods within every block, ties by their middle, and average over blocks.

    Args:
        blocks: mean accuracy by block and, within it, by method.

    Returns:
        None with fewer than three methods that all blocks have, or fewer than two blocks: too little to test.
    """
    every = sorted({method for means in blocks.values() for method in means})
    methods = [method for method in every if all(method in means for means in blocks.values())]
    if len(methods) < FEWEST_METHODS or len(blocks) < FEWEST_BLOCKS:
        return None
    table = np.array([[means[method] for method in methods] for means in blocks.values()]).round(DECIMALS)
    averages = dict(zip(methods, stats.rankdata(-table, axis=1).mean(axis=0).tolist(), strict=True))
    best_first = {method: averages[method] for method in sorted(methods, key=lambda name: (averages[name], name))}
    p, gap = _friedman(table), critical_difference(len(methods), len(blocks))
    groups = _groups(best_first, gap) if p < 1 - CONFIDENCE else (tuple(best_first),)
    left_out = tuple(method for method in every if method not in averages)
    return AverageRanks(best_first, len(blocks), p, gap, groups, left_out)


@cache
def critical_difference(methods: int, blocks: int) -> float:
    """Nemenyi's critical difference of average ranks at 5 %: ``q * sqrt(k (k + 1) / (6 N))``.

    ``q`` is the quantile of the studentised range with infinitely many degrees of freedom, over the root of two.
    """
    q = float(stats.studentized_range.ppf(CONFIDENCE, methods, np.inf)) / math.sqrt(2)
    return q * math.sqrt(methods * (methods + 1) / (6 * blocks))


def _friedman(table: NDArray[np.float64]) -> float:
    """The test's p for ``(blocks, methods)``; 1 where every block ties all methods."""
    if np.all(table == table[:, :1]):
        return 1.0
    return float(stats.friedmanchisquare(*table.T).pvalue)


def _groups(ranks: Mapping[str, float], gap: float) -> tuple[tuple[str, ...], ...]:
    """Runs of at least two neighbours whose ends are less than the gap apart, without those inside another."""
    names, values = list(ranks), list(ranks.values())
    ends = [max(place for place, value in enumerate(values) if value - first < gap) + 1 for first in values]
    return tuple(
        tuple(names[start:end])
        for start, end in enumerate(ends)
        if end - start > 1 and (start == 0 or ends[start - 1] < end)
    )
