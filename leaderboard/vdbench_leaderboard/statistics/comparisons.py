"""Which methods differ: tests paired by seed, corrected for their number, and ranks that show ties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.estimates import FEW_SEEDS, Estimate, Runs, difference, estimate, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNIFICANCE = 0.05
Key = TypeVar("Key")
Direction = Literal["up", "down", ""]


@dataclass(frozen=True)
class Comparison:
    """A method compared with the base of its column.

    Attributes:
        difference: ``method - base``, paired by seed, with an interval that is not corrected; None where nothing can
            be paired.
        p: of the paired t-test over seeds; None with fewer than two common seeds.
        adjusted: the same after the correction for all tests of the column, never below ``p``.
    """

    difference: Estimate | None
    p: float | None
    adjusted: float | None

    @property
    def significant(self) -> bool:
        """Whether the corrected test finds a difference; False where there are too few seeds to say."""
        return self.adjusted is not None and self.adjusted < SIGNIFICANCE

    @property
    def direction(self) -> Direction:
        """Of the difference, as the corrected test tells it."""
        return direction(self.difference, self.adjusted)


def direction(difference: Estimate | None, p: float | None) -> Direction:
    """Where a difference goes; empty where that may be chance, as it may with fewer than three seeds.

    Args:
        difference: paired by seed.
        p: of its test, corrected; None where nothing can be tested.
    """
    if difference is None or p is None or p >= SIGNIFICANCE or difference.repeats < FEW_SEEDS:
        return ""
    return "up" if difference.mean > 0 else "down"


def compare(column: Mapping[str, Runs], base: str) -> dict[str, Comparison]:
    """Every other method of a column against one of them.

    The test is the paired t-test of seed means over common seeds. Differences that are the same for every seed have no
    variance to test with: p is 1 if they are zero, and otherwise that of flipping their signs, ``2^(1 - n)`` for ``n``.
    The correction is Holm's step-down with Šidák's bound (Holland & Copenhaver, Biometrics 1987): the chance of any
    false finding in the column stays at 5 %.

    Raises:
        KeyError: ``base`` is not in the column.
    """
    p = _p_values(column, base)
    adjusted = corrected(p)
    return {
        method: Comparison(difference(runs, column[base]), p.get(method), adjusted.get(method))
        for method, runs in column.items()
        if method != base
    }


def ranks(column: Mapping[str, Runs]) -> dict[str, int]:
    """Competition ranks (1, 1, 3, ...) of methods, where those that do not differ significantly share a rank.

    Methods are walked from the highest mean down. The first one leads; every following one that ``compare``, of the
    leader and all methods below it, finds no difference of, shares its rank; the first one that differs leads
    the next rank. With fewer than two common seeds nothing differs.

    Args:
        column: the runs of each method, none of them empty.
    """
    means = {method: found.mean for method, runs in column.items() if (found := estimate(runs))}

    def p_values(leader: str, others: Sequence[str]) -> dict[str, float]:
        return _p_values({name: column[name] for name in (leader, *others)}, leader)

    return ranked(means, p_values)


def ranked(means: Mapping[str, float], p_values: Callable[[str, Sequence[str]], Mapping[str, float]]) -> dict[str, int]:
    """The ranks of :func:`ranks` by any test.

    Args:
        means: by method.
        p_values: of one method against several others, not corrected; those that cannot be tested are left out.
    """
    order = sorted(means, key=lambda name: (-means[name], name))
    rank_of: dict[str, int] = {}
    rank, below = 0, frozenset(order)
    for place, method in enumerate(order, start=1):
        if method in below:
            adjusted = corrected(p_values(method, order[place:]))
            rank, below = place, frozenset(other for other, p in adjusted.items() if p < SIGNIFICANCE)
        rank_of[method] = rank
    return rank_of


def _p_values(column: Mapping[str, Runs], base: str) -> dict[str, float]:
    """Of the methods that have at least two seeds in common with the base."""
    by_count: dict[int, dict[str, list[float]]] = defaultdict(dict)
    for method, runs in column.items():
        differences, over = paired(runs, column[base])
        if method != base and over == "seeds" and differences:
            by_count[len(differences)][method] = differences
    return {
        method: p
        for rows in by_count.values()
        for method, p in zip(rows, _t_tests(np.array([*rows.values()])).tolist(), strict=True)
    }


def _t_tests(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p that the mean of each row is zero."""
    varied = np.ptp(rows, axis=1) > 0
    p = np.where(rows[:, 0] == 0, 1.0, 2.0 ** (1 - rows.shape[1]))
    if varied.any():
        p[varied] = stats.ttest_1samp(rows[varied], 0, axis=1).pvalue
    return p


def paired_p(runs: Runs, base: Runs) -> float | None:
    """The test of :func:`compare` for one pair, not corrected; None with fewer than two common seeds."""
    return _p_values({"": runs, "base": base}, "base").get("")


def corrected(p: Mapping[Key, float]) -> dict[Key, float]:
    """Several p, corrected for how many they are, as in :func:`compare`."""
    if not p:
        return {}
    order = sorted(p, key=lambda key: p[key])
    with np.errstate(divide="ignore"):  # p of 1: log(0) inside, and 1 again in the end
        steps = -np.expm1(np.arange(len(p), 0, -1) * np.log1p([-p[key] for key in order]))
    return dict(zip(order, np.maximum.accumulate(steps).tolist(), strict=True))


def corrected_within(p: Mapping[Key, float], family: Callable[[Key], object]) -> dict[Key, float]:
    """The same within each family of tests."""
    families: dict[object, dict[Key, float]] = defaultdict(dict)
    for key, value in p.items():
        families[family(key)][key] = value
    return {key: value for members in families.values() for key, value in corrected(members).items()}
