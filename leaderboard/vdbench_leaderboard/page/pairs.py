"""Every two methods compared, wherever both were run: what the page shows of the two that a reader chooses."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from vdbench_leaderboard.page.explorer import packed
from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes, told
from vdbench_leaderboard.statistics.comparisons import compare, corrected_within, direction
from vdbench_leaderboard.tables import formats, verdict_words
from vdbench_leaderboard.tables.boards import BASELINE, FULL

if TYPE_CHECKING:
    from vdbench_leaderboard.page.gallery import Clips
    from vdbench_leaderboard.statistics.estimates import Estimate, Runs
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Budget, Group
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.verdicts import Verdict

MOST = 30_000
"""Comparisons on a page, those over whole data sets first: each takes some thirty bytes."""


class Compared(NamedTuple):
    """Two methods at one place.

    Attributes:
        difference: of the first less the second, in points.
        p: of the paired t-test, or the two-way test, corrected; None with fewer than two common seeds.
    """

    difference: Estimate
    p: float | None


Pair = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """Where methods are compared.

    Attributes:
        group: suite, protocol and data.
        student: its title; None where students are averaged.
        budget: as it is shown; None where budgets are averaged.
        about: what is averaged, or sets the group apart from others of its name, in words.
        column: runs by method.
        bounds: methods without a budget, which stand beside the column.
        base: ``random``, where it is there.
        outcomes: outcomes per clip of those methods of either kind that keep them.
    """

    group: Group
    student: str | None
    budget: str | None
    about: str
    column: Mapping[str, Runs]
    bounds: Mapping[str, Runs]
    base: str | None
    outcomes: Mapping[str, ClipOutcomes]

    @property
    def pairs(self) -> int:
        """How many comparisons there are."""
        return math.comb(len(self.column) + len(self.bounds), 2)

    def compared(self) -> dict[Pair, Compared]:
        """Every two methods, the first in the alphabet first, on these test clips.

        Those with ``random`` are corrected together, as in the tables; so are those of the other methods, any two of
        which a reader may choose, and those with a method without a budget.
        """
        everything = {**self.column, **self.bounds}
        names = sorted(everything)
        found = {
            (first, second): one
            for at, second in enumerate(names)
            for first, one in compare({name: everything[name] for name in names[: at + 1]}, second).items()
        }
        adjusted = corrected_within({pair: one.p for pair, one in found.items() if one.p is not None}, self._family)
        return {pair: Compared(one.difference, adjusted.get(pair)) for pair, one in found.items() if one.difference}

    def on_other_clips(self) -> dict[Pair, Compared]:
        """The same on other clips of this kind, of the methods whose outcomes are known."""
        found = {
            (first, second): (interval, len(self.outcomes[first].won.keys() & self.outcomes[second].won.keys()))
            for first, second in combinations(sorted(self.outcomes), 2)
            if (interval := self.outcomes[first].against(self.outcomes[second])) is not None
        }
        p = {pair: one.p for pair, (one, _) in found.items() if one.p is not None}
        adjusted = corrected_within(p, self._family)
        every = {pair: told(one, seeds) for pair, (one, seeds) in found.items()}
        return {pair: Compared(one, adjusted.get(pair)) for pair, one in every.items() if one is not None}

    def _family(self, pair: Pair) -> str:
        if any(method in self.bounds for method in pair):
            return "bounds"
        return "base" if self.base in pair else "others"


def places(boards: Sequence[Board], verdicts: Sequence[Verdict], outcomes: Outcomes) -> list[Place]:
    """Data sets as a whole first, then every column of every table, as long as their comparisons fit the page."""
    found = [_overall(verdict) for verdict in verdicts]
    found += [_column(board, budget, outcomes) for board in boards for budget in board.budgets]
    kept, left = [], MOST
    for place in found:
        left -= place.pairs
        if left >= 0:
            kept.append(place)
    return kept


def _overall(verdict: Verdict) -> Place:
    outcomes = dict(verdict.clips.outcomes) if verdict.clips else {}
    return Place(
        *(verdict.group, None, None, verdict_words.averaged(verdict), verdict.column),
        bounds={FULL: verdict.full} if verdict.full else {},
        base=verdict.base,
        outcomes=outcomes | ({FULL: verdict.full_clips} if verdict.full_clips else {}),
    )


def _column(board: Board, budget: Budget, outcomes: Outcomes) -> Place:
    cells = [cell for cell in board.cells if cell.runs and cell.budget in (budget, None)]
    known = {cell.method: outcomes.of(cell) for cell in cells}
    return Place(
        *(board.group, board.student.name, str(budget)),
        about=board.heading.partition(board.group.evaluated_on)[2].strip(" ·"),
        column={cell.method: cell.runs for cell in cells if cell.budget == budget},
        bounds={cell.method: cell.runs for cell in cells if cell.budget is None},
        base=next((s.cell.method for s in board.standings if s.cell.any_result.label == BASELINE), None),
        outcomes={method: one for method, one in known.items() if one is not None},
    )


def payload(places: Sequence[Place], clips: Mapping[str, Mapping[str, Clips]]) -> dict[str, Any]:
    """What the page's script shows: no number is formatted there, and texts are packed as in the list of all results.

    Args:
        places: where methods are compared.
        clips: what can be seen of a method, by data set and method.

    Returns:
        ``places``, each with its suite, data set, student, budget and what is averaged; ``methods``; ``clips``; and
        ``pairs``, each the places of its two methods in ``methods`` and rows of: the place, the difference of the first
        less the second in points, its 95 % interval, p after correction, ``up`` or ``down`` where that is significant
        over at least three seeds, and what was paired; then, where outcomes are known, interval, p and side on other
        clips of this kind.
    """
    methods = sorted({method for place in places for method in (*place.column, *place.bounds)})
    found: dict[Pair, list[list[Any]]] = defaultdict(list)
    for number, place in enumerate(places):
        elsewhere = place.on_other_clips()
        for pair, compared in place.compared().items():
            other = _tested(elsewhere[pair]) if pair in elsewhere else []
            found[pair].append([number, *_row(compared), *other])
    texts: dict[str, int] = {}
    where = [
        [place.group.suite, place.group.dataset_title, place.student, place.budget, place.about] for place in places
    ]
    pairs = [
        [methods.index(first), methods.index(second), packed(rows, texts)]
        for (first, second), rows in sorted(found.items())
    ]
    return {"places": where, "methods": methods, "clips": clips, "pairs": pairs, "texts": list(texts)}


def _row(compared: Compared) -> list[str]:
    difference = compared.difference
    over = "seeds" if difference.over == "seeds" else "networks of one seed"
    return [formats.points(difference.mean), *_tested(compared), f"{difference.repeats} {over}"]


def _tested(compared: Compared) -> list[str]:
    """Interval, p and side."""
    return [formats.interval(compared.difference), formats.probability(compared.p), direction(*compared)]
