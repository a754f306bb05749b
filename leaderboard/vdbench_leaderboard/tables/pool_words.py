"""Generated pools in words: how one was made, and differences between selectors on real and on generated clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.storage.text import counted
from vdbench_leaderboard.tables.formats import NOTHING, points

if TYPE_CHECKING:
    from vdbench.records import PoolRecord
    from vdbench_leaderboard.tables.pools import Factorial, Gap, Mean

SIGNIFICANT_MARK = "*"
"""Of a significant difference between pools."""


def sampled(value: PoolRecord | None) -> str:
    """How a pool was made, in short: ``latte, 40 clips per class, 25 steps, guidance 3, saw train``."""
    if value is None:
        return NOTHING
    how = f"{counted(value.per_class, 'clip')} per class, {counted(value.steps, 'step')}, guidance {value.guidance:g}"
    return f"{value.generator}, {how}, saw {value.saw}"


def gap(value: Gap | None) -> str:
    """A difference between pools, starred where it is significant: ``+5.0 *``."""
    if value is None or value.value is None:
        return NOTHING
    return points(value.value.mean) + f" {SIGNIFICANT_MARK}" * value.significant


def gap_remarks(value: Gap | None) -> list[str]:
    """What keeps a reader from taking a difference as it is: ``1 common seed``, ``not at equal bytes``."""
    if value is None:
        return []
    seeds = f"{value.seeds or 'no'} common seed{'' if value.seeds == 1 else 's'}"
    return [seeds] * value.few + ["not at equal bytes"] * (not value.equal_bytes)


def mean_remarks(value: Mean) -> list[str]:
    """The same of a mean over selectors: ``3 of 4 selectors`` where some are incomplete."""
    some = value.selectors < value.candidates
    return [f"{value.selectors} of {value.candidates} selectors"] * some + gap_remarks(value.gap)


def remarks(factorial: Factorial) -> list[str]:
    """What a reader of the table of both pools should know, as sentences."""
    unequal, single = ", ".join(factorial.unequal), ", ".join(factorial.one_sided)
    return [f"Not at equal bytes, so Δ is not due to the pool alone: {unequal}."] * bool(unequal) + [
        f"Run on one pool only and therefore not shown: {single}."
    ] * bool(single)
