"""What results with outcomes per clip add to a table: intervals for other test clips, and moderated ones for these."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vdbench.errors import DataError
from vdbench.outcomes import unpack
from vdbench_leaderboard.statistics.comparisons import corrected
from vdbench_leaderboard.statistics.estimates import paired, repeats
from vdbench_leaderboard.statistics.moderated import Moderated, moderate
from vdbench_leaderboard.statistics.two_way import Interval, Parts, of_accuracy, of_difference, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.outcomes import ClipList
    from vdbench.records import StudentScores
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget

Place = tuple[str, "Budget | None"]
"""The row and the column of a cell in its board."""
COLUMNS = (
    *("top1_others_low", "top1_others_high", "top1_error_seeds", "top1_error_sources"),
    *("against_random_others_low", "against_random_others_high", "against_random_others_p"),
    *("top1_moderated_low", "top1_moderated_high"),
    *("against_random_moderated_low", "against_random_moderated_high", "against_random_moderated_p"),
)

log = logging.getLogger(__name__)


def spread(boards: Sequence[Board], tests: Mapping[str, ClipList]) -> pd.DataFrame | None:
    """The columns that outcomes per clip add, a row per cell in the order of the boards' standings.

    ``_others`` is of an interval or a test that speaks of other clips of this kind as well as of other seeds, and
    ``_moderated`` of one on these test clips, with variances moderated over all cells of the board. p are corrected for
    all tests of a column of the board, as ``against_random_p`` is. Boards without outcomes have none of them.

    Args:
        boards: the tables.
        tests: the test sets that results name, by fingerprint.

    Returns:
        None where no result has outcomes.
    """
    known = [[answers(cell, tests) for cell in board.cells] for board in boards]
    if not any(found for board in known for found in board):
        return None
    pairs = zip(boards, known, strict=True)
    return pd.DataFrame([row for board, found in pairs for row in _rows(board, found)], columns=COLUMNS, dtype=float)


@dataclass(frozen=True, eq=False)
class Answered:
    """What networks made of every test clip.

    Attributes:
        won: by seed, how much of each clip its networks won on average, in percent, ``(clips,)``.
        clips: which clips these are.
    """

    won: Mapping[int, NDArray[np.float64]]
    clips: ClipList


def answers(cell: Cell, tests: Mapping[str, ClipList]) -> Answered | None:
    """The outcomes of a cell; None where some seed has none, or where they speak of several test sets."""
    named = {result.test_set for result, _ in cell.done}
    clips = tests.get(named.pop() or "") if len(named) == 1 else None
    if clips is None:
        return None
    try:
        return Answered({result.seed: _mean(scores, clips) for result, scores in cell.done}, clips)
    except DataError as error:
        log.warning("outcomes of %s are left out: %s", cell.method, error)
        return None


def _mean(scores: StudentScores, clips: ClipList) -> NDArray[np.float64]:
    networks = [score.outcomes for score in scores.scores if score.outcomes is not None]
    if len(networks) < len(scores.scores):
        raise DataError("a network keeps no outcomes per clip; take the file as it was exported")
    won = [unpack(outcomes, len(clips), len(clips.classes)).won() for outcomes in networks]
    return np.asarray(100 * np.mean(won, axis=0))


def _rows(board: Board, found: Sequence[Answered | None]) -> list[dict[str, float | None]]:
    if not any(found):
        return [{} for _ in found]
    known = dict(zip(map(_place, board.cells), found, strict=True))
    means = moderate({_place(cell): repeats(cell.runs)[0] for cell in board.cells if len(cell.runs) > 1}).cells
    against = [(s.cell, s.baseline) for s in board.standings if s.baseline is not None]
    gains = {_place(cell): _gain(known[_place(cell)], known[_place(base)]) for cell, base in against}
    pairs = {_place(cell): paired(cell.runs, base.runs) for cell, base in against}
    moderated = moderate({place: values for place, (values, over) in pairs.items() if over == "seeds"}).cells
    p = _corrected({place: gain.p for place, gain in gains.items() if gain is not None and gain.p is not None})
    moderated_p = _corrected({place: gain.p for place, gain in moderated.items()})
    rows = []
    for place, answered in known.items():
        own = _parts(answered)
        rows.append(
            {
                **_ends("top1_others", of_accuracy(own) if own else None),
                "top1_error_seeds": _rounded(float(own.seeds) ** 0.5 if own else None),
                "top1_error_sources": _rounded(float(own.sources) ** 0.5 if own else None),
                **_ends("against_random_others", gains.get(place)),
                "against_random_others_p": _rounded(p.get(place)),
                **_ends("top1_moderated", means.get(place)),
                **_ends("against_random_moderated", moderated.get(place)),
                "against_random_moderated_p": _rounded(moderated_p.get(place)),
            }
        )
    return rows


def _place(cell: Cell) -> Place:
    """What a cell is known by within its board."""
    return cell.method, cell.budget


def _parts(known: Answered | None, base: Answered | None = None) -> Parts | None:
    """Of the mean of a cell, or of its mean difference to another one with the same seeds on the same clips."""
    if known is None:
        return None
    seeds = sorted(known.won.keys() & (base or known).won.keys())
    if not seeds or (base is not None and base.clips != known.clips):
        return None
    won = np.stack([known.won[seed] - (base.won[seed] if base else 0) for seed in seeds])
    return parts(won, np.array(known.clips.labels), known.clips.sources)


def _gain(known: Answered | None, base: Answered | None) -> Interval | None:
    found = _parts(known, base) if base is not None else None
    return of_difference(found) if found is not None else None


def _corrected(p: Mapping[Place, float]) -> dict[Place, float]:
    """Corrected for all tests of the same column."""
    columns: dict[Budget | None, dict[Place, float]] = defaultdict(dict)
    for place, value in p.items():
        columns[place[1]][place] = value
    return {place: value for column in columns.values() for place, value in corrected(column).items()}


def _ends(name: str, value: Interval | Moderated | None) -> dict[str, float | None]:
    return {
        f"{name}_low": _rounded(value.low if value else None),
        f"{name}_high": _rounded(value.high if value else None),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0
