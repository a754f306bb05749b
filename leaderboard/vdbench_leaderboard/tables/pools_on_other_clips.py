"""Differences between pools on other clips of this kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes, mean_of, told
from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.two_way import Interval
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.pools import Factorial, Gap, Mean, Pair, Selector


def on_other_clips(factorial: Factorial, outcomes: Outcomes) -> Factorial | None:
    """A table of pools with differences that speak of other clips, and tests that are corrected together.

    Returns:
        None where the outcomes of some pair are not known.
    """
    pairs = {(row, at): p for row, s in enumerate(factorial.selectors) for at, p in enumerate(s.pairs) if p.gap}
    found = {key: _difference([pair], outcomes) for key, pair in pairs.items()}
    known = {key: one for key, one in found.items() if one is not None}
    if not known or len(known) < len(found):
        return None
    adjusted = corrected({key: one.p for key, one in known.items() if one.p is not None})

    def pair_at(pair: Pair, key: tuple[int, int]) -> Pair:
        gap = _gap(pair.gap, known.get(key), significant=adjusted.get(key, 1.0) < SIGNIFICANCE)
        return replace(pair, gap=gap)

    selectors = tuple(
        replace(selector, pairs=tuple(pair_at(pair, (row, at)) for at, pair in enumerate(selector.pairs)))
        for row, selector in enumerate(factorial.selectors)
    )
    means = {
        label: tuple(_mean(mean, place, factorial.selectors, label, outcomes) for place, mean in enumerate(row))
        for label, row in factorial.means.items()
    }
    return replace(factorial, selectors=selectors, means=means)


def _mean(mean: Mean, place: int, selectors: Sequence[Selector], label: str, outcomes: Outcomes) -> Mean:
    own = [s.pairs[place] for s in selectors if f"mean {s.generator}".strip() == label]
    found = _difference([pair for pair in own if pair.complete], outcomes)
    return replace(mean, gap=_gap(mean.gap, found, significant=False))


def _difference(pairs: Sequence[Pair], outcomes: Outcomes) -> Interval | None:
    """Generated less real, averaged over pairs."""
    sides: list[ClipOutcomes | None] = []
    for name in ("generated", "real"):
        standings = [getattr(pair, name) for pair in pairs]
        sides.append(mean_of([outcomes.of(standing.cell) if standing else None for standing in standings]))
    generated, real = sides
    return generated.against(real) if generated is not None and real is not None else None


def _gap(gap: Gap | None, found: Interval | None, *, significant: bool) -> Gap | None:
    if gap is None:
        return None
    return replace(gap, value=told(found, gap.seeds), significant=significant and not gap.few)
