"""Cells of one column compared: difference to random, share of full, completeness, rank; and the boards of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vdbench.storage import files
from vdbench_leaderboard.statistics.comparisons import Comparison, compare, ranks
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS
from vdbench_leaderboard.tables.conditions import Gains, gains

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget, Group, Student

BASELINE = "random"
FULL = "full"


@dataclass(frozen=True)
class Standing:
    """A cell and its place among the cells of the same group, student and budget.

    Attributes:
        cell: what its own results say.
        expected: seeds that it was tried with, and those that at least half of the methods at this place were: one
            trial more changes nothing for the others.
        random_comparison: its top-1 compared with that of ``random``, stored by the same codec, corrected for all
            methods of the column that are; None of ``random`` itself and where there is none.
        baseline: the cell of ``random`` that it was compared with; None where it was not.
        gains: its differences to the controls, under every condition.
        share_of_full: its top-1 in percent of what ``full`` reaches.
        rank: None for methods without a budget and for incomplete ones.
        tied: whether another method has the same rank.
    """

    cell: Cell
    expected: frozenset[int]
    random_comparison: Comparison | None
    baseline: Cell | None
    gains: Gains
    share_of_full: float | None
    rank: int | None
    tied: bool

    @property
    def against_random(self) -> Estimate | None:
        """Paired difference to ``random``, in points of top-1."""
        return self.random_comparison.difference if self.random_comparison else None

    @property
    def complete(self) -> bool:
        """Whether every expected seed finished."""
        return self.cell.seeds >= self.expected


@dataclass(frozen=True)
class Row:
    """One method over all budgets of a board.

    Attributes:
        method: its label.
        standings: one per budget of the board; None where it was not run.
    """

    method: str
    standings: tuple[Standing | None, ...]

    @property
    def shown(self) -> list[Standing]:
        """The standings that exist."""
        return [standing for standing in self.standings if standing is not None]


@dataclass(frozen=True)
class Board:
    """The results of one group with one student: a table.

    Attributes:
        group: suite, protocol and data.
        heading: the group's name, unique on the leaderboard.
        student: the network that was trained and tested.
        budgets: the columns.
        rows: methods with a budget, the best at the largest IPC first.
        bounds: methods without a budget; the same standing in every column.
    """

    group: Group
    heading: str
    student: Student
    budgets: tuple[Budget, ...]
    rows: tuple[Row, ...]
    bounds: tuple[Row, ...]

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell once, in the order of the table."""
        return [standing.cell for standing in self.standings]

    @cached_property
    def standings(self) -> list[Standing]:
        """Every standing once, in the order of the table."""
        return [s for row in self.rows for s in row.shown] + [s for row in self.bounds for s in row.shown[:1]]

    @property
    def chance(self) -> float:
        """Top-1 in percent of chance."""
        return self.cells[0].chance

    @property
    def full_cell(self) -> Cell | None:
        """The cell of ``full``; None where it was not run."""
        return _reference([row.shown[0].cell for row in self.bounds], FULL)

    @property
    def full(self) -> Estimate | None:
        """Top-1 in percent of ``full``; None where it was not run."""
        return self.full_cell.top1 if self.full_cell else None

    def role(self, row: Row) -> str:
        """What a method without a budget is to the others.

        The ``whole pool`` of generated clips; else the ``upper bound``, or a mere ``reference`` where the mean of some
        method is higher.
        """
        cell = row.shown[0].cell
        if cell.any_result.pool == "generated":
            return "whole pool"
        means = [s.cell.top1.mean for other in self.rows for s in other.shown if s.cell.top1]
        beaten = cell.top1 is not None and max(means, default=0.0) > cell.top1.mean
        return "reference" if beaten else "upper bound"

    @property
    def at_chance(self) -> bool:
        """Whether the student is uninformative: trained on the whole train split, it stays near chance.

        Its interval then holds chance, and its mean is below twice chance: an interval of few seeds is so wide that it
        may hold chance where a student has learned a lot.
        """
        full = self.full
        if full is None or full.low is None or full.over != "seeds" or full.repeats < FEW_SEEDS:
            return False
        return full.low <= self.chance and full.mean < 2 * self.chance

    @property
    def slug(self) -> str:
        """A name for files and anchors, which other boards do not change."""
        name = f"{self.group.suite} {self.cells[0].dataset.name} {self.group.evaluated_on} {self.student.name}"
        unique = files.digest([self.group.protocol, self.group.data, self.student.width, self.student.parameters], 6)
        return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + f"-{unique}"


