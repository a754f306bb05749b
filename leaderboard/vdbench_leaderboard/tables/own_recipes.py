"""Leads over ``random`` that are not shown over random clips trained in the same way.

Students of a method that brings labels or a step size of its own are trained otherwise than those of ``random``. So in
each of its trials random clips are trained in its way, too. Where the lead over these may be chance, that over
``random`` may be due to the labels or the step size, whatever the clips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench_leaderboard.tables import formats
from vdbench_leaderboard.tables.conditions import brings

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.boards import Board, Row, Standing
    from vdbench_leaderboard.tables.verdicts import Verdict

SIGN = "‖"
"""Behind the number of a cell whose lead may not be its clips'."""
MEANING = (
    "not told from random clips trained in the same way, so that the lead over random may not be that of the clips"
)


def unshown(standing: Standing) -> bool:
    """Whether a cell is better than ``random``, and not shown to be better than random clips trained in its way."""
    lead, alike = standing.random_comparison, standing.gains.ior
    if lead is None or lead.direction != "up" or alike is None or not brings(standing.cell):
        return False
    return not (alike.significant and alike.mean > 0)


def sentences(board: Board) -> list[str]:
    """At most one: ``‖ mtt at IPC 5 (+0.8 points, −3.2 to 4.8): not told from random clips ...``."""
    found = [place for row in board.rows if (place := _places(row, [s for s in row.shown if unshown(s)]))]
    return [f"{SIGN} {', '.join(found)}: {MEANING}"] if found else []


def remark(verdict: Verdict) -> str:
    """The same of the methods that a verdict recommends, as a sentence; empty where there is nothing to say."""
    several = len(verdict.boards) > 1
    found = [
        f"{_places(row, marked)}{f' with {board.student.name}' * several}"
        for board in verdict.boards
        for row in board.rows
        if row.method in verdict.recommended and (marked := [s for s in row.shown if unshown(s)])
    ]
    return f"But random clips trained in the same way may do as well as {', '.join(found)}." if found else ""


def _places(row: Row, standings: list[Standing]) -> str:
    """``mtt at IPC 1 (+0.3 points, −2.0 to 2.6) and IPC 5 (+0.8 points, −3.2 to 4.8)``; empty without standings."""
    places = [f"{standing.cell.budget} ({_alike(standing.gains.ior)})" for standing in standings]
    return f"{row.method} at {' and '.join(places)}" if places else ""


def _alike(difference: Estimate | None) -> str:
    """``+0.8 points, −3.2 to 4.8``."""
    if difference is None or difference.low is None or difference.high is None:
        return "by a single seed"
    low, high = (formats.percent(100 * end).replace("-", "−") for end in (difference.low, difference.high))
    return f"{formats.points(100 * difference.mean)} points, {low} to {high}"
