"""Label-robust and augmentation-robust scores of DD-Ranking (arXiv 2505.13300), on accuracies as fractions.

They ask how little a distilled set loses against the full data without its soft labels (HLR), and how much it gains
over random real clips under the same recipe (IOR). Percentages in the exponents would make nonsense of both scores, so
values outside the range of fractions raise a ``ValueError``.
"""

from __future__ import annotations

import math


def hlr(full: float, distilled: float) -> float:
    """Hard label recovery: accuracy of the full data less that of a distilled set, both with hard labels; -1 to 1."""
    return _within(full, 0) - _within(distilled, 0)


def ior(distilled: float, random: float) -> float:
    """Improvement over random: accuracy less that of as many random real clips, by the method's own recipe; -1 to 1."""
    return _within(distilled, 0) - _within(random, 0)


def lrs(ior: float, hlr: float) -> float:
    """Label-robust score ``(e^a - e^-1) / (e - e^-1)`` of ``a = (IOR - HLR) / 2``, 0 to 1; higher is better.

    0.2689 is a set that equals its random clips and loses nothing.
    """
    return _score((_within(ior, -1) - _within(hlr, -1)) / 2)


def ars(gain_augmented: float, gain_plain: float) -> float:
    """Augmentation-robust score: the same of the mean improvement over random with and without augmentation."""
    return _score((_within(gain_augmented, -1) + _within(gain_plain, -1)) / 2)


def _score(exponent: float) -> float:
    least = math.exp(-1)
    return (math.exp(exponent) - least) / (math.e - least)


def _within(value: float, least: int) -> float:
    if not least <= value <= 1:  # also refuses NaN
        raise ValueError(f"{value:g} is not within {least} and 1; accuracies are fractions, not percent")
    return value
