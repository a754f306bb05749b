"""The main tables for a terminal, in rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from vdbench.storage.text import harmless
from vdbench_leaderboard.tables import board_words, frames, pool_words
from vdbench_leaderboard.tables.both_sides import both_sides
from vdbench_leaderboard.tables.pools import factorial
from vdbench_leaderboard.tables.settings import regimes, settings

if TYPE_CHECKING:
    import pandas as pd

    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.pools import Factorial

NOTE = (
    "top-1 in %: mean ± standard deviation over seeds (rank, = where shared) · † fewer than 3 seeds · [what is missing]"
)
SHOWN = 4
"""Columns of the table of configurations that a terminal has room for: not the gain in each of them."""
POOL_NOTE = "Δ: generated − real, paired by seed, with its 95 % interval · * significant after correction"


def tables(boards: Sequence[Board], outcomes: Outcomes) -> RenderableType:
    """One table per suite and data set, its students below each other, then what may be said, and those of pools."""
    parts: list[RenderableType] = []
    notes = [" · ".join([NOTE, *board_words.legend(boards)])]
    for heading, members in groupby(boards, key=lambda board: board.heading):
        shown = list(members)
        parts.append(_table(f"{heading} · {board_words.parts(shown[0].cells[0])}", shown))
        parts += map(Text, dict.fromkeys(line for board in shown for line in board_words.notes(board)))
        for board in shown:
            if board.at_chance:
                parts.append(Text(f"{board.student.name}: {board_words.AT_CHANCE}"))
            lines = both_sides(board, outcomes).lines
            parts += [Text(f"{board.student.name}: {line}") for line in lines]
            if (found := factorial(board)) is not None:
                parts.append(_pools(f"{heading} · {board.student.name} · pools", found))
                parts += map(Text, pool_words.remarks(found))
                notes[1:] = [POOL_NOTE]
            if configured := settings(board):
                parts.append(
                    _listed(
                        f"{heading} · {board.student.name} · configurations",
                        frames.settings(configured).iloc[:, :SHOWN],
                    )
                )
            if taught := regimes(board):
                parts.append(_listed(f"{heading} · {board.student.name} · labels", frames.regimes(taught)))
    return Stack(*parts, *(Text(note, style="dim") for note in notes))


def _table(heading: str, boards: Sequence[Board]) -> Table:
    budgets = sorted({budget for board in boards for budget in board.budgets})
    table = _empty(heading, "student", "method", *([str(budget) for budget in budgets] or ["top-1"]))
    for board in boards:
        rows = []
        for row in board.rows:
            at = dict(zip(board.budgets, row.standings, strict=True))
            rows.append([Text(harmless(board_words.method(row))), *(_result(at.get(budget)) for budget in budgets)])
        for name, first, *_ in frames.bounds(board).itertuples(index=False):
            rows.append([Text(text, style="dim") for text in (harmless(name), *[first] * max(1, len(budgets)))])
        _section(table, board.student.name, rows)
    return table


def _pools(heading: str, factorial: Factorial) -> Table:
    """One section per IPC, so that the table is as narrow with many of them."""
    table = _empty(heading, "budget", "selector", "real", "generated", "Δ")
    for place, budget in enumerate(factorial.budgets):
        rows = frames.pools_at(factorial, place).itertuples(index=False)
        _section(table, str(budget), [[Text(text) for text in row] for row in rows])
    return table


def _listed(heading: str, frame: pd.DataFrame) -> Table:
    """Texts as they are; the first two columns name the row."""
    table = _empty(heading, *frame.columns)
    for row in frame.itertuples(index=False):
        table.add_row(*map(Text, row))
    return table


def _empty(heading: str, *columns: str) -> Table:
    table = Table(title=heading, title_justify="left", title_style="bold", header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right", overflow="fold")
    return table


def _section(table: Table, name: str, rows: Iterable[Sequence[Text]]) -> None:
    """Rows of which the first has a name in front."""
    for place, row in enumerate(rows):
        table.add_row("" if place else name, *row)
    table.add_section()


def _result(standing: Standing | None) -> Text:
    style = "" if standing is None else "bold green" if standing.rank == 1 else "" if standing.cell.top1 else "red"
    return Text(board_words.result(standing), style=style)
