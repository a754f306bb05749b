"""Accuracy over training compute: students tested on their way, and up to where a method is told from random clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from vdbench_leaderboard.statistics.comparisons import SIGNIFICANCE, corrected, paired_p
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS, Estimate, Runs, difference, estimate
from vdbench_leaderboard.tables.conditions import brings
from vdbench_leaderboard.tables.formats import rounded

if TYPE_CHECKING:
    from vdbench.records import Checkpoint
    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget

Known = dict[int, dict[int, "tuple[Checkpoint, ...]"]]
"""The checkpoints of networks by distillation seed and, within it, by evaluation seed."""
OWN, TEACHER = "own", "teacher"
CONDITIONS: Mapping[str, str | None] = {OWN: None, TEACHER: "teacher-augmented"}
"""Kinds of labels whose trainings are shown, and the conditions that they are recorded in."""


@dataclass(frozen=True)
class Point:
    """A place on the way of the students of a cell.

    Attributes:
        share: of all training steps.
        steps: that were taken, mean over networks, as all that follow.
        clips: training clips that were shown.
        seconds: of training.
        top1: in percent.
        gain: the same less that of random clips after the same share, in points, paired by seed.
        told: whether a test paired by at least three seeds, corrected for all points, tells the two apart.
    """

    share: float
    steps: float
    clips: float
    seconds: float
    top1: Estimate
    gain: Estimate | None
    told: bool


@dataclass(frozen=True)
class Course:
    """The students of a cell on their way.

    Attributes:
        cell: what they were trained on.
        points: from the first steps to the last.
        chosen: top-1 in percent, each network where it was best on the test clips: as many papers report, and too high.
    """

    cell: Cell
    points: tuple[Point, ...]
    chosen: Estimate | None

    @property
    def tested(self) -> bool:
        """Whether there are enough seeds beside random clips to tell the two apart at all."""
        return any(p.gain and p.gain.over == "seeds" and p.gain.repeats >= FEW_SEEDS for p in self.points)

    @property
    def last_told(self) -> Point | None:
        """The last point at which it is told from random clips; from the next one on, it is not."""
        return next((point for point in reversed(self.points) if point.told), None)


@dataclass(frozen=True)
class Courses:
    """All methods of a column on their way.

    Attributes:
        budget: of the column.
        labels: ``own`` or ``teacher``.
        shares: of all training steps, where students were tested.
        lines: a method each, in the order of the board.
    """

    budget: Budget
    labels: str
    shares: tuple[float, ...]
    lines: tuple[Course, ...]

    @property
    def name(self) -> str:
        """For files and anchors: ``compute-own-5``."""
        return f"compute-{self.labels}-{self.budget.value}{'b' * self.budget.in_bytes}"


def courses(board: Board) -> list[Courses]:
    """The columns of a board by labels; empty where nothing was tested on its way beside random clips."""
    shares = tuple(board.cells[0].any_result.protocol.get("checkpoints", ()))
    found = []
    for labels, condition in CONDITIONS.items():
        for budget in board.budgets:
            column = [s for s in board.standings if s.cell.budget == budget]
            lines = [line for s in column if (line := _course(s, condition, shares))]
            if any(point.gain for line in lines for point in line.points):
                found.append(Courses(budget, labels, shares, tuple(lines)))
    return found


def _course(standing: Standing, condition: str | None, shares: Sequence[float]) -> Course | None:
    cell, random = standing.cell, standing.baseline
    own = _checkpoints(cell, condition, len(shares))
    if not own:
        return None
    if condition is None and brings(cell):
        base = _checkpoints(cell, "own-random", len(shares))
    else:
        base = _checkpoints(random, condition, len(shares)) if random else {}
    runs, bases = ([_runs(known, itemgetter(place)) for place in range(len(shares))] for known in (own, base))
    gains = [difference(ours, theirs) for ours, theirs in zip(runs, bases, strict=True)]
    tested = [place for place, gain in enumerate(gains) if gain and gain.repeats >= FEW_SEEDS]
    tests = {place: paired_p(runs[place], bases[place]) for place in tested}
    p = corrected({place: value for place, value in tests.items() if value is not None})
    return Course(
        cell,
        tuple(
            Point(
                share=share,
                steps=_mean(own, place, "step"),
                clips=_mean(own, place, "clips"),
                seconds=_mean(own, place, "seconds"),
                top1=top1,
                gain=gains[place],
                told=p.get(place, 1.0) < SIGNIFICANCE,
            )
            for place, share in enumerate(shares)
            if (top1 := estimate(runs[place]))
        ),
        chosen=estimate(_runs(own, _best)),
    )


def _mean(known: Known, place: int, what: str) -> float:
    return fmean(getattr(points[place], what) for networks in known.values() for points in networks.values())


def _checkpoints(cell: Cell, condition: str | None, count: int) -> Known:
    """The checkpoints of each network by seed, of seeds whose networks have them all."""
    found = {
        seed: {score.seed: score.checkpoints for score in scores} for seed, scores in cell.scores_in(condition).items()
    }
    return {seed: known for seed, known in found.items() if count and all(len(c) == count for c in known.values())}


def _runs(known: Known, chosen: Callable[[Sequence[Checkpoint]], Checkpoint]) -> Runs:
    """Top-1 of each network at the checkpoint that is chosen."""
    return {
        seed: {network: 100 * chosen(points).top1 for network, points in networks.items()}
        for seed, networks in known.items()
    }


def _best(points: Sequence[Checkpoint]) -> Checkpoint:
    return max(points, key=lambda point: point.top1)


def columns(boards: Sequence[Board]) -> pd.DataFrame | None:
    """What tests on the way add, a row per cell in the order of the boards.

    Up to how many training clips shown it is told from random ones: 0 where it is at no point, and nothing where there
    were too few seeds for a test. And its top-1 if every network were taken where it was best on the test clips.

    Returns:
        None where no board has checkpoints.
    """
    known = [
        {(found.labels, line.cell.place): line for found in courses(board) for line in found.lines} for board in boards
    ]
    if not any(known):
        return None
    rows = [
        {f"told_until_{labels}": _until(lines.get((labels, cell.place))) for labels in CONDITIONS}
        | {"top1_chosen_on_test": _chosen(lines.get((OWN, cell.place)))}
        for board, lines in zip(boards, known, strict=True)
        for cell in board.cells
    ]
    return pd.DataFrame(rows, dtype=float)


def _chosen(line: Course | None) -> float | None:
    return rounded(line.chosen.mean if line and line.chosen else None)


def _until(line: Course | None) -> float | None:
    if line is None or not line.tested:
        return None
    return line.last_told.clips if line.last_told else 0.0
