"""The leaderboard's tables as data frames: numbers for programs, and texts for Markdown, LaTeX and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from vdbench_leaderboard import formats

if TYPE_CHECKING:
    from vdbench_leaderboard.conditions import Gains
    from vdbench_leaderboard.pools import Factorial, Gap, Mean, Pair, Selector
    from vdbench_leaderboard.standings import Board, Standing
    from vdbench_leaderboard.statistics import Estimate


def numbers(boards: Sequence[Board]) -> pd.DataFrame:
    """Every cell as one row of plain values: suite, data, student, method and IPC first, then all that was measured.

    The columns about pools are there where some method chose from a generated one.
    """
    frame = pd.DataFrame([_numbers(board, standing) for board in boards for standing in board.standings])
    if "generated" not in set(frame["pool"]):
        frame = frame.drop(columns=["pool", "generator_saw"])
    return frame.astype({"ipc": "Int64", "budget_bytes": "Int64", "rank": "Int64"})


def summary(board: Board) -> pd.DataFrame:
    """The main table as texts: a row per method, a column per IPC."""
    return pd.DataFrame(
        [[formats.method(row), *(formats.result(standing) for standing in row.standings)] for row in board.rows],
        columns=_columns(board),
    )


def bounds(board: Board) -> pd.DataFrame:
    """What closes the main table, as texts in its columns: methods without a budget, and chance."""
    width = max(1, len(board.budgets))
    rows = [[f"{formats.method(row)} ({board.role(row)})", *map(formats.result, row.standings)] for row in board.bounds]
    return pd.DataFrame([*rows, ["chance", *[formats.percent(board.chance)] * width]], columns=_columns(board))


def legend(boards: Sequence[Board]) -> list[str]:
    """The marks of methods that occur in these main tables, each with what it means."""
    found = {mark for board in boards for row in (*board.rows, *board.bounds) for mark in formats.marks(row)}
    return [f"{mark} {meaning}" for mark, meaning in formats.MARKS.items() if mark in found]


@dataclass(frozen=True)
class Entry:
    """A text of the table of pools: what counts, and what goes below it in small."""

    text: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.text}, {self.note}" if self.note else self.text


def pools(factorial: Factorial) -> pd.DataFrame:
    """The selectors on both pools, in entries: a row per selector, three columns per IPC, and the means at the end."""
    parts = [pools_at(factorial, place) for place in range(len(factorial.budgets))]
    named = [
        part[["real", "generated", "Δ"]].add_prefix(f"{budget} ")
        for budget, part in zip(factorial.budgets, parts, strict=True)
    ]
    return pd.concat([parts[0][["selector"]], *named], axis=1)


def pools_at(factorial: Factorial, place: int) -> pd.DataFrame:
    """The same at one of the IPCs, for paper and terminals, which are narrow."""
    rows = [[_selector(row), *_pair(row.pairs[place])] for row in factorial.selectors]
    rows += [[Entry(row.label), *_mean(row.means[place])] for row in factorial.means]
    return pd.DataFrame(rows, columns=["selector", "real", "generated", "Δ"])


def pool_remarks(factorial: Factorial) -> list[str]:
    """What a reader of this table should know, as sentences."""
    unequal, single = ", ".join(factorial.unequal), ", ".join(factorial.one_sided)
    return [f"Not at equal bytes, so that Δ is not the pool's alone: {unequal}."] * bool(unequal) + [
        f"Run on one pool only, and not shown: {single}."
    ] * bool(single)


def _selector(selector: Selector) -> Entry:
    return Entry(selector.label + " [reconstruction]" * selector.cell.reconstruction)


def _pair(pair: Pair) -> list[Entry]:
    sides = [
        Entry(formats.result(side, ranked=False), _size(side.cell.stored_bytes if side else None))
        for side in (pair.real, pair.generated)
    ]
    return [*sides, _gap(pair.gap, formats.gap_remarks(pair.gap))]


def _mean(mean: Mean) -> list[Entry]:
    sides = ((mean.real, mean.real_bytes), (mean.generated, mean.generated_bytes))
    entries = [Entry(formats.estimate(top1), _size(stored)) for top1, stored in sides]
    return [*entries, _gap(mean.gap, formats.mean_remarks(mean))]


def _size(stored: float | None) -> str:
    return "" if stored is None else formats.size(stored)


def _gap(gap: Gap | None, remarks: list[str]) -> Entry:
    interval = [formats.interval(gap.value)] if gap and gap.value and gap.value.low is not None else []
    return Entry(formats.gap(gap), ", ".join([*interval, *remarks]))


def _columns(board: Board) -> list[str]:
    return ["method", *map(str, board.budgets)] if board.budgets else ["method", "top-1"]


def _numbers(board: Board, standing: Standing) -> dict[str, Any]:
    cell, data = standing.cell, standing.cell.dataset
    return {
        "suite": board.group.suite,
        "protocol": board.group.protocol,
        "dataset": data.name,
        "split": data.split,
        "fingerprint": data.fingerprint,
        "evaluated_on": board.group.evaluated_on,
        "partial": data.partial,
        "classes": data.classes,
        "classes_total": data.classes_total,
        "clips": data.clips,
        "clips_total": data.clips_total,
        "student": board.student.name,
        "width": board.student.width,
        "parameters": board.student.parameters,
        "method": cell.method,
        "version": cell.any_result.method_version,
        "pool": cell.pool,
        "ipc": cell.ipc,
        "budget_bytes": cell.budget.value if cell.budget and cell.budget.in_bytes else None,
        "codec": cell.any_result.codec,
        "stored_as": " ".join(sorted({result.stored_as or "" for result, _ in cell.done} - {""})) or None,
        "control": cell.control,
        "reconstruction": cell.reconstruction,
        "origin": cell.origin or None,
        "generator_saw": cell.generator_saw,
        "seeds": len(cell.seeds),
        "seeds_expected": len(standing.expected),
        "networks": sum(len(networks) for networks in cell.runs.values()),
        "failed": sum(cell.failures.values()),
        "failures": formats.kinds(cell.failures) or None,
        **_estimate("top1", cell.top1),
        "top1_over": cell.top1.over if cell.top1 else None,
        **_estimate("top5", cell.top5),
        **_estimate("macro", cell.macro),
        **_estimate("shuffled", cell.shuffled),
        **_estimate("still", cell.still),
        "step_size": cell.step_size,
        **_estimate("against_random", standing.against_random),
        "against_random_p": _rounded(standing.beside_random.adjusted) if standing.beside_random else None,
        **_gains(standing.gains),
        "share_of_full": _rounded(standing.share_of_full),
        "chance": _rounded(cell.chance),
        "rank": standing.rank,
        "tied": standing.tied,
        "stored_clips": _rounded(cell.stored_clips),
        "stored_bytes": _rounded(cell.stored_bytes),
        "distill_seconds": _rounded(cell.distill_seconds),
        "evaluate_seconds": _rounded(cell.evaluate_seconds),
    }


def _gains(gains: Gains) -> dict[str, Any]:
    estimates = ("hard", "hard_gain", "soft", "soft_gain", "augmented", "augmented_gain")
    found: dict[str, Any] = {}
    for name in estimates:
        found |= _estimate(name, getattr(gains, name))
    for name in ("ior", "hlr", "lrs", "ars"):
        found |= _estimate(name, getattr(gains, name))
    return found


def _estimate(name: str, value: Estimate | None) -> Mapping[str, float | None]:
    ends = ("", "mean"), ("_spread", "spread"), ("_low", "low"), ("_high", "high")
    return {name + suffix: _rounded(getattr(value, field, None)) for suffix, field in ends}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0  # + 0.0: a difference of nothing is 0, never -0
