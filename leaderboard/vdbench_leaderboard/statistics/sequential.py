"""Looking several times: paired tests whose chance of any false finding over all looks is the one that was allowed.

Who adds seeds until something is significant, and tests at 5 % each time, finds a difference in far more than 5 % of
the cases where there is none. Here the looks are set beforehand, and each spends a part of the 5 %: after a share ``t``
of the largest number of seeds ``alpha * t^RHO`` has been spent, a power family of spending functions (Kim and DeMets,
Design and analysis of group sequential tests based on the type I error spending rate function, Biometrika 1987).

The p below which a look's t-test stops the search follows from the distribution of Student's t over the looks. Without
a difference it depends on nothing but the numbers of seeds, so it is found once, from normal numbers that are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from scipy import stats

RHO = 1.5
"""How the allowed error is spent: 1 evenly over seeds, more means later."""
PATHS = 400_000
"""Drawn sequences of differences, from which levels are read."""
AT_ONCE = 50_000
"""Of these, how many are in memory."""
HOPE = 0.2
"""A search ends without a finding where the chance of one by the last look is smaller."""
BEFORE_HOPE = 5
"""Seeds that are always waited for before hope is given up: fewer say too little about the standard deviation."""

State = Literal["told", "open", "beyond hope", "not told"]
"""A difference was found; it may still be; it hardly will be; it was not, and no look is left."""


@dataclass(frozen=True)
class Look:
    """What a comparison showed at one look.

    Attributes:
        seeds: pairs that it rests on.
        mean: of the differences, in points.
        low: lower end of an interval that holds the difference at every look.
        high: its upper end.
        p: of the paired t-test.
        level: the p below which this look tells the methods apart.
        state: what follows.
    """

    seeds: int
    mean: float
    low: float
    high: float
    p: float
    level: float
    state: State

    @property
    def half_width(self) -> float:
        """Of the interval, in points."""
        return (self.high - self.low) / 2


@cache
def levels(looks: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    """For each look the p below which it stops, so that all of them together stop falsely with chance ``alpha``.

    Args:
        looks: increasing numbers of seeds, each at least 2.
        alpha: the error that is allowed.
    """
    p = _null_p_values(looks)
    going = np.ones(PATHS, dtype=bool)
    found: list[float] = []
    spent = 0
    for index, seeds in enumerate(looks):
        allowed = round(PATHS * alpha * (seeds / looks[-1]) ** RHO)
        left = np.sort(p[going, index])
        level = float(left[allowed - spent]) if allowed > spent else 0.0
        stopped = going & (p[:, index] < level)
        spent += int(stopped.sum())
        going &= ~stopped
        found.append(level)
    return tuple(found)


@cache
def _null_p_values(looks: tuple[int, ...]) -> np.ndarray:
    """P of the t-test at each look, of differences without a mean: ``(PATHS, looks)``."""
    rng = np.random.default_rng(0)
    parts = []
    for start in range(0, PATHS, AT_ONCE):
        draws = rng.standard_normal((min(AT_ONCE, PATHS - start), looks[-1]))
        sums, squares = draws.cumsum(axis=1), (draws**2).cumsum(axis=1)
        columns = []
        for seeds in looks:
            mean = sums[:, seeds - 1] / seeds
            std = np.sqrt((squares[:, seeds - 1] - seeds * mean**2) / (seeds - 1))
            columns.append(2 * stats.t.sf(np.abs(mean) * np.sqrt(seeds) / std, seeds - 1))
        parts.append(np.stack(columns, axis=1))
    return np.concatenate(parts)


def look(
    differences: Sequence[float],
    looks: tuple[int, ...],
    alpha: float,
    *,
    beside: float | None = None,
    to_the_end: bool = False,
) -> Look:
    """What the first look that stops shows, or else the last look that has its seeds.

    Args:
        differences: by seed, in the order of seeds; at least as many as the first look has.
        looks: see :func:`levels`.
        alpha: the error that is allowed to all looks of this comparison.
        beside: the same for its intervals, which are to hold together with those of other comparisons; ``alpha`` where
            left out.
        to_the_end: give the last look that has its seeds, whatever earlier ones found: who wants an interval of some
            width goes on after the methods are told apart.

    Raises:
        ValueError: there are fewer seeds than the first look takes.
    """
    if len(differences) < looks[0]:
        raise ValueError(f"the first look takes {looks[0]} seeds, and there are {len(differences)}")
    own, widths = levels(looks, alpha), levels(looks, alpha if beside is None else beside)
    values = np.asarray(differences, dtype=np.float64)
    taken = [each for each in zip(looks, own, widths, strict=True) if each[0] <= len(values)]
    if to_the_end:
        taken = taken[-1:]
    shown = [_one(values[:seeds], level, width, looks, own[-1]) for seeds, level, width in taken]
    return next((found for found in shown if found.state != "open"), shown[-1])


def _one(values: np.ndarray, level: float, width: float, looks: tuple[int, ...], last_level: float) -> Look:
    seeds, mean, std = len(values), float(values.mean()), float(values.std(ddof=1))
    if std == 0:  # nothing to test with: signs are flipped, as in every table
        p, half = 1.0 if mean == 0 else 2.0 ** (1 - seeds), 0.0
    else:
        error = std / np.sqrt(seeds)
        p = float(2 * stats.t.sf(abs(mean) / error, seeds - 1))
        half = float(stats.t.isf(width / 2, seeds - 1) * error)
    state: State = "told" if p < level else "not told" if seeds == looks[-1] else "open"
    if state == "open" and seeds >= BEFORE_HOPE and _chance(mean, std, seeds, looks[-1], last_level) < HOPE:
        state = "beyond hope"
    return Look(seeds, mean, mean - half, mean + half, p, level, state)


def _chance(mean: float, std: float, seeds: int, most: int, level: float) -> float:
    """Of a finding at the last look, by what was seen so far alone.

    The predictive power of Spiegelhalter, Freedman and Blackburn (Monitoring clinical trials: conditional or predictive
    power?, Controlled Clinical Trials 1986), with nothing known of mean and standard deviation beforehand.
    """
    if std == 0:
        return float(mean != 0)
    needed = stats.t.isf(level / 2, most - 1) * std / np.sqrt(most)
    error = std * np.sqrt(1 / seeds - 1 / most)
    return float(stats.t.sf((needed - mean) / error, seeds - 1) + stats.t.sf((needed + mean) / error, seeds - 1))
