"""The main tables for a terminal, in rich."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from vdbench_leaderboard.formats import AT_CHANCE, method, result
from vdbench_leaderboard.formats import parts as clips_by_part
from vdbench_leaderboard.pools import factorial
from vdbench_leaderboard.tables import Entry, bounds, legend, pool_remarks, pools_at

if TYPE_CHECKING:
    from vdbench_leaderboard.pools import Factorial
    from vdbench_leaderboard.standings import Board, Standing

NOTE = "top-1 in %: mean ± spread over seeds (rank, = where shared) · † fewer than 3 seeds · [what is missing]"

POOL_NOTE = "Δ: generated − real, paired by seed, with its 95 % interval · * told apart by a corrected test"


def tables(boards: Sequence[Board]) -> RenderableType:
    """One table per suite and data set, its students below each other; those of pools below it."""
    parts: list[RenderableType] = []
    notes = [" · ".join([NOTE, *legend(boards)])]
    for heading, members in groupby(boards, key=lambda board: board.heading):
        shown = list(members)
        parts.append(_table(f"{heading} · {clips_by_part(shown[0].cells[0])}", shown))
        for board in shown:
            if board.at_chance:
                parts.append(Text(f"{board.student.name}: {AT_CHANCE}"))
            if (table := factorial(board)) is not None:
                parts += [_pools(f"{heading} · {board.student.name} · pools", table), *map(Text, pool_remarks(table))]
                notes[1:] = [POOL_NOTE]
    return Stack(*parts, *(Text(note, style="dim") for note in notes))


def _table(heading: str, boards: Sequence[Board]) -> Table:
    budgets = sorted({budget for board in boards for budget in board.budgets})
    table = Table(title=heading, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("student")
    table.add_column("method")
    for header in [str(budget) for budget in budgets] or ["top-1"]:
        table.add_column(header, justify="right")
    for board in boards:
        student: str = board.student.name
        for row in board.rows:
            at = dict(zip(board.budgets, row.standings, strict=True))
            table.add_row(student, Text(method(row)), *(_text(at.get(budget)) for budget in budgets))
            student = ""
        for bound in bounds(board).itertuples(index=False):
            name, first, *_ = bound
            table.add_row(student, Text(name), *[Text(first)] * max(1, len(budgets)), style="dim")
            student = ""
        table.add_section()
    return table


def _pools(heading: str, factorial: Factorial) -> Table:
    """One section per IPC, so that the table is as narrow with many of them."""
    table = Table(title=heading, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("budget", justify="right")
    table.add_column("selector", overflow="fold")
    for header in ("real", "generated", "Δ"):
        table.add_column(header, justify="right")
    for place, budget in enumerate(factorial.budgets):
        first = str(budget)
        for row in pools_at(factorial, place).itertuples(index=False):
            table.add_row(first, *map(_entry, row))
            first = ""
        table.add_section()
    return table


def _entry(entry: Entry) -> Text:
    below = Text(f"\n{entry.note}" if entry.note else "", style="dim")
    return Text(entry.text).append_text(below)


def _text(standing: Standing | None) -> Text:
    style = "" if standing is None else "bold green" if standing.rank == 1 else "" if standing.cell.top1 else "red"
    return Text(result(standing), style=style)
