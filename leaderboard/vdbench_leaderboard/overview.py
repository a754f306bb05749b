"""Each suite at a glance: its methods over all of its blocks, which are columns of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from scipy import stats

from vdbench_leaderboard.average_ranks import AverageRanks, average_ranks
from vdbench_leaderboard.interquartile import InterquartileMean, iqm, normalised
from vdbench_leaderboard.statistics import DECIMALS

if TYPE_CHECKING:
    from vdbench_leaderboard.budget import Budget
    from vdbench_leaderboard.cells import Student
    from vdbench_leaderboard.standings import Board, Standing

FEWEST_BLOCKS, FEWEST_METHODS = 2, 2


@dataclass(frozen=True)
class Block:
    """A column of a board.

    Attributes:
        data: the group's name, unique on the leaderboard.
        student: the network that judged.
        budget: what distilled sets were allowed.
        standings: of the methods that are complete there, by label.
        scale: top-1 in percent of a blind guess, and of ``full``; None where there is no such scale.
    """

    data: str
    student: Student
    budget: Budget
    standings: Mapping[str, Standing]
    scale: tuple[float, float] | None

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean top-1 in percent by method."""
        return {method: top1.mean for method, standing in self.standings.items() if (top1 := standing.cell.top1)}

    @property
    def places(self) -> dict[str, float]:
        """Methods by their mean, 1 for the highest, equal ones by their middle."""
        methods = list(self.means)
        order = stats.rankdata([-round(self.means[method], DECIMALS) for method in methods]).tolist()
        return dict(zip(methods, order, strict=True))

    @property
    def leaders(self) -> frozenset[str]:
        """Methods that the seeds do not tell from the one with the highest mean."""
        return frozenset(method for method, standing in self.standings.items() if standing.rank == 1)


@dataclass(frozen=True)
class Overview:
    """A suite over all of its blocks.

    Attributes:
        suite: its name.
        evaluated_on: ``test`` or ``validation``.
        blocks: in the order of the tables.
        ranks: average ranks and what they tell apart; None with fewer than three methods that all blocks have.
        middles: interquartile means of the methods that every block with a scale has, the best first.
        scaled: blocks with a scale.
        short: methods that some block with a scale lacks, and so have no interquartile mean.
        blind: students that learn nothing even from all train clips, and of what; they have no blocks.
    """

    suite: str
    evaluated_on: str
    blocks: tuple[Block, ...]
    ranks: AverageRanks | None
    middles: Mapping[str, InterquartileMean]
    scaled: int
    short: tuple[str, ...]
    blind: tuple[str, ...]

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


def _blocks(board: Board) -> list[Block]:
    full = board.full
    scale = (board.chance, full.mean) if full and full.mean > board.chance else None
    columns = [
        {row.method: standing for row in board.rows if (standing := row.standings[place]) and standing.rank}
        for place in range(len(board.budgets))
    ]
    return [
        Block(board.heading, board.student, budget, standings, scale)
        for budget, standings in zip(board.budgets, columns, strict=True)
        if standings
    ]


def _overview(suite: str, evaluated_on: str, boards: Sequence[Board]) -> Overview:
    blocks = [block for board in boards if not board.blind for block in _blocks(board)]
    means = {f"{place}": block.means for place, block in enumerate(blocks)}
    scaled = [block for block in blocks if block.scale]
    every = {method for block in scaled for method in block.standings}
    shared = [method for method in every if all(method in block.standings for block in scaled)]
    middles = {method: found for method in shared if (found := iqm([_scores(method, block) for block in scaled]))}
    order = sorted(middles, key=lambda method: (-middles[method].mean, method))
    return Overview(
        suite,
        evaluated_on,
        tuple(blocks),
        average_ranks(means),
        {method: middles[method] for method in order},
        len(scaled),
        tuple(sorted(every - middles.keys())),
        tuple(f"{board.student.name} on {board.group.dataset_title}" for board in boards if board.blind),
    )


def _scores(method: str, block: Block) -> list[float]:
    chance, full = block.scale or (0.0, 100.0)
    return normalised(block.standings[method].cell.runs, chance, full)
