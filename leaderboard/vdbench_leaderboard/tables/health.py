"""Signs that clips were not learned well, counted over the trials of a cell, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from vdbench.records import HealthMark
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board, Row
    from vdbench_leaderboard.tables.cells import Cell

SIGN = "¶"
"""Behind the number of a cell with a severe mark."""
MEANING: Mapping[HealthMark, str] = MappingProxyType(
    {
        "astray": "the loss ended where standing still is, or above",
        "bound": "the learned step size lies on its bound, and students are trained with it",
        "saturated": "more than a quarter of the pixel values lie beyond black and white",
        "unchanged": "the clips are those that learning started from",
        "unfinished": "the loss was still falling at the end",
    }
)
"""What each mark says."""
SEVERE: tuple[HealthMark, ...] = ("astray", "bound", "saturated", "unchanged")
"""Those that a table shows. Short runs leave nearly every loss falling, so that ``unfinished`` tells nothing apart."""


def counts(cell: Cell) -> dict[HealthMark, int]:
    """How many finished trials have each mark that some have, in the order of :data:`HealthMark`."""
    found = Counter(mark for result, _ in cell.done for mark in result.health)
    return {mark: found[mark] for mark in get_args(HealthMark) if mark in found}


def severe(cell: Cell) -> bool:
    """Whether some trial has a mark that a table shows."""
    return any(mark in SEVERE for mark in counts(cell))


def short(cell: Cell) -> str:
    """All marks with their trials: ``bound 3/3; unfinished 2/3``; empty for most cells."""
    return "; ".join(f"{mark} {trials}/{len(cell.done)}" for mark, trials in counts(cell).items())


def facts(cell: Cell) -> dict[str, str]:
    """What each mark of a cell says, and of how many trials."""
    return {mark: f"{MEANING[mark]} ({_trials(cell, mark)})" for mark in counts(cell)}


def sentences(board: Board) -> list[str]:
    """A sentence per severe mark of a table, with the cells that have it.

    ``¶ mtt at IPC 5 (3 of 3 trials): the learned step size lies on its bound, and students are trained with it``.
    """
    known = {mark: [text for row in board.rows if (text := _where(row, mark))] for mark in SEVERE}
    return [f"{SIGN} {', '.join(where)}: {MEANING[mark]}" for mark, where in known.items() if where]


def _where(row: Row, mark: HealthMark) -> str:
    """``mtt at IPC 1 (3 of 3 trials) and IPC 5 (2 of 3 trials)``; empty where no cell of the row has the mark."""
    cells = [standing.cell for standing in row.shown if mark in counts(standing.cell)]
    places = [f"{cell.budget} ({_trials(cell, mark)})" for cell in cells]
    return f"{row.method} at {' and '.join(places)}" if places else ""


def _trials(cell: Cell, mark: HealthMark) -> str:
    return f"{counts(cell)[mark]} of {counted(len(cell.done), 'trial')}"
