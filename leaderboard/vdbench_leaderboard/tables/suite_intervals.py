"""Intervals of a suite's average ranks and interquartile means, from the cells behind its blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
from vdbench_leaderboard.statistics.pigeonhole import CrossedBlock, Resampled, resample
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Runs
    from vdbench_leaderboard.tables.blocks import Block
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.outcomes import Outcomes


def on_these_clips(blocks: Sequence[Block], boards: Sequence[Board]) -> Resampled | None:
    """Of a suite's blocks and the boards whose students are averaged, with other seeds, on these test clips.

    Returns:
        None with too few seeds.
    """
    crossed = [_crossed(block, boards, None) for block in blocks]
    return resample([block for block in crossed if block is not None], THESE) if crossed else None


def on_other_clips(blocks: Sequence[Block], boards: Sequence[Board], outcomes: Outcomes) -> Resampled | None:
    """The same on other clips of this kind.

    Returns:
        None with too few seeds, or where some outcomes are not known.
    """
    crossed = [found for block in blocks if (found := _crossed(block, boards, outcomes)) is not None]
    return resample(crossed, OTHERS) if blocks and len(crossed) == len(blocks) else None


def _crossed(block: Block, boards: Sequence[Board], outcomes: Outcomes | None) -> CrossedBlock | None:
    """A block by student; None where outcomes are asked for and some are not known, or clips differ."""
    own = [board for board in boards if board.heading == block.data]
    cells = [{cell.method: cell for cell in board.cells if cell.budget == block.budget} for board in own]
    ends = [board.full_cell for board in own] if block.scores else []
    methods = {method: [_outcomes_of(at[method], outcomes) for at in cells] for method in block.runs}
    full = [_outcomes_of(cell, outcomes) for cell in ends if cell is not None]
    every = [one for row in [*methods.values(), full] for one in row]
    if any(one is None for one in every) or len({one.test_set for one in every if one}) > 1:
        return None
    return CrossedBlock(
        block.data,
        {method: [one for one in row if one] for method, row in methods.items()},
        own[0].chance,
        [one for one in full if one] or None,
    )


def _outcomes_of(cell: Cell, outcomes: Outcomes | None) -> ClipOutcomes | None:
    return _as_one_clip(cell.runs) if outcomes is None else outcomes.of(cell)


def _as_one_clip(runs: Runs) -> ClipOutcomes:
    """Accuracies as outcomes of a test set that is never drawn anew."""
    won = {seed: np.array([math.fsum(top1.values()) / len(top1)]) for seed, top1 in runs.items()}
    return ClipOutcomes(won, "", np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
