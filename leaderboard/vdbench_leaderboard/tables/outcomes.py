"""Outcomes per clip of the cells of a leaderboard, read once for all that ask."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vdbench.errors import DataError
from vdbench.outcomes import unpack
from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
from vdbench_leaderboard.statistics.columns import ClipColumn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.outcomes import ClipList
    from vdbench.records import Score
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Student

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What networks made of every test clip, by cell.

    Attributes:
        tests: the test sets that results name, by fingerprint.
    """

    tests: Mapping[str, ClipList]
    _read: dict[tuple[Student, tuple[str, ...]], ClipOutcomes | None] = field(default_factory=dict)

    def of(self, cell: Cell) -> ClipOutcomes | None:
        """Of a cell; None where some seed has none, or where they speak of several test sets."""
        trials = (cell.student, tuple(result.id for result, _ in cell.done))
        if trials not in self._read:
            self._read[trials] = outcomes_of(cell, self.tests)
        return self._read[trials]

    def column(self, cells: Iterable[Cell]) -> ClipColumn | None:
        """Cells of one place that share their test clips; None where one has no outcomes or a single seed."""
        found = {cell.method: self.of(cell) for cell in cells}
        return column({method: one for method, one in found.items() if one is not None}, len(found))


def column(outcomes: Mapping[str, ClipOutcomes], methods: int) -> ClipColumn | None:
    """The methods of a place, where all of these can be tested on the same clips.

    Args:
        outcomes: by method, those that have outcomes.
        methods: how many there are.
    """
    shared = len({one.test_set for one in outcomes.values()}) == 1
    if not shared or len(outcomes) < methods or min(len(one.won) for one in outcomes.values()) < 2:  # noqa: PLR2004
        return None
    found = ClipColumn(outcomes)
    return found if len(found.means) == methods else None


def outcomes_of(cell: Cell, tests: Mapping[str, ClipList], condition: str | None = None) -> ClipOutcomes | None:
    """The outcomes of a cell; None where some seed has none, or where they speak of several test sets.

    Args:
        cell: whose outcomes.
        tests: the test sets that results name, by fingerprint.
        condition: its name; None for the clips as their method means them.
    """
    named = {result.test_set for result, _ in cell.done}
    name = named.pop() if len(named) == 1 else None
    clips = tests.get(name or "")
    scores = cell.scores_in(condition)
    if name is None or clips is None or len(scores) < len(cell.done):
        return None
    try:
        won = {seed: _mean(networks, clips) for seed, networks in scores.items()}
    except DataError as error:
        log.warning("outcomes of %s are left out: %s", cell.method, error)
        return None
    return ClipOutcomes(won, name, np.array(clips.labels), clips.sources)


def _mean(scores: Sequence[Score], clips: ClipList) -> NDArray[np.float64]:
    networks = [score.outcomes for score in scores if score.outcomes is not None]
    if len(networks) < len(scores):
        raise DataError("a network keeps no outcomes per clip; take the file as it was exported")
    won = [unpack(outcomes, len(clips), len(clips.classes)).won() for outcomes in networks]
    return np.asarray(100 * np.mean(won, axis=0))
