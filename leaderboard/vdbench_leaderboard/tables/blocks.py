"""Blocks: a data set at one budget, with the students averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from scipy import stats

from vdbench_leaderboard.statistics.comparisons import ranks
from vdbench_leaderboard.statistics.estimates import DECIMALS, Runs, average, estimate
from vdbench_leaderboard.statistics.interquartile import normalised

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Budget


@dataclass(frozen=True)
class Block:
    """A data set at one budget, its students averaged: they share the distilled sets, and are no repeats.

    Attributes:
        data: the group's name, unique on the leaderboard.
        budget: what distilled sets were allowed.
        runs: top-1 in percent of the methods that are complete with every student, by label.
        scores: the same of each seed, scaled so that 0 is chance and 1 what ``full`` reaches; None without
            ``full``.
    """

    data: str
    budget: Budget
    runs: Mapping[str, Runs]
    scores: Mapping[str, Sequence[float]] | None

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean top-1 in percent by method."""
        return {method: top1.mean for method, runs in self.runs.items() if (top1 := estimate(runs))}

    @property
    def places(self) -> dict[str, float]:
        """Methods by their mean, 1 for the highest, equal ones by their middle."""
        methods = list(self.means)
        order = stats.rankdata([-round(self.means[method], DECIMALS) for method in methods]).tolist()
        return dict(zip(methods, order, strict=True))

    @cached_property
    def leaders(self) -> frozenset[str]:
        """Methods that do not differ significantly from the one with the highest mean."""
        return frozenset(method for method, rank in ranks(self.runs).items() if rank == 1)


def blocks_of(boards: Sequence[Board]) -> list[Block]:
    """The columns of one group's boards, those without a complete method left out.

    Args:
        boards: of one group, none of a student at chance.
    """
    budgets = sorted({budget for board in boards for budget in board.budgets})
    full = [board.full for board in boards]
    scales = [(board.chance, top1.mean) for board, top1 in zip(boards, full, strict=True) if top1]
    scaled = len(scales) == len(boards) and all(top > chance for chance, top in scales)
    blocks = []
    for budget in budgets:
        columns = [_ranked(board, budget) for board in boards]
        methods = [method for method in columns[0] if all(method in column for column in columns)]
        runs = {method: average([column[method] for column in columns]) for method in methods}
        scores = {
            method: _mean([normalised(column[method], *scale) for column, scale in zip(columns, scales, strict=True)])
            for method in methods
            if scaled
        }
        blocks.append(Block(boards[0].heading, budget, runs, scores if scaled else None))
    return [block for block in blocks if block.runs]


def usual(blocks: Sequence[Block]) -> list[Block]:
    """Those that more than half of the methods of all of them have."""
    methods = {method for block in blocks for method in block.runs}
    return [block for block in blocks if 2 * len(block.runs) > len(methods)]


def _ranked(board: Board, budget: Budget) -> dict[str, Runs]:
    """Runs of the methods that have a rank at a budget, by label."""
    return {
        standing.cell.method: standing.cell.runs
        for standing in board.standings
        if standing.cell.budget == budget and standing.rank
    }


def _mean(scores: Sequence[Sequence[float]]) -> list[float]:
    """Of each seed, over students."""
    return [math.fsum(seed) / len(seed) for seed in zip(*scores, strict=True)]
