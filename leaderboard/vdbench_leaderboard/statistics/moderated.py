"""Spread that is borrowed: variances of few seeds, moderated by those of the other cells of their block.

A variance of three seeds has two degrees of freedom, and a t-test with these finds little. Where the variances of a
block are draws of one distribution, a scaled inverse chi-square with ``d0`` degrees of freedom about ``s0^2``, each
cell gains ``d0`` of them: its variance becomes ``(d0 s0^2 + d s^2) / (d0 + d)``, with ``d0 + d`` degrees of freedom
(Smyth, Linear models and empirical Bayes methods for assessing differential expression, SAGMB 2004). ``d0`` and
``s0^2`` come from mean and variance of ``log s^2``.

Genes come in thousands, cells in dozens, so that this alone errs in 6 to 8 % of tests where variances are unequal.
Therefore no cell borrows whose variance is too large for what the others say of it; ``s0^2`` is not less than the mean
variance; no variance is made smaller than it is; and a cell gains no more degrees of freedom than the mean variance of
cells has that are compared with one control. ``benchmarks/moderation.py`` counts what errors and power are then; where
variances are unequal, the cell with the largest still errs more often than the others. So no verdict rests on these
tests: they are columns of their own beside the plain ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from scipy import special, stats

from vdbench_leaderboard.statistics.estimates import CONFIDENCE, DECIMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

Key = TypeVar("Key")
FEWEST_CELLS = 8
"""Smaller blocks say too little of what variances are like."""
TOO_LARGE = 0.05
"""Chance that some cell of a sound block is taken for one that is too spread."""
COMMON = 0.5
"""Share of their variance that differences to one control have in common, so that their variances hang together."""
SMALLEST = 1e-5
"""Of the median variance: smaller ones count as this one in logarithms, where scores of all seeds are equal."""


@dataclass(frozen=True)
class Prior:
    """What the variances of a block are like.

    Attributes:
        variance: ``s0^2``, which they scatter about.
        freedom: ``d0``; infinite where they scatter no more than equal ones.
    """

    variance: float
    freedom: float

    def squeeze(self, variance: float, freedom: float) -> float:
        """A variance with so many degrees of freedom, moderated towards this one."""
        if math.isinf(self.freedom):
            return self.variance
        return (self.freedom * self.variance + freedom * variance) / (self.freedom + freedom)

    def chance_above(self, variance: float, freedom: float) -> float:
        """How likely a cell of this block has a larger one."""
        ratio = variance / self.variance
        if math.isinf(self.freedom):
            return float(stats.chi2.sf(ratio * freedom, freedom))
        return float(stats.f.sf(ratio, freedom, self.freedom))


@dataclass(frozen=True)
class Moderated:
    """A mean over seeds, tested with a variance of its block.

    Attributes:
        mean: of the seeds.
        low: lower end of its 95 % interval, on these test clips.
        high: upper end.
        p: of the two-sided test that it is zero.
        variance: of one seed, moderated where it is borrowed.
        freedom: degrees of freedom of that.
        borrowed: whether it is moderated.
    """

    mean: float
    low: float
    high: float
    p: float
    variance: float
    freedom: float
    borrowed: bool


@dataclass(frozen=True)
class Block(Generic[Key]):
    """The cells of a block with at least two seeds.

    Attributes:
        cells: each of them.
        prior: what their variances are moderated towards; None where none is.
        alone: cells whose variance is too large for this block, or all where there is no prior.
    """

    cells: Mapping[Key, Moderated]
    prior: Prior | None
    alone: tuple[Key, ...]


def fit_prior(variances: Sequence[float], freedoms: Sequence[float]) -> Prior:
    """Moments of ``log s^2``, as Smyth gives them; where these scatter no more than equal ones, their pooled mean.

    Args:
        variances: at least two, not negative, not all of them zero.
        freedoms: of each.
    """
    plain, freedom = np.array(variances, dtype=np.float64), np.array(freedoms, dtype=np.float64)
    raised = np.maximum(plain, SMALLEST * max(float(np.median(plain)), SMALLEST * float(plain.max())))
    logs = np.log(raised) - special.digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - special.polygamma(1, freedom / 2).mean())
    if excess <= 0:
        return Prior(float(plain @ freedom / freedom.sum()), math.inf)
    half = trigamma_inverse(excess)
    return Prior(float(np.exp(logs.mean() + special.digamma(half)) / half), 2 * half)


def trigamma_inverse(value: float) -> float:
    """The argument at which the trigamma function has a value above zero: Newton's method on its reciprocal."""
    at = 0.5 + 1 / value
    for _ in range(60):
        there = float(special.polygamma(1, at))
        step = there * (1 - there / value) / float(special.polygamma(2, at))
        at += step
        if abs(step) <= 1e-12 * at:
            break
    return at


