"""Label-robust and augmentation-robust scores of DD-Ranking (arXiv 2505.13300), on accuracies as fractions.

What is asked of a distilled set: how little it loses against the full data once its soft labels are gone (HLR), and
how much it gains over random real clips under the same recipe (IOR). Percentages in the exponents would make nonsense
of both scores, so values outside the range of fractions are refused.
"""

from __future__ import annotations

import math


def hlr(full: float, distilled: float) -> float:
    """Hard label recovery: how far a distilled set falls behind the full data, both with hard labels.

    Args:
        full: accuracy with the full data, a fraction.
        distilled: accuracy with the distilled set, a fraction.

    Returns:
        The difference, -1 to 1; smaller is better.

    Raises:
        ValueError: an accuracy is no fraction.
    """
    return _fraction(full) - _fraction(distilled)


def ior(distilled: float, random: float) -> float:
    """Improvement over random: what a distilled set gains over as many random real clips under the same recipe.

    Args:
        distilled: accuracy with the method's own labels and recipe, a fraction.
        random: accuracy with random real clips of the same IPC, a fraction.

    Returns:
        The difference, -1 to 1; larger is better.

    Raises:
        ValueError: an accuracy is no fraction.
    """
    return _fraction(distilled) - _fraction(random)


def lrs(ior: float, hlr: float, w: float = 0.5) -> float:
    """Label-robust score ``(e^a - e^-1) / (e - e^-1)`` of ``a = w IOR - (1 - w) HLR``.

    Args:
        ior: improvement over random, a difference of fractions.
        hlr: hard label recovery, a difference of fractions.
        w: weight of the former.

    Returns:
        A score, 0 to 1; larger is better. 0.2689 is a set that is worth its random clips and loses nothing.

    Raises:
        ValueError: a value is out of range.
    """
    return _score(_fraction(w) * _gap(ior) - (1 - w) * _gap(hlr))


def ars(gain_augmented: float, gain_plain: float, g: float = 0.5) -> float:
    """Augmentation-robust score: the same form of ``b = g * gain_augmented + (1 - g) * gain_plain``.

    Args:
        gain_augmented: accuracy over that of random real clips, both trained with augmentation; of fractions.
        gain_plain: the same without augmentation.
        g: weight of the former.

    Returns:
        A score, 0 to 1; larger is better.

    Raises:
        ValueError: a value is out of range.
    """
    return _score(_fraction(g) * _gap(gain_augmented) + (1 - g) * _gap(gain_plain))


def _score(exponent: float) -> float:
    least = math.exp(-1)
    return (math.exp(exponent) - least) / (math.e - least)


def _fraction(value: float) -> float:
    return _within(value, 0)


def _gap(value: float) -> float:
    return _within(value, -1)


def _within(value: float, least: int) -> float:
    if not least <= value <= 1:  # also refuses NaN
        raise ValueError(f"{value:g} is not within {least} and 1; accuracies and weights are fractions, not percent")
    return value
