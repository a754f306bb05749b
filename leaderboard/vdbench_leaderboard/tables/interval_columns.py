"""What results with outcomes per clip add to a table: intervals for other test clips, and moderated ones for these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from vdbench_leaderboard.statistics.comparisons import corrected_within
from vdbench_leaderboard.statistics.estimates import paired, repeats
from vdbench_leaderboard.statistics.moderated import Moderated, moderate
from vdbench_leaderboard.statistics.two_way import Interval, of_accuracy
from vdbench_leaderboard.tables.formats import rounded

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Budget, Place
    from vdbench_leaderboard.tables.outcomes import Outcomes

COLUMNS = (
    *("top1_others_low", "top1_others_high", "top1_error_seeds", "top1_error_sources"),
    *("against_random_others_low", "against_random_others_high", "against_random_others_p"),
    *("top1_moderated_low", "top1_moderated_high"),
    *("against_random_moderated_low", "against_random_moderated_high", "against_random_moderated_p"),
)


def interval_columns(boards: Sequence[Board], outcomes: Outcomes) -> pd.DataFrame | None:
    """The columns that outcomes per clip add, a row per cell in the order of the boards' standings.

    ``_others`` is of an interval or a test that speaks of other clips of this kind as well as of other seeds, and
    ``_moderated`` of one on these test clips, with variances moderated over all cells of the board. p are corrected for
    all tests of a column of the board, as ``against_random_p`` is. Boards without outcomes have none of them.

    Returns:
        None where no result has outcomes.
    """
    known = [[outcomes.of(cell) for cell in board.cells] for board in boards]
    if not any(found for board in known for found in board):
        return None
    pairs = zip(boards, known, strict=True)
    return pd.DataFrame([row for board, found in pairs for row in _rows(board, found)], columns=COLUMNS, dtype=float)


def _rows(board: Board, found: Sequence[ClipOutcomes | None]) -> list[dict[str, float | None]]:
    if not any(found):
        return [{} for _ in found]
    known = dict(zip([cell.place for cell in board.cells], found, strict=True))
    means = moderate({cell.place: repeats(cell.runs)[0] for cell in board.cells if len(cell.runs) > 1}).cells
    against = [(s.cell, s.baseline) for s in board.standings if s.baseline is not None]
    gains = {cell.place: _gain(known[cell.place], known[base.place]) for cell, base in against}
    pairs = {cell.place: paired(cell.runs, base.runs) for cell, base in against}
    moderated = moderate({place: values for place, (values, over) in pairs.items() if over == "seeds"}).cells
    tests = {place: gain.p for place, gain in gains.items() if gain is not None and gain.p is not None}
    p = corrected_within(tests, _column)
    moderated_p = corrected_within({place: gain.p for place, gain in moderated.items()}, _column)
    rows = []
    for place, one in known.items():
        own = one.parts() if one else None
        rows.append(
            {
                **_ends("top1_others", of_accuracy(own) if own else None),
                "top1_error_seeds": rounded(float(own.seeds) ** 0.5 if own else None),
                "top1_error_sources": rounded(float(own.sources) ** 0.5 if own else None),
                **_ends("against_random_others", gains.get(place)),
                "against_random_others_p": rounded(p.get(place)),
                **_ends("top1_moderated", means.get(place)),
                **_ends("against_random_moderated", moderated.get(place)),
                "against_random_moderated_p": rounded(moderated_p.get(place)),
            }
        )
    return rows


def _column(place: Place) -> Budget | None:
    return place[1]


def _gain(known: ClipOutcomes | None, base: ClipOutcomes | None) -> Interval | None:
    return known.against(base) if known is not None and base is not None else None


def _ends(name: str, value: Interval | Moderated | None) -> dict[str, float | None]:
    return {
        f"{name}_low": rounded(value.low if value else None),
        f"{name}_high": rounded(value.high if value else None),
    }
