"""What every document of a leaderboard shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from vdbench_leaderboard.figures.plots import MOST_BOARDS
from vdbench_leaderboard.page import literature
from vdbench_leaderboard.page.gallery import Gallery
from vdbench_leaderboard.tables import board_words, compute, pool_words, pools, settings, verdict_words
from vdbench_leaderboard.tables.both_sides import BothSides, both_sides
from vdbench_leaderboard.tables.pools_on_other_clips import on_other_clips
from vdbench_leaderboard.tables.splits import SplitMeans, split_means
from vdbench_leaderboard.tables.verdicts import Verdict, verdicts

if TYPE_CHECKING:
    import pandas as pd

    from vdbench.records import DatasetRecord
    from vdbench_leaderboard.page.methods import MethodSummary
    from vdbench_leaderboard.tables.boards import Board
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.outcomes import Outcomes
    from vdbench_leaderboard.tables.overview import Overview


@dataclass(frozen=True)
class Section:
    """All boards of one group.

    Attributes:
        heading: the group's name.
        boards: one per student.
    """

    heading: str
    boards: tuple[Board, ...]

    @property
    def dataset(self) -> DatasetRecord:
        """The data that all of them used."""
        return self.boards[0].cells[0].dataset

    @property
    def parts(self) -> dict[str, int]:
        """Clips of each part that could be read, together all of ``dataset.clips``."""
        return self.boards[0].cells[0].parts

    @property
    def protocol(self) -> str:
        """The resolved protocol, as JSON for people."""
        return json.dumps(self.boards[0].cells[0].any_result.protocol, indent=2, sort_keys=True, ensure_ascii=False)

    @property
    def pools(self) -> list[str]:
        """How its generated pools were made."""
        return sorted({pool_words.sampled(cell.sampled) for cell in self._cells if cell.sampled})

    @property
    def machines(self) -> list[str]:
        """Versions and machines that its trials ran on."""
        return sorted({board_words.machine(machine) for cell in self._cells for machine in cell.environments})

    @property
    def _cells(self) -> list[Cell]:
        return [cell for board in self.boards for cell in board.cells]


@dataclass(frozen=True)
class Content:
    """What every document shows.

    Attributes:
        boards: the tables, in order.
        numbers: their cells as rows of plain values.
        overviews: one per suite that has enough to compare.
        methods: the methods.
        plots: SVG documents, by name.
        faults: names of files that are no valid results.
        superseded: ids of results whose place a later one of the same seed has.
        mark: goes to the top of every document.
        outcomes: what networks made of every test clip.
    """

    boards: Sequence[Board]
    numbers: pd.DataFrame
    overviews: Sequence[Overview]
    methods: Sequence[MethodSummary]
    plots: Mapping[str, str]
    faults: Sequence[str]
    superseded: Sequence[str]
    mark: str
    outcomes: Outcomes

    @cached_property
    def sections(self) -> list[Section]:
        """The boards by group."""
        return [Section(name, tuple(boards)) for name, boards in groupby(self.boards, key=lambda board: board.heading)]

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Which method to use, those data sets first on which one wins, then those with the most seeds.

        On other clips of this kind, where outcomes per clip are known.
        """
        found = [verdict.on_other_clips or verdict for verdict in verdicts(self.boards, self.outcomes)]
        return sorted(found, key=lambda verdict: (not verdict.better, -verdict.seeds))

    @cached_property
    def headline(self) -> verdict_words.Answer:
        """The same over all data sets."""
        return verdict_words.headline(self.verdicts)

    @cached_property
    def headline_on_these_clips(self) -> verdict_words.Answer:
        """The same on these test clips alone."""
        return verdict_words.headline([verdict.on_these_clips or verdict for verdict in self.verdicts])

    @cached_property
    def sides(self) -> dict[str, BothSides]:
        """Both questions asked of every board, by its slug."""
        return {board.slug: both_sides(board, self.outcomes) for board in self.boards}

    @property
    def switched(self) -> bool:
        """Whether some table can answer for other clips."""
        return any(side.known for side in self.sides.values())

    @cached_property
    def gallery(self) -> Gallery:
        """Where the previews are."""
        return Gallery(self.boards, self.methods)

    def drawn(self, board: Board) -> list[str]:
        """What a board has plots over: ``ipc``, ``bytes``, ``seconds``."""
        return [over for over in ("ipc", "bytes", "seconds") if f"{board.slug}-{over}" in self.plots]

    @property
    def plotted(self) -> int:
        """How many boards plots were drawn for, had there been anything to draw."""
        return min(MOST_BOARDS, len(self.boards))

    @cached_property
    def factorials(self) -> dict[str, pools.Factorial]:
        """The tables of pools, by the slug of their board; empty where no method was run on both."""
        return {board.slug: table for board in self.boards if (table := pools.factorial(board))}

    @cached_property
    def factorials_on_other_clips(self) -> dict[str, pools.Factorial]:
        """The same with differences on other clips of this kind, where outcomes per clip are known."""
        asked = {slug: on_other_clips(table, self.outcomes) for slug, table in self.factorials.items()}
        return {slug: table for slug, table in asked.items() if table is not None}

    @cached_property
    def splits(self) -> list[SplitMeans]:
        """Means over official splits; empty where no data set was run on several."""
        return split_means(cell for board in self.boards for cell in board.cells)

    @cached_property
    def configured(self) -> list[tuple[Board, settings.Settings]]:
        """The boards whose suite names further configurations of the evaluation."""
        return [(board, found) for board in self.boards if (found := settings.settings(board))]

    @cached_property
    def taught(self) -> list[tuple[Board, settings.Regimes]]:
        """The boards whose sets were judged with labels of a teacher at every step."""
        return [(board, found) for board in self.boards if (found := settings.regimes(board))]

    @cached_property
    def courses(self) -> list[tuple[Board, compute.Courses]]:
        """The columns whose students were tested on their way."""
        return [(board, found) for board in self.boards for found in compute.courses(board)]

    @property
    def generated(self) -> bool:
        """Whether some clips were generated."""
        return any(cell.pool == "generated" for board in self.boards for cell in board.cells)

    @cached_property
    def published(self) -> list[literature.Table]:
        """Published numbers."""
        return literature.tables(literature.published())

    @cached_property
    def sources(self) -> list[literature.Source]:
        """Where these were published."""
        return literature.sources(literature.published())

    @property
    def comparable(self) -> bool:
        """Whether there are results that published numbers may be compared with."""
        return any(literature.comparable(board.group.suite, board.group.dataset_title) for board in self.boards)

    @property
    def one(self) -> dict[str, str]:
        """What the totals are called where there is one."""
        return {name: name.replace("networks", "network").removesuffix("s") for name in self.totals}

    @cached_property
    def totals(self) -> dict[str, int]:
        """What was run, in numbers."""
        cells = [cell for board in self.boards for cell in board.cells]
        return {
            "methods": len({cell.any_result.method for cell in cells}),
            "data sets": len({cell.dataset.name for cell in cells}),
            "finished trials": len({result.id for cell in cells for result, _ in cell.done}),
            "networks tested": sum(len(networks) for cell in cells for networks in cell.runs.values()),
            "failed trials": len({result.id for cell in cells for result in cell.failed}),
        }
