"""Every cell as compact JSON: what the page's table of all numbers, and its panel of one of them, are drawn from.

What many cells share stands once, and they hold its place: texts in ``texts``, and in ``sets`` what is known of the
distilled sets that all students of a row judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vdbench.experiment.repeat import repeat_command
from vdbench.storage import files
from vdbench_leaderboard import formats
from vdbench_leaderboard.conditions import runs_of, with_labels
from vdbench_leaderboard.labels import flat
from vdbench_leaderboard.statistics import repeats

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.cells import Cell
    from vdbench_leaderboard.comparisons import Comparison
    from vdbench_leaderboard.standings import Board, Standing
    from vdbench_leaderboard.statistics import Estimate, Runs

SMALL = 20
"""With this many classes or fewer the whole confusion matrix is told, with more each class's own accuracy and the pairs
that are confused most."""
PAIRS = 12
"""How many such pairs."""
MANY = 1500
"""With more cells, only those of each group's first student tell about single classes: the page has to stay small."""
HASH = 16
"""Characters of an artefact's SHA-256."""

Values = dict[str, Any]


@dataclass
class Texts:
    """Texts without repeats.

    Attributes:
        known: the place of each.
    """

    known: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> int:
        """Where a text stands."""
        return self.known.setdefault(text, len(self.known))


def address(board: Board, cell: Cell) -> str:
    """A cell's name in links, which other results do not change."""
    group = board.group
    where = [group.suite, group.evaluated_on, group.protocol, group.data, *_student(board)]
    return files.digest([*where, cell.method, str(cell.budget)], 8)


def payload(boards: Sequence[Board]) -> Values:
    """All cells of all boards, as JSON values.

    Returns:
        ``groups``, ``students`` and ``sets`` that cells name by their place, ``texts``, and ``cells``. Cells and sets
        are lists of values in the order of ``fields`` and ``set_fields``.
    """
    groups = list(dict.fromkeys(board.group for board in boards))
    students = list(dict.fromkeys(board.student for board in boards))
    firsts = {board.group: board for board in reversed(boards)}
    few = sum(len(board.cells) for board in boards) <= MANY
    texts = Texts()
    sets: dict[tuple[str, ...], tuple[int, Values]] = {}
    cells = [
        {
            "id": address(board, standing.cell),
            "group": groups.index(board.group),
            "student": students.index(board.student),
            "set": _shared(standing.cell, sets, texts),
            **_cell(standing, texts),
            "evaluate": _round(standing.cell.evaluate_seconds),
            "classes": _classes(standing.cell) if few or board is firsts[board.group] else None,
        }
        for board in boards
        for standing in board.standings
    ]
    return {
        "groups": [_group(firsts[group]) for group in groups],
        "students": [{"name": s.name, "width": s.width, "parameters": s.parameters} for s in students],
        "texts": list(texts.known),
        "set_fields": list(next(iter(sets.values()))[1]) if sets else [],
        "sets": [list(values.values()) for _, values in sets.values()],
        "fields": list(cells[0]) if cells else [],
        "cells": [list(cell.values()) for cell in cells],
    }


def _shared(cell: Cell, sets: dict[tuple[str, ...], tuple[int, Values]], texts: Texts) -> int:
    """Where it stands what is known of a cell's distilled sets."""
    results = [*(result for result, _ in cell.done), *cell.failed]
    key = (cell.method, *(result.id for result in results))
    if key not in sets:
        sets[key] = len(sets), {**_cost(cell), **_trials(cell, results, texts)}
    return sets[key][0]


def _student(board: Board) -> tuple[str, int, int]:
    return board.student.name, board.student.width, board.student.parameters


def _group(board: Board) -> Values:
    data = board.cells[0].dataset
    return {
        "suite": board.group.suite,
        "dataset": board.group.dataset_title,
        "name": data.name,
        "heading": board.heading,
        "partial": data.partial,
        "evaluated_on": board.group.evaluated_on,
        "protocol": board.group.protocol,
        "chance": _round(board.chance),
        "classes": data.class_names,
    }


def _cell(standing: Standing, texts: Texts) -> Values:
    cell, gains = standing.cell, standing.gains
    own = _kind(cell.runs, cell.top1, standing.against_random)
    result, beside = cell.any_result, standing.beside_random
    kinds = {
        "hard": _kind(with_labels(cell, "hard"), gains.hard, gains.hard_gain),
        "soft": _kind(with_labels(cell, "soft"), gains.soft, gains.soft_gain),
        "augmented": _kind(runs_of(cell, condition="own-augmented"), gains.augmented, gains.augmented_gain),
    }
    return {
        "method": texts.place(cell.method),
        "base": texts.place(result.method),
        "pool": texts.place(cell.taken_from),
        "budget": None if cell.budget is None else [str(cell.budget), int(cell.budget.in_bytes), cell.budget.value],
        "ipc": cell.ipc,
        "rank": standing.rank,
        "tied": int(standing.tied),
        "marks": [texts.place(mark) for mark in marks(cell)],
        "missing": texts.place(formats.remarks(standing)),
        "own": _corrected(own, beside),
        **{name: 0 if kind == own else kind for name, kind in kinds.items()},  # 0: the same as its own
        "p": _round(beside.adjusted, 4) if beside else None,
        "share": _round(standing.share_of_full),
        **{name: _accuracy(getattr(cell, name)) for name in ("top5", "macro", "shuffled", "still")},
        **{name: _estimate(getattr(gains, name), 4) for name in ("ior", "hlr", "lrs", "ars")},
        "seeds": len(cell.seeds),
        "expected": len(standing.expected),
        "networks": cell.networks,
    }


