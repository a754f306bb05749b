"""A board under both questions, on these test clips and on others of this kind: sentences, intervals and ranks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vdbench_leaderboard.statistics.clip_outcomes import told
from vdbench_leaderboard.statistics.columns import SeedColumn
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE
from vdbench_leaderboard.tables.boards import BASELINE
from vdbench_leaderboard.tables.column_words import sentence

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget, Place
    from vdbench_leaderboard.tables.outcomes import Outcomes


class Said(NamedTuple):
    """What may be said of a column.

    Attributes:
        budget: the column.
        these: on these test clips.
        others: on other clips of this kind; None where some outcomes are not known.
    """

    budget: Budget
    these: str
    others: str | None


@dataclass(frozen=True)
class BothSides:
    """What a board says under both questions.

    Attributes:
        said: a sentence for each column and control, none of a student at chance.
        top1: means with their intervals on other clips, of the cells whose outcomes are known.
        ranks: on other clips, as texts, of the columns whose outcomes are known.
        lacking: whether some cells with results keep no outcomes.
    """

    said: tuple[Said, ...]
    top1: Mapping[Place, Estimate]
    ranks: Mapping[Place, str]
    lacking: bool

    @property
    def known(self) -> bool:
        """Whether some cell has an interval on other clips."""
        return bool(self.top1)

    @property
    def lines(self) -> list[str]:
        """What may be said, a line per column and question."""
        several = len({one.budget for one in self.said}) > 1
        lines = []
        for one in self.said:
            where = f"{one.budget}: " if several else ""
            if one.others is None or one.others == one.these:
                lines.append(where + one.these)
            else:
                lines += [f"{where}{OTHERS}: {one.others}", f"{where}{THESE}: {one.these}"]
        return [line[0].upper() + line[1:] if line.startswith("on ") else line for line in lines]


def both_sides(board: Board, outcomes: Outcomes) -> BothSides:
    """Ask both questions of a board."""
    top1, lacking = {}, False
    for cell in board.cells:
        known = outcomes.of(cell)
        lacking |= known is None and bool(cell.runs)
        found = told(known.interval(), len(known.won)) if known is not None else None
        if found is not None:
            top1[cell.place] = found
    ranks: dict[Place, str] = {}
    for budget in board.budgets:
        complete = [s.cell for s in board.standings if s.cell.budget == budget and s.rank]
        column = outcomes.column(complete)
        places = column.ranks() if column is not None else {}
        shared = Counter(places.values())
        ranks |= {(method, budget): f"{rank}{'=' if shared[rank] > 1 else ''}" for method, rank in places.items()}
    return BothSides(() if board.at_chance else tuple(_said(board, outcomes)), top1, ranks, lacking)


def _said(board: Board, outcomes: Outcomes) -> list[Said]:
    """Methods are spoken of beside the control that they are compared with, which is stored as they are."""
    columns: dict[tuple[Budget, str | None], list[Standing]] = defaultdict(list)
    for standing in board.standings:
        cell, control = standing.cell, standing.baseline
        if cell.budget is not None and cell.runs:
            columns[cell.budget, control.method if control else None].append(standing)
    controlled = {budget for budget, base in columns if base is not None}
    found = []
    for (budget, base), members in sorted(columns.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        if base is None and budget in controlled:
            continue  # the control itself, and what no control is stored like
        if base is None and all(s.cell.any_result.method == BASELINE for s in members):
            continue  # there is nothing beside the control
        own = [s for s in columns.get((budget, None), []) if s.cell.method == base]
        if said := _sentences([*members, *own], base, outcomes):
            found.append(Said(budget, *said))
    return found


def _sentences(members: list[Standing], base: str | None, outcomes: Outcomes) -> tuple[str, str | None] | None:
    cells, ranked = [s.cell for s in members], [s.cell for s in members if s.rank]
    these = sentence(_seeds(cells), base, _seeds(ranked))
    if not these:
        return None
    column = outcomes.column(cells)
    return these, sentence(column, base, outcomes.column(ranked)) if column is not None else None


def _seeds(cells: list[Cell]) -> SeedColumn:
    return SeedColumn({cell.method: cell.runs for cell in cells})
