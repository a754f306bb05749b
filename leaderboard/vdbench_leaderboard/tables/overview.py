"""Each suite at a glance: its methods over all of its blocks, each a data set at one budget."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from scipy import stats

from vdbench_leaderboard.statistics.average_ranks import AverageRanks, average_ranks
from vdbench_leaderboard.statistics.comparisons import ranks
from vdbench_leaderboard.statistics.estimates import DECIMALS, Runs, average, estimate
from vdbench_leaderboard.statistics.interquartile import InterquartileMean, iqm, normalised

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Budget, Group

FEWEST_BLOCKS, FEWEST_METHODS = 2, 2


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


@dataclass(frozen=True)
class Overview:
    """A suite over all of its blocks.

    Attributes:
        suite: its name.
        evaluated_on: ``test`` or ``validation``.
        blocks: in the order of the tables.
        ranks: average ranks and the test of their differences; None with fewer than three methods that all blocks have.
        middles: interquartile means of the methods that every block with a scale has, the best first.
        scaled: blocks with a scale.
        short: methods that some block with a scale lacks, and so have no interquartile mean.
        at_chance: students that ``full`` leaves near chance, and on what data; they are in no block.
        sparse: blocks that at most half of the suite's methods have, left out.
    """

    suite: str
    evaluated_on: str
    blocks: tuple[Block, ...]
    ranks: AverageRanks | None
    middles: Mapping[str, InterquartileMean]
    scaled: int
    short: tuple[str, ...]
    at_chance: tuple[str, ...]
    sparse: tuple[str, ...]

    @property
    def slug(self) -> str:
        """For files and anchors."""
        return self.suite if self.evaluated_on == "test" else f"{self.suite}-{self.evaluated_on}"

    @cached_property
    def methods(self) -> list[str]:
        """Every method that some block has, the best mean place over its blocks first."""
        found: dict[str, list[float]] = defaultdict(list)
        for block in self.blocks:
            for method, place in block.places.items():
                found[method].append(place)
        return sorted(found, key=lambda method: (sum(found[method]) / len(found[method]), method))


def overviews(boards: Sequence[Board]) -> list[Overview]:
    """One per suite that has enough to compare: at least two blocks, and two methods in them."""
    suites: dict[tuple[str, str], list[Board]] = defaultdict(list)
    for board in boards:
        suites[board.group.suite, board.group.evaluated_on].append(board)
    every = [_overview(suite, evaluated_on, members) for (suite, evaluated_on), members in suites.items()]
    found = [overview for overview in every if len(overview.blocks) >= FEWEST_BLOCKS]
    return [overview for overview in found if len(overview.methods) >= FEWEST_METHODS]


def _overview(suite: str, evaluated_on: str, boards: Sequence[Board]) -> Overview:
    groups: dict[Group, list[Board]] = defaultdict(list)
    for board in boards:
        if not board.at_chance:
            groups[board.group].append(board)
    found = [block for members in groups.values() for block in _blocks(members)]
    everything = {method for block in found for method in block.runs}
    blocks = [block for block in found if 2 * len(block.runs) > len(everything)]
    scored = [block.scores for block in blocks if block.scores]
    every = {method for scores in scored for method in scores}
    shared = [method for method in every if all(method in scores for scores in scored)]
    middles = {method: middle for method in shared if (middle := iqm([scores[method] for scores in scored]))}
    order = sorted(middles, key=lambda method: (-middles[method].mean, method))
    return Overview(
        suite,
        evaluated_on,
        tuple(blocks),
        average_ranks({f"{place}": block.means for place, block in enumerate(blocks)}),
        {method: middles[method] for method in order},
        len(scored),
        tuple(sorted(every - middles.keys())),
        tuple(f"{board.student.name} on {board.group.dataset_title}" for board in boards if board.at_chance),
        tuple(f"{block.data} at {block.budget}" for block in found if block not in blocks),
    )


def _blocks(boards: Sequence[Board]) -> list[Block]:
    """The columns of one group's boards."""
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
