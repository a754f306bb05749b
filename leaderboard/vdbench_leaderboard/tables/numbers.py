"""Every cell as one row of plain values: what the CSV, the JSON and the page's list of all results hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from vdbench_leaderboard.tables import board_words, compute, health, settings
from vdbench_leaderboard.tables.formats import parts, rounded
from vdbench_leaderboard.tables.interval_columns import interval_columns

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.boards import Board, Standing
    from vdbench_leaderboard.tables.outcomes import Outcomes

SCORES = ("top5", "macro", "shuffled", "still")
GAINS = (
    *("hard", "hard_gain", "soft", "soft_gain", "augmented", "augmented_gain"),
    *("ior", "hlr", "lrs", "ars"),
)
COSTS = ("stored_clips", "stored_bytes", "distill_seconds", "evaluate_seconds")


def numbers(boards: Sequence[Board], outcomes: Outcomes) -> pd.DataFrame:
    """Every cell as one row of plain values: suite, data, student, method and IPC first, then all that was measured.

    The columns about pools are there where some method chose from a generated one, ``health`` where some clips were not
    learned well, and those of :func:`vdbench_leaderboard.tables.interval_columns.interval_columns` where some result
    keeps outcomes per clip. The last ones are those of :func:`vdbench_leaderboard.tables.settings.columns` and
    :func:`vdbench_leaderboard.tables.compute.columns`, where a suite has other settings of the evaluation, or students
    were tested on their way.
    """
    frame = pd.DataFrame([record(board, standing) for board in boards for standing in board.standings])
    more = (interval_columns(boards, outcomes), settings.columns(boards), compute.columns(boards))
    frame = pd.concat([frame, *(part for part in more if part is not None)], axis=1)
    if "generated" not in set(frame["pool"]):
        frame = frame.drop(columns=["pool", "generator_saw"])
    if frame["health"].isna().all():
        frame = frame.drop(columns="health")
    return frame.astype({"ipc": "Int64", "budget_bytes": "Int64", "rank": "Int64"})


def record(board: Board, standing: Standing) -> dict[str, Any]:
    """One row of :func:`numbers`, by column."""
    cell, data, versus = standing.cell, standing.cell.dataset, standing.random_comparison
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
        "failures": board_words.kinds(cell.failures) or None,
        **parts("top1", cell.top1),
        "top1_over": cell.top1.over if cell.top1 else None,
        **{name: part for score in SCORES for name, part in parts(score, cell.score(score)).items()},
        "step_size": cell.step_size,
        "health": health.short(cell) or None,
        **parts("against_random", standing.against_random),
        "against_random_p": rounded(versus.adjusted) if versus else None,
        **{name: part for gain in GAINS for name, part in parts(gain, getattr(standing.gains, gain)).items()},
        "share_of_full": rounded(standing.share_of_full),
        "chance": rounded(cell.chance),
        "rank": standing.rank,
        "tied": standing.tied,
        **{cost: rounded(getattr(cell, cost)) for cost in COSTS},
    }
