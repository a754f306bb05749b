"""Intervals that speak of other seeds *and* of other test clips.

Every network answers every test clip, so accuracies have two crossed sources of chance: seeds, and the videos that test
clips were cut from, whose clips are right or wrong together. The variance of a mean over both is that of two-way
clustering, ``V(seeds) + V(sources) - V(seeds and sources)`` (Cameron, Gelbach & Miller, Robust inference with multiway
clustering, JBES 2011; Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007); where the seeds' part comes
out negative, it counts as none. That part has few degrees of freedom, and the sources have many, so the quantile is the
mean of both parts' quantiles of Student's t, weighted by their variances (Cochran, Approximate significance levels of
the Behrens-Fisher test, Biometrics 1964). An accuracy is a share, so its interval is Wilson's with as many independent
clips as give this variance (Korn & Graubard, Survey Methodology 1998; Franco et al., JSSAM 2019): near 100 % others
miss too often. A difference has one to both sides.

Test sets have their classes on purpose, so sources vary within classes: differences between classes are no error.
``benchmarks/coverage.py`` plants two-way variance and counts how often these intervals hold the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import optimize, stats

from vdbench_leaderboard.statistics.estimates import CONFIDENCE, DECIMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

Question = Literal["on these test clips, other seeds", "on other clips of this kind, other seeds"]
THESE: Question = "on these test clips, other seeds"
"""What :func:`vdbench_leaderboard.statistics.estimates.estimate` answers, too."""
OTHERS: Question = "on other clips of this kind, other seeds"
NOTHING = 10.0**-DECIMALS
"""Points below which a width comes from the arithmetic, not from clips."""
LEAST_P = 1e-100
"""Smaller p are told as this one."""


@dataclass(frozen=True)
class Parts:
    """The mean over seeds and clips, and what its error is made of. Numbers, or one array for each of many worlds.

    Attributes:
        mean: of all seeds and clips.
        seeds: variance of the mean by the choice of seeds, on these clips.
        sources: variance of the mean by the choice of sources, with these seeds.
        both: what these two share, the variance by how seeds and sources fit together.
        seed_freedom: degrees of freedom of ``seeds``.
        source_freedom: degrees of freedom of ``sources``, a number or an array.
        answers: seeds times clips.
        independent: how many sources there are.
    """

    mean: Any
    seeds: Any
    sources: Any
    both: Any
    seed_freedom: float
    source_freedom: Any
    answers: int
    independent: int

    @property
    def seeds_alone(self) -> Any:
        """Variance by seeds without what they share with the sources; never below zero."""
        return np.maximum(self.seeds - self.both, 0)

    @property
    def variance(self) -> Any:
        """Of the mean, over other seeds and other sources."""
        return self.seeds_alone + self.sources

    def quantile(self, question: Question, error: float) -> Any:
        """How many standard errors an interval goes to either side to miss in such a share of cases."""
        by_seeds = stats.t.isf(error / 2, self.seed_freedom)
        if question == THESE:
            return by_seeds
        by_sources = stats.t.isf(error / 2, self.source_freedom)
        alone, whole = self.seeds_alone, np.maximum(self.variance, np.finfo(float).tiny)
        return by_sources + (by_seeds - by_sources) * alone / whole

    def half_width(self, question: Question = OTHERS, error: float = 1 - CONFIDENCE) -> Any:
        """Half of an interval of the mean that is as long to both sides."""
        return np.sqrt(self.seeds if question == THESE else self.variance) * self.quantile(question, error)

    def share_ends(self) -> tuple[Any, Any]:
        """The ends of Wilson's 95 % interval of a mean accuracy in percent, over other seeds and sources.

        There are no more independent clips than answers, and where all seeds agree on all of them, as many as sources.
        """
        share, variance = self.mean / 100, self.variance / 1e4
        known = np.minimum(share * (1 - share) / np.maximum(variance, np.finfo(float).tiny), self.answers)
        clips = np.where(self.variance > NOTHING**2, known, self.independent)
        wide = self.quantile(OTHERS, 1 - CONFIDENCE) ** 2 / clips
        middle = (share + wide / 2) / (1 + wide)
        half = np.sqrt(wide * (share * (1 - share) + wide / 4)) / (1 + wide)
        return 100 * (middle - half), 100 * (middle + half)


@dataclass(frozen=True)
class Interval:
    """A mean accuracy or a mean difference in points, and its 95 % interval.

    Attributes:
        mean: of all seeds and clips.
        low: lower end.
        high: upper end.
        p: of the two-sided test that the mean is zero: the error at which the interval ends there; None of an accuracy.
        question: of which other seeds and clips it speaks.
    """

    mean: float
    low: float
    high: float
    p: float | None
    question: Question


def parts(won: NDArray[np.floating[Any]], labels: NDArray[np.int64], sources: NDArray[np.int64]) -> Parts | None:
    """Take the error of a mean apart, or of a mean paired difference: hand in the differences then.

    Sources are weighted by their clips. Sums of squares are unbiased where clips of a source are independent or
    sources are equally large.

    Args:
        won: ``(..., seeds, clips)``, what each seed made of each clip, networks averaged; in percent, or a difference.
        labels: class of each clip, ``(clips,)``.
        sources: number of the source of each clip, counted from 0, ``(clips,)``.

    Returns:
        None where there is a single seed or a single source: nothing can be said of others.
    """
    seeds, clips = won.shape[-2:]
    numbers = np.unique(sources, return_inverse=True)[1]
    strata, members = strata_of(labels, numbers), np.bincount(numbers)
    if seeds < 2 or len(members) < 2:
        return None
    of_each = won.mean(axis=-1)
    rest = won - (_sums(won, strata) / np.bincount(strata))[..., strata]
    shares = _sums(rest, numbers) / clips
    informed = 1 - _leverage(numbers, strata)
    by_source = shares.mean(axis=-2)
    fit = shares - by_source[..., None, :]
    first = np.full(len(members), len(strata))
    np.minimum.at(first, numbers, strata)
    return Parts(
        mean=of_each.mean(axis=-1),
        seeds=of_each.var(axis=-1, ddof=1) / seeds,
        sources=(by_source**2 / informed).sum(axis=-1),
        both=(fit**2 / informed).sum(axis=(-1, -2)) / (seeds - 1) / seeds,
        seed_freedom=seeds - 1,
        source_freedom=_source_freedom(by_source**2 / informed, members, first, strata.max() + 1),
        answers=seeds * clips,
        independent=len(members),
    )


def of_accuracy(found: Parts, question: Question = OTHERS) -> Interval:
    """The interval of a mean accuracy.

    Args:
        found: of numbers, not of arrays.
        question: of which other seeds and clips it is to speak.
    """
    if question == THESE:
        return replace(of_difference(found, THESE), p=None)
    low, high = found.share_ends()
    return Interval(float(found.mean), float(low), float(high), None, OTHERS)


def of_difference(found: Parts, question: Question = OTHERS) -> Interval:
    """The interval and the test of a mean paired difference.

    Where nothing varies there is nothing to test with: p is 1 for a mean of zero, and otherwise that of flipping the
    signs of all seeds, as in :func:`vdbench_leaderboard.statistics.comparisons.compare`.

    Args:
        found: of numbers, not of arrays.
        question: of which other seeds and clips it is to speak.
    """
    mean, half = float(found.mean), float(found.half_width(question))
    return Interval(mean, mean - half, mean + half, _p(found, question), question)


def _p(found: Parts, question: Question) -> float:
    mean = abs(float(found.mean))
    if mean < NOTHING:
        return 1.0
    if float(found.half_width(question)) < NOTHING:
        return float(2.0**-found.seed_freedom)

    def excess(log_p: float) -> float:
        return float(found.half_width(question, math.exp(log_p))) - mean

    least = math.log(LEAST_P)
    return math.exp(float(optimize.brentq(excess, least, 0.0))) if excess(least) > 0 else LEAST_P


def _sums(values: NDArray[np.floating[Any]], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums over the clips of each group: of ``(..., clips)``, ``(..., groups)``."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    return np.asarray(np.add.reduceat(values[..., order], starts, axis=-1, dtype=np.float64))


def _leverage(sources: NDArray[np.int64], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far each source decides the mean of its own stratum, at most 1; averaged over the clips of the source."""
    (source, stratum), clips = np.unique(np.stack([sources, strata]), axis=1, return_counts=True)
    return np.bincount(source, clips**2 / np.bincount(strata)[stratum]) / np.bincount(sources)


