"""Each suite at a glance: its methods over all of its blocks, each a data set at one budget."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vdbench.storage import files
from vdbench_leaderboard.statistics.average_ranks import AverageRanks, average_ranks
from vdbench_leaderboard.statistics.interquartile import InterquartileMean, iqm
from vdbench_leaderboard.statistics.two_way import OTHERS
from vdbench_leaderboard.tables.blocks import Block, blocks_of, usual
from vdbench_leaderboard.tables.suite_intervals import on_other_clips, on_these_clips

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.pigeonhole import Ends, Resampled
    from vdbench_leaderboard.statistics.two_way import Question
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.keys import Group
    from vdbench_leaderboard.tables.outcomes import Outcomes

FEWEST_BLOCKS, FEWEST_METHODS = 2, 2


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
        these: intervals of average ranks on these test clips, from drawn seeds; None with too few.
        others: intervals of both on other clips of this kind; None with too few seeds, or without outcomes.
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
    these: Resampled | None
    others: Resampled | None

    @property
    def slug(self) -> str:
        """For files and anchors; of a suite's name only what leads to no other folder."""
        name = self.suite if self.evaluated_on == "test" else f"{self.suite}-{self.evaluated_on}"
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
        return name if plain == name else f"{plain.strip('-')}-{files.digest(name, 6)}"

    @property
    def middles_on_other_clips(self) -> dict[str, InterquartileMean]:
        """Interquartile means with their intervals on other clips; empty where these are not known."""
        found = self.others.middles if self.others else {}
        ends = {method: found.get(method) for method in self.middles} if found else {}
        return {
            method: replace(self.middles[method], low=own.low if own else None, high=own.high if own else None)
            for method, own in ends.items()
        }

    def rank_ends(self, method: str, question: Question) -> Ends | None:
        """The interval of an average rank; None where it is not known."""
        found = self.others if question == OTHERS else self.these
        return found.ranks.get(method) if found else None

    @cached_property
    def methods(self) -> list[str]:
        """Every method that some block has, the best mean place over its blocks first."""
        found: dict[str, list[float]] = defaultdict(list)
        for block in self.blocks:
            for method, place in block.places.items():
                found[method].append(place)
        return sorted(found, key=lambda method: (sum(found[method]) / len(found[method]), method))


def overviews(boards: Sequence[Board], outcomes: Outcomes) -> list[Overview]:
    """One per suite that has enough to compare: at least two blocks, and two methods in them."""
    suites: dict[tuple[str, str], list[Board]] = defaultdict(list)
    for board in boards:
        suites[board.group.suite, board.group.evaluated_on].append(board)
    every = [_overview(suite, evaluated_on, members, outcomes) for (suite, evaluated_on), members in suites.items()]
    found = [overview for overview in every if len(overview.blocks) >= FEWEST_BLOCKS]
    return [overview for overview in found if len(overview.methods) >= FEWEST_METHODS]


def _overview(suite: str, evaluated_on: str, boards: Sequence[Board], outcomes: Outcomes) -> Overview:
    informed = [board for board in boards if not board.at_chance]
    groups: dict[Group, list[Board]] = defaultdict(list)
    for board in informed:
        groups[board.group].append(board)
    found = [block for members in groups.values() for block in blocks_of(members)]
    blocks = usual(found)
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
        on_these_clips(blocks, informed),
        on_other_clips(blocks, informed, outcomes),
    )
