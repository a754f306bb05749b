"""Every cell for the page's list of all results: the values of the CSV to sort by, and the texts that are shown.

The script formats nothing. What many cells share is stored once: a string is a place in ``texts``, in base 36.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vdbench.experiment.repeat import repeat_command
from vdbench.storage import files
from vdbench_leaderboard.page import panel
from vdbench_leaderboard.statistics.estimates import repeats
from vdbench_leaderboard.tables import board_words, formats, own_recipes
from vdbench_leaderboard.tables.conditions import with_labels

if TYPE_CHECKING:
    import pandas as pd

    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.both_sides import BothSides
    from vdbench_leaderboard.tables.cells import Cell
    from vdbench_leaderboard.tables.keys import Budget

MANY = 1500
"""With more cells, only those of each group's first student have single classes: the page has to stay small."""


class Column(NamedTuple):
    """A column of the list.

    Attributes:
        group: columns that are chosen together; empty for those that are always there.
        title: its header.
        value: of a cell, that rows are sorted by.
        about: what the header says when it is pointed at.
        numeric: whether it is sorted from the largest value down, and set to the right.
    """

    group: str
    title: str
    value: str
    about: str = ""
    numeric: bool = True


_GAIN = "Points above random clips at the same budget, recipe and labels; coloured where significant over 3 seeds"
COLUMNS = {
    "method": Column("", "Method", "method", numeric=False),
    "suite": Column("", "Suite", "suite", numeric=False),
    "dataset": Column("", "Data set", "dataset_title", numeric=False),
    "budget": Column("", "Budget", "budget_order", "Instances per class, or bytes allowed"),
    "student": Column("", "Student", "student_title", numeric=False),
    "own": Column("", "Top-1", "top1", "Percent, mean ± standard deviation over seeds, with its rank"),
    "hard": Column("", "Hard", "hard", "Top-1 in percent with hard labels and the suite’s recipe"),
    "soft": Column("", "Soft", "soft", "Top-1 in percent with soft labels and the suite’s recipe"),
    "augmented": Column("", "Augmented", "augmented", "Top-1 in percent with augmented training clips"),
    "strip": Column("", "", "", "Seeds (dots), their mean (tick), its 95 % interval (band), chance (line)", False),
    "own_gain": Column("", "Δ random", "against_random", _GAIN),
    "hard_gain": Column("", "Δ random", "hard_gain", _GAIN),
    "soft_gain": Column("", "Δ random", "soft_gain", _GAIN),
    "augmented_gain": Column("", "Δ random", "augmented_gain", _GAIN),
    "p": Column("accuracy", "p", "against_random_p", "Of the paired t-test against random, after Holm’s correction"),
    "share": Column("accuracy", "% of full", "share_of_full", "Top-1 as a share of that of full"),
    "top5": Column("accuracy", "Top-5", "top5", "Percent; none with 5 classes or fewer"),
    "macro": Column("accuracy", "Macro", "macro", "Mean over classes of each class’s own top-1"),
    "lrs": Column("robustness", "LRS", "lrs", "Label-robust score, 0 to 1, ± standard deviation over seeds"),
    "ars": Column("robustness", "ARS", "ars", "Augmentation-robust score, 0 to 1, ± standard deviation over seeds"),
    "shuffled": Column("robustness", "Shuffled", "shuffled", "Top-1 on test clips with their frames in random order"),
    "still": Column("robustness", "Still", "still", "Top-1 on test clips whose middle frame is repeated"),
    "motion": Column("robustness", "Motion", "motion", "Points lost on still clips: how much the student uses motion"),
    "clips": Column("cost", "Clips", "stored_clips", "In the distilled set"),
    "bytes": Column("cost", "Stored", "stored_bytes", "Bytes of everything that rendering the clips needs"),
    "distill": Column("cost", "Distil", "distill_seconds", "Shared assets and distillation, mean per trial"),
    "evaluate": Column("cost", "Evaluate", "evaluate_seconds", "Training and testing the networks, mean per trial"),
    "seeds": Column("cost", "Seeds × networks", "seeds", "Distillation seeds, and networks tested for each"),
    "pool": Column("origin", "Pool", "taken_from", "Where the clips come from", numeric=False),
    "seen": Column("origin", "Seen", "seen", "What encoder and generator were trained on", numeric=False),
    "verified": Column("origin", "Verified", "verified", "Seeds whose distilled set was evaluated again and agreed"),
}


def address(board: Board, cell: Cell) -> str:
    """A cell's name in links, which other results do not change."""
    group, student = board.group, board.student
    where = [group.suite, group.evaluated_on, group.protocol, group.data]
    return files.digest([*where, student.name, student.width, student.parameters, cell.method, str(cell.budget)], 8)