def marks(cell: Cell) -> list[str]:
    """What a reader should know of a cell before comparing it."""
    known = {
        "control": cell.control,
        "reconstruction": cell.reconstruction,
        "soft labels": any(result.labels == "soft" for result, _ in cell.done),
        "own step size": cell.step_size is not None,
        "few seeds": cell.few and cell.top1 is not None,
        "verified": bool(cell.done) and all(result.verified for result, _ in cell.done),
        "partial data": cell.dataset.partial,
    }
    return [mark for mark, holds in known.items() if holds]


def _kind(runs: Runs, top1: Estimate | None, gain: Estimate | None) -> list[Any] | None:
    """Mean, ends of the interval, spread, what was averaged, and the difference to random of the same kind.

    The difference ends with 1 where at least three seeds tell it from zero, and else with 0.
    """
    if top1 is None:
        return None
    difference = gain and [*_estimate(gain), int(gain.significant)]
    return [*_accuracy(top1), [_round(value) for value in repeats(runs)[0]], difference]


def _corrected(own: list[Any] | None, beside: Comparison | None) -> list[Any] | None:
    """Scores whose difference is told from zero only where the test that is corrected for the table does, too."""
    if own is None or not own[-1] or (beside and beside.apart):
        return own
    return [*own[:-1], [*own[-1][:-1], 0]]


def _accuracy(value: Estimate | None) -> Any:
    """Mean, ends of the interval as far as an accuracy can go, and spread."""
    if value is None:
        return None
    ends = [None if end is None else _round(min(max(end, 0), 100)) for end in (value.low, value.high)]
    return [_shown(value.mean), *ends, _shown(value.spread)]


def _estimate(value: Estimate | None, decimals: int = 2) -> Any:
    return value and [_round(part, decimals) for part in (value.mean, value.low, value.high, value.spread)]


def _cost(cell: Cell) -> Values:
    return {
        "clips": _round(cell.stored_clips),
        "bytes": _round(cell.stored_bytes, 0),
        "distill": _round(cell.distill_seconds),
    }


def _trials(cell: Cell, results: Sequence[Result], texts: Texts) -> Values:
    """What a reader needs to repeat the cell, and to believe it."""
    checked = [result.verified.difference for result, _ in cell.done if result.verified]
    return {
        "command": texts.place(repeat_command(results)),
        "settings": texts.place(_settings(cell.any_result)),
        "saw": texts.place(formats.seen(cell)),
        "machines": [texts.place(text) for text in sorted(formats.machine(m) for m in cell.environments)],
        "trials": [texts.place(_trial(result)) for result in results],
        "verified": [len(checked), _round(max(checked), 4)] if checked else None,
        "step": _round(cell.step_size, 6),
        "codec": texts.place(", ".join(sorted({result.stored_as or "" for result in results} - {""}))),
    }


def _settings(result: Result) -> str:
    """One a line: its name and value, marked where the suite prescribes it."""
    prescribed = flat(result.prescribed)
    lines = [
        f"{name} = {value}{' (suite)' if prescribed.get(name) == value else ''}"
        for name, value in sorted(flat(result.settings).items())
    ]
    return "\n".join(lines)


def _trial(result: Result) -> str:
    """Seed, id, and the artefact's SHA-256 or the failure."""
    if result.failure:
        return f"{result.seed} {result.id} {result.failure.kind}: {result.failure.message}"
    return f"{result.seed} {result.id} {(result.artefact or '')[:HASH]}"


def _classes(cell: Cell) -> Values | None:
    """How each class fares, in percent of its test clips."""
    counts, size = cell.confusion, cell.dataset.classes
    if not counts:
        return None
    totals = [0] * size
    for (label, _), clips in counts.items():
        totals[label] += clips

    def share(label: int, guess: int) -> int:
        return round(100 * counts.get((label, guess), 0) / totals[label]) if totals[label] else 0

    if size <= SMALL:
        return {"matrix": [share(label, guess) for label in range(size) for guess in range(size)]}
    return {"right": [share(label, label) for label in range(size)], "confused": _pairs(counts, share)}


def _pairs(counts: Mapping[tuple[int, int], int], share: Callable[[int, int], int]) -> list[tuple[int, int, int]]:
    wrong = [(share(label, guess), label, guess) for label, guess in counts if label != guess]
    worst = sorted(wrong, key=lambda pair: (-pair[0], pair[1:]))[:PAIRS]
    return [(label, guess, percent) for percent, label, guess in worst]


def _shown(value: float | None) -> float | int | None:
    """Rounded, unless that would show another tenth than the tables do."""
    rounded = _round(value)
    return rounded if formats.percent(rounded) == formats.percent(value) else value


def _round(value: float | None, decimals: int = 2) -> float | int | None:
    if value is None:
        return None
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded
