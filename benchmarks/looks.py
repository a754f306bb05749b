"""How often tests over seeds err: after a fixed number of seeds, and where one looks again while seeds are added.

Differences of equally good methods are drawn for twenty seeds, normal or not, of equal variance or not, and with
networks that seeds share, as they share encoders, teachers and experts. Each is tested at 5 %: once, at each look of
``vdbench run --until`` with its levels, and at each look with the plain test, which nobody should do. Giving up hope,
which ``--until`` does as well, can only make errors rarer.

    python benchmarks/looks.py --paths 40000 --out looks.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.sequential import levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

ERROR, FIRST, MOST = 0.05, 3, 20
FIXED, UNTIL = (3, 5, 10, 20), (8, 10, 20)
"""Seeds of the tests that are made once, and of the last looks of searches."""
DRAWS = 3
"""Networks that the suites draw; seed ``s`` uses number ``s % 3``."""
RATIOS = (0.14, 0.25, 0.5, 1.0, 2.0)
"""Of the variance between shared networks and that between seeds."""


def worlds(paths: int, seed: int = 0) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Differences without a mean, ``(paths, MOST)``, each with its name."""
    rng = np.random.default_rng(seed)
    size = (paths, MOST)
    yield "normal", rng.standard_normal(size)
    yield "every second seed five times as spread", rng.standard_normal(size) * np.where(np.arange(MOST) % 2, 5, 1)
    yield "long tails: Student's with 4 degrees", rng.standard_t(4, size)
    yield "skewed: gamma of shape 4", rng.gamma(4, size=size) - 4
    clips = rng.binomial(241, 0.6, size) - rng.binomial(241, 0.6, size)
    yield "shares of 241 independent clips", clips.astype(np.float64)
    for ratio in RATIOS:
        yield f"{DRAWS} draws, {ratio:g} of the variance of seeds", shared(rng, paths, ratio, DRAWS)
    for draws in (5, 10, MOST):
        yield f"{draws} draws, as much as seeds", shared(rng, paths, 1.0, draws)


def shared(rng: np.random.Generator, paths: int, ratio: float, draws: int) -> NDArray[np.float64]:
    """Differences of seeds that share so many networks."""
    networks = rng.standard_normal((paths, draws)) * np.sqrt(ratio)
    return np.asarray(networks[:, np.arange(MOST) % draws] + rng.standard_normal((paths, MOST)))


def once(differences: NDArray[np.float64], seeds: int) -> float:
    """Share of t-tests of the first seeds that find a difference, in percent."""
    return float(100 * (_p_values(differences[:, :seeds]) < ERROR).mean())


def looking(differences: NDArray[np.float64], most: int, *, plain: bool = False) -> float:
    """Share of searches until so many seeds that find a difference at any look, in percent.

    Args:
        differences: ``(paths, seeds)``.
        most: seeds of the last look.
        plain: test at 5 % at each look.
    """
    looks = tuple(range(FIRST, most + 1))
    found = np.zeros(len(differences), dtype=np.bool_)
    for seeds, level in zip(looks, levels(looks, ERROR), strict=True):
        found |= _p_values(differences[:, :seeds]) < (ERROR if plain else level)
    return float(100 * found.mean())


def _p_values(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where nothing varies, that of flipping all signs, as in every table."""
    seeds, mean, std = differences.shape[1], differences.mean(axis=1), differences.std(axis=1, ddof=1)
    t = np.abs(mean) * np.sqrt(seeds) / np.where(std > 0, std, 1)
    equal = np.where(mean == 0, 1.0, 2.0 ** (1 - seeds))
    return np.asarray(np.where(std > 0, 2 * stats.t.sf(t, seeds - 1), equal))


def table(paths: int) -> Iterator[str]:
    """Lines of Markdown, a row per world."""
    heads = [f"{seeds} seeds" for seeds in FIXED] + [f"--until, at most {most}" for most in UNTIL]
    yield f"| differences of seeds | {' | '.join(heads)} | plain test at each look to {MOST} |"
    yield f"|---|{'--:|' * (len(heads) + 1)}"
    for name, drawn in worlds(paths):
        shares = [once(drawn, seeds) for seeds in FIXED] + [looking(drawn, most) for most in UNTIL]
        cells = [*shares, looking(drawn, MOST, plain=True)]
        yield f"| {name} | {' | '.join(f'{share:.1f} %' for share in cells)} |"


def main() -> None:
    """Print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=40_000, help="simulated searches per row")
    parser.add_argument("--out", type=Path, default=None, help="also write the table here")
    asked = parser.parse_args()
    lines = []
    for line in table(asked.paths):
        print(line, flush=True)
        lines.append(line)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