def boards(cells: Sequence[Cell]) -> list[Board]:
    """Every table of the leaderboard: by suite and data set, students in the order in which the suite names them."""
    tables: dict[tuple[Group, Student], list[Cell]] = defaultdict(list)
    for cell in cells:
        tables[cell.group, cell.student].append(cell)
    headings = _headings([group for group, _ in tables])
    order = sorted(tables, key=lambda key: (key[0], min(_position(cell) for cell in tables[key]), key[1]))
    return [_board(group, headings[group], student, tables[group, student]) for group, student in order]


def _board(group: Group, heading: str, student: Student, cells: Sequence[Cell]) -> Board:
    standings = {s.cell.place: s for s in standings_of(cells)}
    budgets = tuple(sorted({cell.budget for cell in cells if cell.budget is not None}))
    rows = [
        Row(method, tuple(standings.get((method, budget)) for budget in budgets))
        for method in sorted({cell.method for cell in cells if cell.budget is not None})
    ]
    bounds = [
        Row(method, (standings[method, None],) * max(1, len(budgets)))
        for method in sorted({cell.method for cell in cells if cell.budget is None})
    ]
    return Board(group, heading, student, budgets, tuple(sorted(rows, key=_best_first)), tuple(bounds))


def standings_of(cells: Sequence[Cell]) -> list[Standing]:
    """Compare the cells of one group and student, column by column."""
    columns: dict[Budget | None, list[Cell]] = defaultdict(list)
    for cell in cells:
        columns[cell.budget].append(cell)
    full = _reference(columns.get(None, []), FULL)
    return [standing for column in columns.values() for standing in _column(column, full)]


def _column(column: Sequence[Cell], full: Cell | None) -> list[Standing]:
    usual = _usual([cell.tried for cell in column])
    complete = {c.method: c.runs for c in column if c.budget is not None and c.runs and c.seeds >= usual | c.tried}
    rank: Mapping[str, int] = ranks(complete)
    sharing = Counter(rank.values())
    bases = [base_of(cell, column) for cell in column]
    compared: dict[str, Comparison] = {}
    for base in {base.method: base for base in bases if base}.values():
        alike = [cell for cell, own in zip(column, bases, strict=True) if own is base and cell.runs]
        compared |= compare({cell.method: cell.runs for cell in alike}, base.method)
    return [
        Standing(
            cell,
            usual | cell.tried,
            compared.get(cell.method),
            base if cell.method in compared else None,
            gains(cell, base, full),
            _share(cell, full),
            rank.get(cell.method),
            sharing[rank.get(cell.method, 0)] > 1,
        )
        for cell, base in zip(column, bases, strict=True)
    ]


def base_of(cell: Cell, column: Sequence[Cell]) -> Cell | None:
    """``random`` of the same column, stored by the same codec; the cell itself where it is that one."""
    return _reference([other for other in column if other.any_result.codec == cell.any_result.codec], BASELINE)


def _usual(tried: Sequence[frozenset[int]]) -> frozenset[int]:
    """Seeds of at least half of the methods."""
    count = Counter(seed for seeds in tried for seed in seeds)
    return frozenset(seed for seed, methods in count.items() if 2 * methods >= len(tried))


def _reference(column: Sequence[Cell], name: str) -> Cell | None:
    """The cell to compare with: of several rows of this method on real clips, the first."""
    candidates = [cell for cell in column if cell.any_result.label == name and cell.runs]
    return min(candidates, key=lambda cell: cell.method, default=None)


def _share(cell: Cell, full: Cell | None) -> float | None:
    if full is None or full.top1 is None or cell.top1 is None or full.top1.mean == 0:
        return None
    return 100 * cell.top1.mean / full.top1.mean


def _position(cell: Cell) -> int:
    """The place of a cell's student among those of its trials."""
    return min((result.students.index(scores) for result, scores in cell.done), default=0)


def _best_first(row: Row) -> tuple[list[float], str]:
    means = [s.cell.top1.mean if s and s.cell.top1 else -1.0 for s in reversed(row.standings)]
    return [-mean for mean in means], row.method


def _headings(groups: Sequence[Group]) -> dict[Group, str]:
    plain = {group: f"suite {group.suite} · {group.dataset_title} · {group.evaluated_on}" for group in groups}
    count = Counter(plain.values())
    return {
        group: name if count[name] == 1 else f"{name} · protocol {group.protocol} · data {group.data}"
        for group, name in plain.items()
    }
