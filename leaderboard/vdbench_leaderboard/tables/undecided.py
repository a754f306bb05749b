"""What is told apart already and what is not, by tests that stay valid while seeds are added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE
from vdbench_leaderboard.statistics.estimates import paired
from vdbench_leaderboard.statistics.sequential import Look, look
from vdbench_leaderboard.tables.boards import base_of
from vdbench_leaderboard.tables.cells import gather

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget, Group, Student


@dataclass(frozen=True)
class Question:
    """Whether two methods of a column differ, and what is known of it.

    Attributes:
        group: suite, protocol and data.
        student: the network that judged.
        budget: the column.
        method: one of the two.
        against: the other: ``random``, or the method that leads.
        look: what the search has found so far; None while there are too few seeds for a first look.
        results: ids of the results of both.
    """

    group: Group
    student: Student
    budget: Budget
    method: str
    against: str
    look: Look | None
    results: frozenset[str]

    @property
    def open(self) -> bool:
        """Whether more seeds may answer it."""
        return self.look is None or self.look.state == "open"

    @property
    def told(self) -> bool:
        """Whether the two were told apart."""
        return self.look is not None and self.look.state == "told"

    def wider_than(self, points: float) -> bool:
        """Whether the interval of the difference reaches farther than so many points to either side."""
        return self.look is None or self.look.half_width > points


def questions(results: Iterable[Result], looks: tuple[int, ...], to_the_end: bool = False) -> list[Question]:
    """Every method against ``random`` of its column and against the leading method.

    Over all looks and all methods of a column the chance of any false difference to ``random`` stays at 5 %, and so
    does that of any false difference to a leader, which is corrected for all pairs, since any method may come to lead.
    What is told leaves the others more of the 5 %, step by step, as Holm's correction does in tables: a closed test is
    valid whatever its tests are, also those of a search (Ye et al., A group sequential Holm procedure with multiple
    primary endpoints, Statistics in Medicine 2013). Intervals hold together and stay those of the first step.

    Args:
        results: of any suites and data sets.
        looks: numbers of seeds at which is looked; see :mod:`vdbench_leaderboard.statistics.sequential`.
        to_the_end: ask for the differences to ``random`` alone, with all the seeds that there are, whatever was found
            with fewer.
    """
    asked = []
    for column in columns(results).values():
        asked += _against_random(column, looks, to_the_end)
        if not to_the_end:
            asked += _against_the_leader(column, looks)
    return asked


def columns(results: Iterable[Result]) -> dict[tuple[Group, Student, Budget], list[Cell]]:
    """The cells of each column of each table that have a budget and a finished trial."""
    found: dict[tuple[Group, Student, Budget], list[Cell]] = defaultdict(list)
    for cell in gather(results):
        if cell.budget is not None and cell.runs:
            found[cell.group, cell.student, cell.budget].append(cell)
    return found


def _against_random(column: Sequence[Cell], looks: tuple[int, ...], to_the_end: bool) -> list[Question]:
    pairs = [(cell, base) for cell in column if (base := base_of(cell, column)) is not None and base is not cell]
    if to_the_end:
        return [_question(*pair, looks, len(pairs), len(pairs), to_the_end) for pair in pairs]
    return _stepping_down(pairs, looks, len(pairs))


def _against_the_leader(column: Sequence[Cell], looks: tuple[int, ...]) -> list[Question]:
    """Nothing where ``random`` leads; its own difference to the leader is asked for already."""
    leader = min(column, key=lambda cell: (-cell.top1.mean if cell.top1 else 0.0, cell.method))
    others = [cell for cell in column if base_of(cell, column) is not cell]
    if leader not in others:
        return []
    pairs = [(cell, leader) for cell in others if cell is not leader]
    return _stepping_down(pairs, looks, len(list(combinations(others, 2))))


def _stepping_down(pairs: Sequence[tuple[Cell, Cell]], looks: tuple[int, ...], tests: int) -> list[Question]:
    """The questions of some of so many pairs, corrected for those that are not told yet."""
    asked: dict[int, Question] = {}
    left, told = set(range(len(pairs))), 0
    while left:
        asked |= {index: _question(*pairs[index], looks, tests, tests - told, False) for index in sorted(left)}
        found = {index for index in left if asked[index].told}
        if not found:
            break
        left, told = left - found, told + len(found)
    return [asked[index] for index in sorted(asked)]


def _question(cell: Cell, other: Cell, looks: tuple[int, ...], tests: int, left: int, to_the_end: bool) -> Question:
    """Of two cells, whose test is corrected for those that are left of so many, and whose interval is for all."""
    differences, over = paired(cell.runs, other.runs)
    known = over == "seeds" and len(differences) >= looks[0]
    ids = frozenset(result.id for one in (cell, other) for result, _ in one.done)
    alpha, beside = (1 - (1 - SIGNIFICANCE) ** (1 / number) for number in (left, tests))
    found = look(differences, looks, alpha, beside=beside, to_the_end=to_the_end) if known else None
    assert cell.budget is not None
    return Question(cell.group, cell.student, cell.budget, cell.method, other.method, found, ids)