def moderate(values: Mapping[Key, Sequence[float]]) -> Block[Key]:
    """Test the means of a block's cells, or their mean paired differences, with moderated variances where one may.

    Args:
        values: the mean of each seed, or its difference, by cell; cells of a single seed are left out.
    """
    found = {key: np.array(some, dtype=np.float64).round(DECIMALS) for key, some in values.items() if len(some) > 1}
    spread = {key: (float(some.var(ddof=1)), len(some) - 1) for key, some in found.items()}
    kept = _alike(spread)
    prior = _prior([spread[key] for key in kept]) if len(kept) >= FEWEST_CELLS else None
    pooled = _pooled_freedom([spread[key][1] for key in kept])
    cells = {}
    for key, some in found.items():
        variance, freedom = spread[key]
        borrowed = prior is not None and key in kept
        if prior is not None and borrowed:
            variance = max(variance, prior.squeeze(variance, freedom))
            cells[key] = _tested(some, variance, min(prior.freedom, pooled) + freedom, borrowed)
        else:
            cells[key] = _tested(some, variance, freedom, borrowed)
    return Block(cells, prior, tuple(key for key, cell in cells.items() if not cell.borrowed))


def _alike(spread: Mapping[Key, tuple[float, int]]) -> frozenset[Key]:
    """The cells whose variance is not too large for the prior of all others, by Bonferroni's bound."""
    if len(spread) < FEWEST_CELLS:
        return frozenset()
    alike = set()
    for key, (variance, freedom) in spread.items():
        prior = _prior([other for name, other in spread.items() if name != key])
        if prior is not None and prior.chance_above(variance, freedom) > TOO_LARGE / len(spread):
            alike.add(key)
    return frozenset(alike)


def _prior(spread: Sequence[tuple[float, int]]) -> Prior | None:
    """Smyth's, about no less than the mean variance; None where nothing varies."""
    variances, freedoms = zip(*spread, strict=True)
    mean = float(np.average(variances, weights=freedoms))
    if mean == 0:
        return None
    fitted = fit_prior(variances, freedoms)
    return Prior(max(fitted.variance, mean), fitted.freedom)


def _pooled_freedom(freedoms: Sequence[int]) -> float:
    """Degrees of freedom of the mean variance of cells that have :data:`COMMON` of it in common, the most there are."""
    if not freedoms:
        return 0.0
    cells = len(freedoms)
    return sum(freedoms) / cells / (1 / cells + COMMON**2 * (1 - 1 / cells))


def _tested(values: NDArray[np.float64], variance: float, freedom: float, borrowed: bool) -> Moderated:
    mean, count = float(values.mean()), len(values)
    error = math.sqrt(variance / count)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    if error > 0:
        p = float(2 * stats.t.sf(abs(mean) / error, freedom))
    else:
        p = 1.0 if mean == 0 else 2.0 ** (1 - count)  # as in comparisons.compare
    return Moderated(mean, mean - half, mean + half, p, variance, freedom, borrowed)