def _source_freedom(
    squares: NDArray[np.float64], members: NDArray[np.int64], strata: NDArray[np.int64], number: int
) -> NDArray[np.float64]:
    """Degrees of freedom of a sum of squares of sources, of which some classes may bring more than others.

    They are those of sources whose clips are right or wrong together (Satterthwaite, Biometrics 1946), whose formula
    takes the variances of classes as known: what estimates add to their squares is taken off, and there are no more
    than where all classes vary alike.

    Args:
        squares: of each source, ``(..., sources)``.
        members: clips of each, ``(sources,)``.
        strata: the class of each; the first one where it has clips of several.
        number: of all classes.
    """
    size = members.astype(np.float64) ** 2

    def spread(chosen: NDArray[np.bool_]) -> float:
        return float(size[chosen].sum() ** 2 / (size[chosen] ** 2).sum())

    classes = [strata == own for own in np.unique(strata)]
    of_each = np.array([max(1.0, spread(own) * (1 - 1 / own.sum())) for own in classes])
    alike = spread(strata >= 0) * (1 - number / len(members))
    variances = np.stack([squares[..., own].sum(axis=-1) for own in classes], axis=-1)
    whole, parted = variances.sum(axis=-1) ** 2, (variances**2 / (of_each + 2)).sum(axis=-1)
    found = np.divide(whole, parted, out=np.full_like(whole, alike + 2), where=parted > 0) - 2
    return np.asarray(np.clip(found, min(1.0, alike), alike))


def strata_of(labels: NDArray[np.int64], sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of each clip, numbered, where classes of a single source, which tell nothing of others, are joined."""
    classes, counts = np.unique(np.unique(np.stack([labels, sources]), axis=1)[0], return_counts=True)
    order = classes[np.argsort(counts, kind="stable")]
    take = int((counts == 1).sum())
    while take and take < len(order) and len(np.unique(sources[np.isin(labels, order[:take])])) == 1:
        take += 1
    merged = np.where(np.isin(labels, order[:take]), order[0], labels)
    return np.asarray(np.unique(merged, return_inverse=True)[1], dtype=np.int64)
