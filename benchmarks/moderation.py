"""Errors and power of tests with moderated variances, beside those of Student's t, where variances are alike and not.

Blocks of cells are drawn whose seeds are normal with planted variances, by themselves or, as differences to one control
are, half of their variance in common. Under no difference at most 5 % of tests should find one, and after the
correction of the tables at most 5 % of blocks should show any; the power is that for a difference of five points where
seeds differ by three.

    python benchmarks/moderation.py --blocks 600 --out moderation.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.comparisons import corrected
from vdbench_leaderboard.statistics.moderated import moderate

POINTS, SPREAD, ERROR = 5.0, 3.0, 0.05
"""The difference that is to be found, the standard deviation of seeds, and the error that is allowed."""
HEADS = (
    *("seeds", "cells", "variances", "in common", "borrowed", "error", "worst cell", "t: error", "any error"),
    *("t: any error", "power", "t: power", "corrected power", "t: corrected power"),
)


@dataclass(frozen=True)
class Found:
    """Shares of tests that find a difference, in percent.

    Attributes:
        error: where there is none.
        worst: the same of the cell that errs most.
        any_error: share of blocks in which a corrected test finds one where there is none.
        power: where there is one of five points.
        corrected_power: the same of corrected tests.
    """

    error: float
    worst: float
    any_error: float
    power: float
    corrected_power: float


@dataclass(frozen=True)
class Rates:
    """Of one world.

    Attributes:
        moderated: of moderated tests.
        plain: of Student's t on the same draws.
        borrowed: share of cells that borrowed, in percent.
    """

    moderated: Found
    plain: Found
    borrowed: float


def worlds(cells: int) -> dict[str, Sequence[float]]:
    """Variances of the cells of a block, with a mean of 1."""
    rest = [1.0] * (cells - 1)
    shapes = {
        "equal": [1.0, *rest],
        "half of them nine times as large": [1.0] * (cells // 2) + [9.0] * (cells - cells // 2),
        "one 25 times as large": [25.0, *rest],
        "one 100 times as large": [100.0, *rest],
        "over a range of 20": np.exp(np.linspace(-1.5, 1.5, cells)).tolist(),
        "one 25 times as small": [0.04, *rest],
        "drawn about one, 4 degrees": (1 / stats.chi2.ppf((np.arange(cells) + 0.5) / cells, 4)).tolist(),
    }
    return {name: [variance * cells / sum(shape) for variance in shape] for name, shape in shapes.items()}


def rates(variances: Sequence[float], seeds: int, blocks: int, common: float = 0.0, seed: int = 0) -> Rates:
    """Draw blocks and test every cell of them, with a difference and without.

    Args:
        variances: of each cell.
        seeds: per cell.
        blocks: how many.
        common: share of the variance that cells have in common.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    own, shared = rng.normal(size=(blocks, len(variances), seeds)), rng.normal(size=(blocks, 1, seeds))
    noise = (np.sqrt(1 - common) * own + np.sqrt(common) * shared) * SPREAD * np.sqrt(variances)[:, None]
    told = [[*moderate(dict(enumerate(block))).cells.values()] for block in noise]
    means = noise.mean(axis=2)
    spread = np.array([[(cell.variance, cell.freedom, cell.borrowed) for cell in cells] for cells in told])
    variance, freedom, borrowed = np.moveaxis(spread, 2, 0)
    plain = np.full_like(means, seeds - 1)
    return Rates(
        _found(means, variance / seeds, freedom),
        _found(means, noise.var(axis=2, ddof=1) / seeds, plain),
        float(100 * borrowed.mean()),
    )


def _found(means: np.ndarray, variances: np.ndarray, freedom: np.ndarray) -> Found:
    """By tests of means, ``(blocks, cells)``, as they are and with the difference added, which changes no variance."""
    wrong, right = (_p_values(some, variances, freedom) for some in (means, means + POINTS))
    error = 100 * (wrong < ERROR).mean(axis=0)
    return Found(
        error=float(error.mean()),
        worst=float(error.max()),
        any_error=float(100 * (_corrected(wrong) < ERROR).any(axis=1).mean()),
        power=float(100 * (right < ERROR).mean()),
        corrected_power=float(100 * (_corrected(right) < ERROR).mean()),
    )


def _p_values(means: np.ndarray, variances: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    return np.asarray(2 * stats.t.sf(np.abs(means) / np.sqrt(variances), freedom))


def _corrected(p: np.ndarray) -> np.ndarray:
    """For all cells of a block, as tables do for all methods of a column."""
    every = [corrected(dict(enumerate(row))) for row in p.tolist()]
    return np.array([[found[place] for place in range(p.shape[1])] for found in every])


def lines(blocks: int, cells: Sequence[int], seeds: Sequence[int]) -> Iterator[str]:
    """Of Markdown, a row per world."""
    yield f"| {' | '.join(HEADS)} |"
    yield f"|--:|--:|---|{'--:|' * (len(HEADS) - 3)}"
    for count in seeds:
        for size in cells:
            for name, variances in worlds(size).items():
                for common in (0.0, 0.5):
                    got = rates(variances, count, blocks, common)
                    ours, plain = got.moderated, got.plain
                    yield (
                        f"| {count} | {size} | {name} | {common:.0%} | {got.borrowed:.0f} % | {ours.error:.1f} % | "
                        f"{ours.worst:.1f} % | {plain.error:.1f} % | {ours.any_error:.1f} % | "
                        f"{plain.any_error:.1f} % | {ours.power:.0f} % | {plain.power:.0f} % | "
                        f"{ours.corrected_power:.0f} % | {plain.corrected_power:.0f} % |"
                    )


def main() -> None:
    """Print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=600, help="simulated blocks per row")
    parser.add_argument("--cells", type=int, nargs="+", default=[12], help="of a block")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10], help="of a cell")
    parser.add_argument("--out", type=Path, default=None, help="also write the table here")
    asked = parser.parse_args()
    table = []
    for line in lines(asked.blocks, asked.cells, asked.seeds):
        print(line, flush=True)
        table.append(line)
    if asked.out:
        asked.out.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
