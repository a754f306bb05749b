"""How often ranks of equally good methods differ, and what intervals of average ranks and interquartile means hold.

Worlds are those of ``coverage.py``. Of columns of equally good methods those are counted in which the leader, who is
chosen from the same numbers, is told from another one, so that they show more than one rank. Of five that differ
it counts the intervals that hold what is true of them over all seeds and sources.

    python benchmarks/ranking.py --columns 400 --worlds 300 --out ranking.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
from vdbench_leaderboard.statistics.columns import ClipColumn, SeedColumn
from vdbench_leaderboard.statistics.pigeonhole import CrossedBlock, resample
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Question

sys.path.append(str(Path(__file__).parents[1]))  # a script finds its neighbours alone
from benchmarks.coverage import World  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS, FULL = (0.8, 0.9, 1.3, 0.2, 1.0), 95.0
"""Of the methods that differ, and the accuracy of ``full`` in percent, which scales them."""
METHODS, SEEDS = (4, 12, 24), (3, 5, 10)


class Held(NamedTuple):
    """Shares of intervals that hold the truth, in percent.

    Attributes:
        ranks: of average ranks, on other clips.
        middles: of interquartile means, on other clips.
        middles_these: of interquartile means on these test clips, which speak of something else.
    """

    ranks: float
    middles: float
    middles_these: float


def told_apart(methods: int, seeds: int, columns: int, question: Question, seed: int = 0) -> float:
    """Share of columns of equally good methods that show more than one rank, in percent.

    On these test clips, methods differ in nothing but seeds and coins, so that they are equally good there, too.
    """
    world = World(level=(0.8,) * methods, seeds=seeds, shared=1.0 if question == THESE else 0.7)
    more = 0
    for won in _drawn(world, columns, seed):
        if question == THESE:
            runs = {f"m{place}": _runs(one) for place, one in enumerate(won)}
            ranks = SeedColumn(runs).ranks()
        else:
            ranks = ClipColumn(_answered(world, won)).ranks()
        more += len(set(ranks.values())) > 1
    return 100 * more / columns


def held(seeds: int, sources: int, worlds: int, draws: int = 600, seed: int = 5) -> Held:
    """Of five methods that differ."""
    world = World(level=LEVELS, seeds=seeds, sources=sources)
    truth, chance = np.array(world.truth()), 100 / world.classes
    true_ranks, scores = stats.rankdata(-truth), (truth - chance) / (FULL - chance)
    found = []
    for won in _drawn(world, worlds, seed):
        methods = _answered(world, won)
        full = _answered(world, np.full_like(won[:1], FULL))["m0"]
        block = CrossedBlock("planted", {method: [one] for method, one in methods.items()}, chance, [full])
        others, these = resample([block], OTHERS, draws), resample([block], THESE, draws)
        if others is None or these is None:
            raise ValueError("too few seeds or methods")
        pairs = ((others.ranks, true_ranks), (others.middles, scores), (these.middles, scores))
        found.append(
            [
                np.mean([ends[m].low <= value <= ends[m].high for m, value in zip(methods, true, strict=True)])
                for ends, true in pairs
            ]
        )
    return Held(*(100 * np.mean(found, axis=0)).tolist())


def _drawn(world: World, worlds: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """One world after the other, ``(methods, seeds, clips)``."""
    rng = np.random.default_rng(seed)
    for _ in range(worlds):
        yield world.answers(rng, 1)[:, 0].astype(np.float64)


def _runs(won: NDArray[np.float64]) -> dict[int, dict[int, float]]:
    return {seed: {0: float(mean)} for seed, mean in enumerate(won.mean(axis=-1))}


def _answered(world: World, won: NDArray[np.float64]) -> dict[str, ClipOutcomes]:
    of = world.of_each_clip()
    return {
        f"m{place}": ClipOutcomes(dict(enumerate(one)), "planted", of % world.classes, of)
        for place, one in enumerate(won)
    }


def ranks_table(columns: int) -> Iterator[str]:
    """Lines of Markdown: columns of equally good methods with more than one rank."""
    yield "| equally good methods | seeds | on these test clips | on other clips |"
    yield "|--:|--:|--:|--:|"
    for methods in METHODS:
        for seeds in SEEDS:
            these = told_apart(methods, seeds, 5 * columns, THESE)
            others = told_apart(methods, seeds, columns, OTHERS)
            yield f"| {methods} | {seeds} | {these:.1f} % | {others:.1f} % |"


def bootstrap_table(worlds: int) -> Iterator[str]:
    """Lines of Markdown: intervals of five methods that hold the truth."""
    yield "| seeds | sources | average ranks | interquartile means | the same, seeds alone drawn |"
    yield "|--:|--:|--:|--:|--:|"
    for seeds in SEEDS[1:]:
        for sources in (20, 49, 150):
            got = held(seeds, sources, worlds)
            yield f"| {seeds} | {sources} | {got.ranks:.1f} % | {got.middles:.1f} % | {got.middles_these:.1f} % |"


def main() -> None:
    """Print both tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=400, help="simulated, per row; five times on these clips")
    parser.add_argument("--worlds", type=int, default=300, help="simulated, per row of intervals")
    parser.add_argument("--only", choices=["ranks", "intervals"], default=None, help="one of the two tables")
    parser.add_argument("--out", type=Path, default=None, help="also write the tables here")
    asked = parser.parse_args()
    tables = {"ranks": ranks_table(asked.columns), "intervals": bootstrap_table(asked.worlds)}
    lines = []
    for table in [tables[asked.only]] if asked.only else tables.values():
        for line in table:
            print(line, flush=True)
            lines.append(line)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