def payload(boards: Sequence[Board], numbers: pd.DataFrame, sides: Mapping[str, BothSides]) -> dict[str, Any]:
    """All cells of all boards, as JSON values.

    Args:
        boards: the tables.
        numbers: their cells as rows of plain values, in the same order.
        sides: both sides of each board, by its slug, for what is shown on other clips.

    Returns:
        ``columns``, ``groups``, ``texts``, ``download``, the names of the values in a downloaded view, ``shared``, what
        is the same for all cells, and ``cells``, each a list of values in the order of ``fields``.
    """
    frame = json.loads(numbers[[name for name in numbers if _kept(str(name))]].to_json(orient="split", index=False))
    firsts = {board.group: board for board in reversed(boards)}
    groups = list(dict.fromkeys(board.group for board in boards))
    widths = {(board.student.name, board.student.width) for board in boards if board.student.width}
    twins = {name for name, count in Counter(name for name, _ in widths).items() if count > 1}
    few = len(numbers) <= MANY
    standings = [(board, standing) for board in boards for standing in board.standings]
    cells = [
        {
            **dict(zip(frame["columns"], row, strict=True)),
            **_identity(board, standing),
            "group": groups.index(board.group),
            "student_title": " ".join(
                [board.student.name] + [str(board.student.width)] * (board.student.name in twins)
            ),
            **_shown(standing),
            **panel.details(standing),
            "others": panel.on_other_clips(standing, sides[board.slug], p),
            "per_class": panel.classes(standing.cell) if few or board is firsts[board.group] else None,
        }
        for (board, standing), row, p in zip(standings, frame["data"], _p_on_other_clips(numbers), strict=True)
    ]
    first, texts = cells[0] if cells else {}, dict[str, int]()
    shared = {name: value for name, value in first.items() if all(cell[name] == value for cell in cells)}
    return {
        "columns": {name: column._asdict() for name, column in COLUMNS.items()},
        "groups": [
            {"heading": firsts[group].heading, "classes": firsts[group].cells[0].dataset.class_names}
            for group in groups
        ],
        "download": [*frame["columns"], "command", "id"],
        "shared": {name: packed(value, texts) for name, value in shared.items()},
        "fields": [name for name in first if name not in shared],
        "cells": [packed([value for name, value in cell.items() if name not in shared], texts) for cell in cells],
        "texts": list(texts),
    }


def _p_on_other_clips(numbers: pd.DataFrame) -> list[float | None]:
    if "against_random_others_p" not in numbers:
        return [None] * len(numbers)
    return [None if np.isnan(p) else p for p in numbers["against_random_others_p"].tolist()]


def _kept(name: str) -> bool:
    """Whether the page needs a column of the CSV: of most scores the mean is enough to sort by."""
    score, _, part = name.rpartition("_")
    return part not in ("spread", "low", "high") or score in ("top1", "hard", "soft", "augmented", "top1_others")


def packed(value: Any, texts: dict[str, int]) -> Any:
    """A value with every text in it replaced by its place in ``texts``, which grows, and short numbers."""
    if isinstance(value, str):
        return np.base_repr(texts.setdefault(value, len(texts)), 36).lower()
    if isinstance(value, list | tuple):
        return [packed(part, texts) for part in value]
    if isinstance(value, float):
        value = round(value, 2 if abs(value) >= 1 else 4)
        return int(value) if value.is_integer() else value
    return value


def _identity(board: Board, standing: Standing) -> dict[str, Any]:
    """What a cell is found, filtered and named by."""
    cell, budget = standing.cell, standing.cell.budget
    results = [*(result for result, _ in cell.done), *cell.failed]
    return {
        "id": address(board, cell),
        "dataset_title": board.group.dataset_title,
        "budget": str(budget) if budget else None,
        "budget_order": _order(budget),
        "taken_from": cell.taken_from,
        "seen": board_words.data_seen(cell),
        "rank_text": board_words.rank(standing),
        "tags": [*board_words.tags(cell), *["lead may be due to training"] * own_recipes.unshown(standing)],
        "marks": board_words.number_marks(standing),
        "missing": board_words.remarks(standing),
        "command": repeat_command(results),
    }


def _order(budget: Budget | None) -> int | None:
    return None if budget is None else budget.value + budget.in_bytes * 10**15


def _shown(standing: Standing) -> dict[str, Any]:
    """The texts of a cell by column, and what the strip of each kind of labels is drawn from."""
    cell, gains, versus = standing.cell, standing.gains, standing.random_comparison
    known = {
        "own": (cell.runs, cell.top1, standing.against_random),
        "hard": (with_labels(cell, "hard"), gains.hard, gains.hard_gain),
        "soft": (with_labels(cell, "soft"), gains.soft, gains.soft_gain),
        "augmented": (cell.measured(condition="own-augmented"), gains.augmented, gains.augmented_gain),
    }
    still = cell.score("still")
    motion = cell.top1.mean - still.mean if cell.top1 and still else None
    verified = sum(result.verified is not None for result, _ in cell.done)
    seeds, expected = len(cell.seeds), len(standing.expected)
    texts = {
        "budget": str(cell.budget or "all"),
        **{kind: formats.estimate(top1) for kind, (_, top1, _) in known.items()},
        **{f"{kind}_gain": formats.points(gain.mean if gain else None) for kind, (_, _, gain) in known.items()},
        "p": formats.probability(versus.adjusted if versus else None),
        "share": formats.percent(standing.share_of_full),
        **{score: formats.estimate(cell.score(score)) for score in ("top5", "macro", "shuffled", "still")},
        "lrs": formats.fractions(gains.lrs),
        "ars": formats.fractions(gains.ars),
        "motion": formats.points(motion),
        "clips": formats.whole(cell.stored_clips),
        "bytes": formats.size(cell.stored_bytes),
        "distill": formats.duration(cell.distill_seconds),
        "evaluate": formats.duration(cell.evaluate_seconds),
        "seeds": f"{seeds}{f'/{expected}' if seeds < expected else ''} × {cell.networks}",
        "verified": f"{verified} of {seeds} seeds" if verified else formats.NOTHING,
    }
    return {
        "motion": motion,
        "verified": verified or None,
        "shown": [texts.get(name, "") for name in COLUMNS],
        "sides": [panel.side(standing, kind, gain) for kind, (_, _, gain) in known.items()],
        "dots": [repeats(runs)[0] for runs, _, _ in known.values()],
    }
