"""Which method to use, for each suite and data set, as far as tests tell; in words it is in ``verdict_words.py``.

Students and budgets are averaged seed by seed, so that one column of runs decides for a data set. Methods are tested
against ``random`` together, and the leader against the others, as in every table. A verdict is one on these test clips;
where results keep outcomes per clip, there is a second one on other clips of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes, mean_of, told
from vdbench_leaderboard.statistics.columns import Column, SeedColumn
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS, Estimate, Runs, average, estimate
from vdbench_leaderboard.statistics.power import more_seeds
from vdbench_leaderboard.tables.blocks import blocks_of, usual
from vdbench_leaderboard.tables.boards import BASELINE, FULL
from vdbench_leaderboard.tables.outcomes import Outcomes, column

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.columns import ClipColumn
    from vdbench_leaderboard.statistics.comparisons import Comparison, Direction
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Budget, Group

Kind = Literal["best", "only", "several", "ahead", "behind", "few seeds", "no baseline", "nothing"]
BEST_ROWS = 3
"""Methods that the short table shows, even if no test favours them."""
MOST_ROWS = 6
"""Methods that it shows at most, where many are better than random."""


class Line(NamedTuple):
    """A row of the short table.

    Attributes:
        method: the label.
        top1: in percent, averaged over students and budgets.
        versus: compared with ``random``; None of ``random`` itself and of ``full``.
        role: what a control is there for; empty for a method.
    """

    method: str
    top1: Estimate
    versus: Comparison | None
    role: str


@dataclass(frozen=True)
class Verdict:
    """What can be said of the methods of one suite on one data set.

    Attributes:
        group: suite, protocol and data.
        heading: the group's name, unique on the leaderboard.
        boards: those whose students are averaged.
        at_chance: students that are left out, because even ``full`` leaves them near chance.
        budgets: those that are averaged.
        column: runs of the methods that have all of these, and are stored as ``random`` is.
        lacking: other methods.
        base: the label of ``random``; None where it has not all budgets.
        full: runs of ``full``; None where some student lacks it.
        clips: the methods on other clips of this kind; None where some outcomes are not known.
        full_clips: the same of ``full``.
        asked: what answers; the runs, on these test clips, where it is None.
    """

    group: Group
    heading: str
    boards: tuple[Board, ...]
    at_chance: tuple[str, ...]
    budgets: tuple[Budget, ...]
    column: Mapping[str, Runs]
    lacking: tuple[str, ...]
    base: str | None
    full: Runs | None
    clips: ClipColumn | None
    full_clips: ClipOutcomes | None
    asked: Column | None = None

    @property
    def on_other_clips(self) -> Verdict | None:
        """The same, with intervals and tests that speak of other clips of this kind; None where outcomes lack."""
        return replace(self, asked=self.clips) if self.clips is not None else None

    @property
    def on_these_clips(self) -> Verdict | None:
        """The same on these test clips; None where this is it."""
        return replace(self, asked=None) if self.asked is not None else None

    @property
    def of_one_seed(self) -> bool:
        """Whether some method has a single seed, from which no interval on other clips follows."""
        return any(len(runs) == 1 for runs in self.column.values())

    @cached_property
    def tests(self) -> Column:
        """The methods and their tests."""
        return self.asked or SeedColumn(self.column)

    @cached_property
    def means(self) -> dict[str, Estimate]:
        """Top-1 in percent by method, the best first."""
        return dict(sorted(self.tests.means.items(), key=lambda item: (-item[1].mean, item[0])))

    @property
    def methods(self) -> list[str]:
        """All but ``random``, the best mean first."""
        return [method for method in self.means if method != self.base]

    @cached_property
    def comparisons(self) -> dict[str, Comparison]:
        """Every method against ``random``, corrected for all of them; empty without it."""
        return self.tests.against(self.base) if self.base is not None else {}

    @cached_property
    def better(self) -> list[str]:
        """Methods that at least three seeds show to be better than ``random``, the best mean first."""
        return self._gone("up")

    @cached_property
    def worse(self) -> list[str]:
        """Methods that at least three seeds show to be worse."""
        return self._gone("down")

    def _gone(self, direction: Direction) -> list[str]:
        found = self.comparisons
        return [method for method in self.methods if method in found and found[method].direction == direction]

    @cached_property
    def first(self) -> list[str]:
        """Those that share the first rank, the best mean first."""
        rank = self.tests.ranks()
        return [method for method in self.means if rank[method] == 1]

    @cached_property
    def recommended(self) -> list[str]:
        """Of those that are better, the ones that are not told apart from the highest mean; all of them if none is."""
        return [method for method in self.better if method in self.first] or self.better

    @property
    def leader(self) -> str | None:
        """The method with the highest mean, whether or not that is chance; None where only ``random`` was run."""
        return self.methods[0] if self.methods else None

    @cached_property
    def kind(self) -> Kind:
        """What can be said.

        ``best`` of a method that is better than all others, ``only`` of one that is better than ``random`` alone,
        ``several`` of more; ``ahead`` where a method leads and may do so by chance, ``behind`` where none leads;
        ``few seeds``, ``no baseline`` and ``nothing`` where there is nothing to test.
        """
        if self.leader is None:
            return "nothing"
        if self.base is None:
            return "no baseline"
        if self.seeds < FEW_SEEDS:
            return "few seeds"
        if not self.better:
            lead = self.comparisons[self.leader].difference
            return "ahead" if lead and lead.mean > 0 else "behind"
        if len(self.recommended) > 1:
            return "several"
        return "best" if self.first == self.recommended else "only"

    @property
    def reconstructions(self) -> set[str]:
        """Methods that are rebuilt from a description."""
        return {cell.method for board in self.boards for cell in board.cells if cell.reconstruction}

    @property
    def seeds(self) -> int:
        """The most seeds that some method has in common with ``random``; 0 where nothing is repeated."""
        found = [c.difference for c in self.comparisons.values() if c.difference and c.difference.over == "seeds"]
        return max((difference.repeats for difference in found), default=0)

    @cached_property
    def more_seeds(self) -> int | None:
        """How many seeds it would take in addition to show that the leader's lead over ``random`` is no chance.

        Were the lead as large as it looks, the corrected test would then find it four times out of five. None where
        nothing leads or nothing is known of its spread, and on other clips of this kind: more seeds are no more clips.
        """
        lead = self.comparisons[self.leader].difference if self.leader in self.comparisons else None
        if lead is None or lead.mean <= 0:
            return None
        return more_seeds(lead, sum(c.p is not None for c in self.comparisons.values()))

    @property
    def top(self) -> Estimate | None:
        """What ``full`` reaches, in percent; None where some student lacks it."""
        if self.asked is not None and self.full_clips is not None:
            return told(self.full_clips.interval(), len(self.full_clips.won))
        return estimate(self.full) if self.full is not None else None

    @property
    def lines(self) -> list[Line]:
        """The short table: the best methods, then ``random`` and ``full``."""
        count = max(BEST_ROWS, min(len(self.recommended), MOST_ROWS))
        order = {method: None for method in (*self.recommended, *self.methods)}
        best = sorted([*order][:count], key=self.methods.index)
        lines = [Line(method, self.means[method], self.comparisons.get(method), "") for method in best]
        if self.base is not None:
            lines.append(Line(self.base, self.means[self.base], None, "picked at random"))
        if (top := self.top) is not None:
            beaten = any(top1.mean > top.mean for top1 in self.means.values())
            lines.append(Line(FULL, top, None, "all train clips" if beaten else "all train clips, upper bound"))
        return lines


def verdicts(boards: Sequence[Board], outcomes: Outcomes) -> list[Verdict]:
    """One per suite and data set, in the order of the tables; none where every student is at chance."""
    groups = [tuple(members) for _, members in groupby(boards, key=lambda board: board.group)]
    return [found for members in groups if (found := _verdict(members, outcomes))]


def _verdict(members: Sequence[Board], outcomes: Outcomes) -> Verdict | None:
    boards = tuple(board for board in members if not board.at_chance)
    blocks = usual(blocks_of(boards)) if boards else []
    if not blocks:
        return None
    every = {row.method: row.shown[0].cell.any_result for board in members for row in board.rows}
    complete = [method for method in blocks[0].runs if all(method in block.runs for block in blocks)]
    base = min((method for method in complete if every[method].label == BASELINE), default=None)
    alike = [m for m in complete if base is None or every[m].codec == every[base].codec]
    full = [board.full_cell for board in boards if board.full_cell]
    budgets = tuple(block.budget for block in blocks)
    return Verdict(
        group=boards[0].group,
        heading=boards[0].heading,
        boards=boards,
        at_chance=tuple(board.student.name for board in members if board.at_chance),
        budgets=budgets,
        column={method: average([block.runs[method] for block in blocks]) for method in alike},
        lacking=tuple(sorted(every.keys() - set(alike))),
        base=base,
        full=average([cell.runs for cell in full]) if len(full) == len(boards) else None,
        clips=_clips(boards, budgets, alike, outcomes),
        full_clips=mean_of([outcomes.of(cell) for cell in full]) if len(full) == len(boards) else None,
    )


def _clips(
    boards: Sequence[Board], budgets: Sequence[Budget], methods: Sequence[str], outcomes: Outcomes
) -> ClipColumn | None:
    """The methods of a verdict, students and budgets averaged seed by seed."""
    cells = [cell for board in boards for cell in board.cells if cell.budget in budgets]
    known = {name: mean_of([outcomes.of(cell) for cell in cells if cell.method == name]) for name in methods}
    return column({name: found for name, found in known.items() if found is not None}, len(methods))
