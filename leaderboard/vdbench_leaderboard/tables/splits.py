"""Means over the official splits of a data set, as the literature reports UCF101 and HMDB51."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.experiment.suite import MODIFIED
from vdbench.storage import files
from vdbench_leaderboard.statistics.estimates import average, estimate

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget, Student


@dataclass(frozen=True)
class SplitMeans:
    """One data set under one protocol but for the split, judged by one student.

    Attributes:
        suite: its name, as for the first split.
        dataset_title: the data set.
        student: the network.
        splits: those that the means are over.
        budgets: the columns; None where a method has no budget.
        rows: for every method its mean at every budget, in percent; None where a split lacks it.
    """

    suite: str
    dataset_title: str
    student: Student
    splits: tuple[int, ...]
    budgets: tuple[Budget | None, ...]
    rows: Mapping[str, tuple[Estimate | None, ...]]


def split_means(cells: Iterable[Cell]) -> list[SplitMeans]:
    """Average each method over the splits that were run, seed by seed; nothing where there is but one.

    Every split counts the same, whatever its number of test clips. The interval is over seeds: the same clips are in
    the tests and the train sets of several splits, so that splits are no repeats.
    """
    alike: dict[tuple[str, Student], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.runs:
            alike[_but_for_the_split(cell), cell.student].append(cell)
    found = [_means(members) for members in alike.values() if len({_split(cell) for cell in members}) > 1]
    return sorted(found, key=lambda means: (means.suite, means.dataset_title, means.student))


def _means(cells: list[Cell]) -> SplitMeans:
    first = min(cells, key=_split)
    splits = tuple(sorted({_split(cell) for cell in cells}))
    places: dict[tuple[str, Budget | None], dict[int, Cell]] = defaultdict(dict)
    for cell in cells:
        places[cell.place][_split(cell)] = cell
    means = {
        place: estimate(average([of_split[split].runs for split in splits]))
        for place, of_split in places.items()
        if len(of_split) == len(splits)
    }
    budgets = sorted({budget for _, budget in means if budget is not None})
    columns = (*budgets, *([None] if any(budget is None for _, budget in means) else []))
    rows = {
        method: tuple(means.get((method, budget)) for budget in columns) for method in sorted({m for m, _ in means})
    }
    return SplitMeans(_suite(first), first.group.dataset_title, first.student, splits, columns, rows)


def _split(cell: Cell) -> int:
    return cell.dataset.split


def _suite(cell: Cell) -> str:
    return cell.group.suite.removesuffix(MODIFIED)


def _but_for_the_split(cell: Cell) -> str:
    protocol = {key: value for key, value in cell.any_result.protocol.items() if key != "split"}
    data = cell.dataset
    return files.digest([_suite(cell), data.name, data.class_names, cell.group.evaluated_on, protocol])
