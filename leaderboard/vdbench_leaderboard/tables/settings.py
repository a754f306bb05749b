"""The same sets under other settings of the evaluation: how often a method leads random, and by how much on average.

Configurations are chosen, not drawn: intervals are over seeds alone and speak of other seeds under these very ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from vdbench_leaderboard.statistics.estimates import Estimate, average, difference, estimate
from vdbench_leaderboard.tables.conditions import Kind, brings, control, with_labels
from vdbench_leaderboard.tables.formats import parts, rounded
from vdbench_leaderboard.tables.keys import Student

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.cells import Cell

AS_IN_THE_SUITE = "as in the suite"
AUGMENTED = "augmented"
REGIMES: tuple[Kind, ...] = ("hard", "soft", "teacher")
"""Labels of a set: hard ones, soft ones that are stored with it, and those of a teacher at every step."""


@dataclass(frozen=True)
class Line:
    """A cell beside ``random`` at the same budget, under every configuration.

    Attributes:
        cell: what was evaluated.
        gains: its top-1 less that of random clips, in points, paired by seed, by the name of the configuration.
        mean: the same of the mean over these; None where no seed has all of them.
        diverged: configurations in which some network of it cannot be trained: they have no gain and are not won.
    """

    cell: Cell
    gains: Mapping[str, Estimate]
    mean: Estimate | None
    diverged: tuple[str, ...]

    @property
    def tried(self) -> int:
        """Configurations that it was judged under."""
        return len(self.gains) + len(self.diverged)

    @property
    def won(self) -> int:
        """Configurations in which its mean is above that of random clips."""
        return sum(gain.mean > 0 for gain in self.gains.values())

    @property
    def share(self) -> float:
        """The same as a share of all, 0 to 1."""
        return self.won / self.tried


@dataclass(frozen=True)
class Settings:
    """Everything but ``random`` on a board, under every configuration.

    Attributes:
        names: of the configurations, the suite's own recipe first.
        lines: budget by budget, in the order of the board.
    """

    names: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Regime:
    """A cell with one kind of labels.

    Attributes:
        top1: in percent.
        gain: the same less that of random clips with such labels, in points, paired by seed; None of ``random``.
    """

    top1: Estimate
    gain: Estimate | None


@dataclass(frozen=True)
class Regimes:
    """A board with each kind of labels.

    Attributes:
        lines: a cell and what was measured of it, budget by budget, in the order of the board.
    """

    lines: tuple[tuple[Cell, Mapping[Kind, Regime]], ...]


def settings(board: Board) -> Settings | None:
    """The configurations of a board; None where there are none, or another student judges them."""
    found = {other.configuration for cell in board.cells for result, _ in cell.done for other in result.conditions}
    named = sorted(name for name in found if name)
    judges = any(Student.of(result.students[0]) == board.student for cell in board.cells for result, _ in cell.done)
    if not named or not judges:
        return None
    augmented = any(cell.measured(condition="own-augmented") for cell in board.cells)
    conditions: dict[str, str | None] = {AS_IN_THE_SUITE: None}
    conditions |= {AUGMENTED: "own-augmented"} if augmented else {}
    conditions |= {name: f"own.{name}" for name in named}
    lines = [line for standing in _by_budget(board) if (line := _line(standing, conditions))]
    return Settings(tuple(conditions), tuple(lines)) if lines else None


def _line(standing: Standing, conditions: Mapping[str, str | None]) -> Line | None:
    cell, random = standing.cell, standing.baseline
    in_bytes = cell.budget is not None and cell.budget.in_bytes
    if random is None or (
        in_bytes and brings(cell)
    ):  # whose random clips are as many as its own, not as the bytes hold
        return None
    sides = {
        name: (cell.measured(condition=condition), control(cell, random, condition))
        for name, condition in conditions.items()
    }
    diverged = tuple(name for name, condition in conditions.items() if _diverged(cell, condition))
    gains = {n: gain for n, sided in sides.items() if n not in diverged and (gain := difference(*sided))}
    if not gains:
        return None
    own, base = ([sides[name][side] for name in gains] for side in (0, 1))
    return Line(cell, gains, difference(average(own), average(base)), diverged)


def _diverged(cell: Cell, condition: str | None) -> bool:
    """Whether some network of a cell cannot be trained under a condition."""
    return any(known.name == condition and known.diverged for result, _ in cell.done for known in result.conditions)


def regimes(board: Board) -> Regimes | None:
    """A board by the labels that its sets had; None where nothing that a teacher labelled can be compared."""
    lines = []
    for standing in _by_budget(board):
        found = {}
        for kind in REGIMES:
            runs = with_labels(standing.cell, kind)
            base = with_labels(standing.baseline, kind) if standing.baseline else {}
            if top1 := estimate(runs):
                found[kind] = Regime(top1, difference(runs, base))
        lines.append((standing.cell, found))
    compared = any(found["teacher"].gain for _, found in lines if "teacher" in found)
    return Regimes(tuple(lines)) if compared else None


def columns(boards: Sequence[Board]) -> pd.DataFrame | None:
    """What other settings add to the CSV, a row per cell in the order of the boards' standings.

    Returns:
        None where no board has any.
    """
    rows = []
    for board in boards:
        configured, taught = settings(board), regimes(board)
        lines = {line.cell.place: line for line in configured.lines} if configured else {}
        known = {cell.place: found for cell, found in taught.lines} if taught else {}
        rows += [_row(lines.get(cell.place), known.get(cell.place, {}).get("teacher")) for cell in board.cells]
    if all(value is None for row in rows for value in row.values()):
        return None
    return pd.DataFrame(rows, dtype=float).astype({"configurations": "Int64", "configurations_won": "Int64"})


def _row(line: Line | None, teacher: Regime | None) -> dict[str, Any]:
    return {
        **parts("teacher", teacher.top1 if teacher else None),
        **parts("teacher_gain", teacher.gain if teacher else None),
        "configurations": line.tried if line else None,
        "configurations_won": line.won if line else None,
        "configurations_share": rounded(line.share if line else None),
        **parts("configurations_gain", line.mean if line else None),
    }


def _by_budget(board: Board) -> list[Standing]:
    """The standings with a budget, those of the smallest first."""
    return [s for budget in board.budgets for s in board.standings if s.cell.budget == budget and s.cell.runs]
