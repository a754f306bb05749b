"""Errors and power of tests with moderated variances, beside those of Student's t, where variances are alike and not.

Blocks of cells are drawn whose seeds are normal with planted variances, by themselves or, as differences to one control
are, half of their variance in common. Under no difference at most 5 % of tests should find one; the power is that for a
difference of five points where seeds differ by three.

    python benchmarks/moderation.py --blocks 4000 --out moderation.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.moderated import moderate

POINTS, SPREAD = 5.0, 3.0
"""The difference that is to be found, and the standard deviation of seeds."""


@dataclass(frozen=True)
class Rates:
    """Shares of tests that find a difference, in percent.

    Attributes:
        error: of moderated tests, where there is none.
        worst: the same of the cell that errs most.
        power: of moderated tests, where there is one of five points.
        error_plain: of Student's t.
        power_plain: of Student's t.
        borrowed: share of tests that borrowed.
    """

    error: float
    worst: float
    power: float
    error_plain: float
    power_plain: float
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
    wrong, right = _found(noise), _found(noise + POINTS)
    error = 100 * wrong[0].mean(axis=0)
    return Rates(
        error=float(error.mean()),
        worst=float(error.max()),
        power=float(100 * right[0].mean()),
        error_plain=_found_plainly(noise),
        power_plain=_found_plainly(noise + POINTS),
        borrowed=float(100 * wrong[1].mean()),
    )


def _found(blocks: np.ndarray) -> np.ndarray:
    """Of every cell of every block, whether a difference was found, and whether it borrowed."""
    told = [moderate(dict(enumerate(block))).cells.values() for block in blocks]
    return np.moveaxis(np.array([[(cell.p < 0.05, cell.borrowed) for cell in cells] for cells in told]), 2, 0)


def _found_plainly(blocks: np.ndarray) -> float:
    """Share of cells in which Student's t finds a difference, in percent."""
    return float(100 * (np.array(stats.ttest_1samp(blocks, 0, axis=2).pvalue) < 0.05).mean())


def main() -> None:
    """Print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=4000, help="simulated blocks per row")
    parser.add_argument("--cells", type=int, nargs="+", default=[8, 12, 30])
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--out", type=Path, default=None, help="also write the table here")
    asked = parser.parse_args()
    lines = [
        "| seeds | cells | variances | in common | error | worst cell | borrowed | power | t: error | t: power |",
        "|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines))
    for seeds in asked.seeds:
        for cells in asked.cells:
            for name, variances in worlds(cells).items():
                for common in (0.0, 0.5):
                    got = rates(variances, seeds, max(200, asked.blocks * 8 // cells), common)
                    lines.append(
                        f"| {seeds} | {cells} | {name} | {common:.0%} | {got.error:.1f} % | {got.worst:.1f} % | "
                        f"{got.borrowed:.0f} % | {got.power:.0f} % | {got.error_plain:.1f} % | "
                        f"{got.power_plain:.0f} % |"
                    )
                    print(lines[-1], flush=True)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
