"""A main table in words: what is said of its cells and rows, its marks, and what stands below it.

Sentences on a column, a verdict and both pools have modules of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vdbench_leaderboard.tables import health, own_recipes, pool_words
from vdbench_leaderboard.tables.formats import NOTHING, estimate

if TYPE_CHECKING:
    from vdbench.experiment.result import Environment
    from vdbench_leaderboard.tables.boards import Board, Row, Standing
    from vdbench_leaderboard.tables.cells import Cell

FEW_MARK = "†"
RECONSTRUCTION_MARK = "‡"
STEP_SIZE_MARK = "§"
MARKS = {
    RECONSTRUCTION_MARK: "a reconstruction: rebuilt from a description, because no code is public",
    STEP_SIZE_MARK: "students were trained with a step size that the method learned",
}
"""Marks behind the name of a method, and what they mean."""
AT_CHANCE = (
    "Not informative: even when trained on full, this student stays near chance, so its numbers do not compare the "
    "methods. The summary of the suite leaves it out."
)
"""Of a board whose student stays at chance whatever it is trained on."""


def parts(cell: Cell) -> str:
    """Clips of the data by part: ``328 train, 56 validation, 256 test clips``."""
    return ", ".join(f"{clips:,} {part}" for part, clips in cell.parts.items() if clips) + " clips"


def clips(cell: Cell) -> str:
    """What a method without a budget was trained on: ``train without validation, 78 of 94 clips``."""
    if cell.any_result.pool == "generated":
        return "all clips of the generated pool"
    train, held = cell.parts["train"], cell.parts["validation"]
    return f"train without validation, {train:,} of {train + held:,} clips" if held else f"all {train:,} train clips"


def kinds(failures: Mapping[str, int]) -> str:
    """Failure kinds with how often each came up: ``oom``, ``diverged × 2, oom``."""
    return ", ".join(kind if times == 1 else f"{kind} × {times}" for kind, times in failures.items())


def marks(row: Row) -> str:
    """The marks that a row earns, in the order of :data:`MARKS`; empty for most."""
    cells = [standing.cell for standing in row.shown]
    reconstruction = any(cell.reconstruction for cell in cells)
    learned = any(cell.step_size is not None for cell in cells)
    return RECONSTRUCTION_MARK * reconstruction + STEP_SIZE_MARK * learned


def method(row: Row) -> str:
    """The label of a row with its marks: ``tac-dt‡``."""
    return row.method + marks(row)


def rank(standing: Standing) -> str:
    """``1``, or ``1=`` where several methods share it; empty where there is none."""
    return "" if standing.rank is None else f"{standing.rank}{'=' if standing.tied else ''}"


def remarks(standing: Standing) -> str:
    """What keeps a reader from taking the number as it is: ``2 of 3 seeds, oom``; empty for a complete cell."""
    finished = len(standing.cell.seeds & standing.expected)
    seeds = "" if standing.complete else f"{finished} of {len(standing.expected)} seeds"
    return ", ".join(part for part in (seeds, kinds(standing.cell.failures)) if part)


def number_marks(standing: Standing) -> str:
    """The marks behind a number: ``¶``; empty for most."""
    cell = standing.cell
    return FEW_MARK * cell.few + health.SIGN * health.severe(cell) + own_recipes.SIGN * own_recipes.unshown(standing)


def result(standing: Standing | None, ranked: bool = True) -> str:
    """A cell as plain text: ``52.1 ± 1.3 (1=)``, ``31.0 ± 0.9¶ [2 of 3 seeds, oom]``, or the failure alone: ``oom``."""
    if standing is None:
        return NOTHING
    cell = standing.cell
    if cell.top1 is None:
        return kinds(cell.failures)
    parts = [estimate(cell.top1) + number_marks(standing)]
    if ranked and standing.rank is not None:
        parts.append(f"({rank(standing)})")
    if remarks(standing):
        parts.append(f"[{remarks(standing)}]")
    return " ".join(parts)


def seen(cell: Cell) -> str:
    """Encoder and generator of a cell's clips, and what they have seen; empty where there is none."""
    return "; ".join(
        [cell.origin] * bool(cell.origin) + ([f"pool: {pool_words.sampled(cell.sampled)}"] if cell.sampled else [])
    )


def data_seen(cell: Cell) -> str:
    """The same, or that only train clips were used; empty where neither is known."""
    return seen(cell) or ("train clips" if cell.pool == "real" else "")


def machine(value: Environment) -> str:
    """Versions and machine: ``vdbench 0.1.0, Python 3.11.9, torch 2.13.0; AMD EPYC, 2 CPU cores, Linux x86_64``."""
    versions = f"vdbench {value.vdbench}, Python {value.python}, torch {value.torch}"
    return f"{versions}; {value.device}, {value.cpus} CPU cores, {value.platform}"


def tags(cell: Cell) -> list[str]:
    """What a reader should know of a cell before comparing it."""
    known = {
        "control": cell.control,
        "reconstruction": cell.reconstruction,
        "soft labels": any(result.labels == "soft" for result, _ in cell.done),
        "own step size": cell.step_size is not None,
        "badly learned": health.severe(cell),
        "few seeds": cell.few and cell.top1 is not None,
        "verified": bool(cell.done) and all(result.verified for result, _ in cell.done),
        "partial data": cell.dataset.partial,
    }
    return [tag for tag, holds in known.items() if holds]


def legend(boards: Sequence[Board]) -> list[str]:
    """The marks of methods that occur in these main tables, each with what it means."""
    found = {mark for board in boards for row in (*board.rows, *board.bounds) for mark in marks(row)}
    return [f"{mark} {meaning}" for mark, meaning in MARKS.items() if mark in found]


def notes(board: Board) -> list[str]:
    """What keeps readers from taking numbers of a main table as they are, a sentence per mark."""
    return [*health.sentences(board), *own_recipes.sentences(board)]
