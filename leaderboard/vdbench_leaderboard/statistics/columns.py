"""The methods at one place of a leaderboard, and their tests under either question.

Tables, verdicts and sentences ask a column, and need not know which test answers: the paired t-test over seeds, which
speaks of these test clips, or the two-way interval, which speaks of others of this kind as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from scipy import stats

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes, told
from vdbench_leaderboard.statistics.comparisons import Comparison, compare, corrected, ranked, ranks
from vdbench_leaderboard.statistics.estimates import Estimate, Runs, difference, estimate
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Interval, Question


class Column(Protocol):
    """The methods at one place, which share their seeds and test clips."""

    @property
    def question(self) -> Question:
        """Of which seeds and clips intervals and tests speak."""

    @property
    def means(self) -> Mapping[str, Estimate]:
        """Top-1 in percent by method, with its interval."""

    def against(self, base: str) -> dict[str, Comparison]:
        """Every other method compared with one of them, corrected for all of them together."""

    def ranks(self) -> dict[str, int]:
        """Competition ranks, where those that do not differ significantly from the first of them share one."""

    def ends(self, method: str, base: str, error: float) -> tuple[float, float] | None:
        """The interval of a difference that misses in such a share of cases; None where nothing can be tested."""


@dataclass(frozen=True)
class SeedColumn:
    """On these test clips, with other seeds.

    Attributes:
        runs: by method.
    """

    runs: Mapping[str, Runs]
    question: Question = THESE

    @cached_property
    def means(self) -> Mapping[str, Estimate]:
        """Mean, standard deviation and Student's interval."""
        return {method: found for method, runs in self.runs.items() if (found := estimate(runs))}

    def against(self, base: str) -> dict[str, Comparison]:
        """By the paired t-test."""
        return compare(self.runs, base)

    def ranks(self) -> dict[str, int]:
        """By the paired t-test."""
        return ranks(self.runs)

    def ends(self, method: str, base: str, error: float) -> tuple[float, float] | None:
        """Student's interval of the paired differences."""
        found = difference(self.runs[method], self.runs[base])
        if found is None or found.std is None or found.over != "seeds":
            return None
        half = float(stats.t.isf(error / 2, found.repeats - 1)) * found.std / math.sqrt(found.repeats)
        return found.mean - half, found.mean + half


@dataclass(frozen=True, eq=False)
class ClipColumn:
    """On other clips of this kind, with other seeds.

    Attributes:
        outcomes: by method, all on the same test set.
    """

    outcomes: Mapping[str, ClipOutcomes]
    question: Question = OTHERS
    _found: dict[tuple[str, str], Interval | None] = field(default_factory=dict)

    @cached_property
    def means(self) -> Mapping[str, Estimate]:
        """Mean and two-way interval of the methods with at least two seeds."""
        every = {method: told(one.interval(), len(one.won)) for method, one in self.outcomes.items()}
        return {method: found for method, found in every.items() if found is not None}

    def against(self, base: str) -> dict[str, Comparison]:
        """By the two-way test."""
        others = [method for method in self.outcomes if method != base]
        p = self._p_values(base, others)
        adjusted = corrected(p)
        found = {method: told(self._difference(method, base), self._common(method, base)) for method in others}
        return {method: Comparison(one, p.get(method), adjusted.get(method)) for method, one in found.items()}

    def ranks(self) -> dict[str, int]:
        """By the two-way test."""
        return ranked({method: found.mean for method, found in self.means.items()}, self._p_values)

    def ends(self, method: str, base: str, error: float) -> tuple[float, float] | None:
        """The two-way interval of the paired differences."""
        found = self.outcomes[method].parts(self.outcomes[base])
        if found is None:
            return None
        mean, half = float(found.mean), float(found.half_width(error=error))
        return mean - half, mean + half

    def _p_values(self, base: str, others: Sequence[str]) -> dict[str, float]:
        found = {method: self._difference(method, base) for method in others}
        return {method: one.p for method, one in found.items() if one is not None and one.p is not None}

    def _difference(self, method: str, base: str) -> Interval | None:
        """Kept, since tables, ranks and sentences ask again."""
        if (method, base) not in self._found:
            self._found[method, base] = self.outcomes[method].against(self.outcomes[base])
        return self._found[method, base]

    def _common(self, method: str, base: str) -> int:
        return len(self.outcomes[method].won.keys() & self.outcomes[base].won.keys())
