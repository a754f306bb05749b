"""A learning rate over time that training loops share."""

from __future__ import annotations

import math
from functools import cache


@cache
def warmed(lr: float, rise: int, count: int) -> tuple[float, ...]:
    """A linear rise from a hundredth of a rate, chained with half a cosine down to a hundredth of it.

    Each rate is the one before it, times what the line grows by, and of that the part above a hundredth of ``lr``
    times what the cosine falls by. Where the rise takes longer than ``count``, ``lr`` is never come near to.

    Args:
        lr: where the line leads.
        rise: updates until then.
        count: updates there are, over which the cosine falls.
    """
    least = lr / 100
    rates = [least]
    for now in range(1, count):
        grown = rates[-1] * _line(now, rise) / _line(now - 1, rise)
        fall = (1 + math.cos(math.pi * now / count)) / (1 + math.cos(math.pi * (now - 1) / count))
        rates.append(least + (grown - least) * fall)
    return tuple(rates)


def _line(now: int, rise: int) -> float:
    return 1.0 if now >= rise else 0.01 + 0.99 * now / rise
