"""How often intervals hold the truth and tests err, where seeds and sources of test clips vary as in real results.

A network answers a clip right where a latent normal sum is positive: the method's level, its seed, the clip's source,
how these two fit, the clip, and a coin of their own. So the true accuracy is known in closed form, scores are shares of
right answers, and clips of one source are right or wrong together. The spread is planted to be that of MiniC3D on clips
of UCF101: with 49 sources the standard error by sources is about 6 points, and seeds differ by 1 to 4 points.

    python benchmarks/coverage.py --worlds 4000 --out coverage.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.two_way import OTHERS, THESE, Parts, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS, SOURCES = (3, 5, 10), (20, 49, 150, 350)
ERRORS = (0.05, 0.01, 0.002, 0.0005)
"""At which tests are tried; 0.002 is what a correction for some 25 methods asks of each at 5 %."""
AT_ONCE = 10_000_000
"""Answers that are drawn at a time."""


@dataclass(frozen=True)
class World:
    """What varies, as standard deviations of the latent sum beside a coin of 1.

    Attributes:
        seeds: drawn per method.
        sources: drawn, over all classes.
        clips: of each source, about; ``uneven`` draws them from 1 to twice as many, and a few with five times as many.
        level: of each method in the latent sum; 0 is right in half of the cases.
        seed: of seeds.
        source: of sources.
        fit: of seeds with sources.
        clip: of clips within their source.
        classes: how many there are.
        class_spread: of the fixed levels of classes.
        shared: share of the variance of sources, clips and fits that two methods have in common.
        shared_seed: share of the variance of seeds that they have in common.
        uneven: whether sources are of very different size.
    """

    seeds: int = 3
    sources: int = 49
    clips: int = 5
    level: tuple[float, ...] = (0.8,)
    seed: float = 0.2
    source: float = 3.0
    fit: float = 0.8
    clip: float = 0.8
    classes: int = 7
    class_spread: float = 0.5
    shared: float = 0.7
    shared_seed: float = 0.3
    uneven: bool = False

    def truth(self) -> list[float]:
        """The accuracy of each method over all seeds, sources and clips, in percent."""
        spread = np.sqrt(1 + self.seed**2 + self.source**2 + self.fit**2 + self.clip**2)
        weight = np.bincount(self._labels(), minlength=self.classes) / len(self._labels())
        return [float(100 * weight @ stats.norm.cdf((level + self._hard()) / spread)) for level in self.level]

    def draw(self, rng: np.random.Generator, worlds: int) -> NDArray[np.float32]:
        """Right answers in percent, ``(methods, worlds, seeds, clips)``."""
        of = self.of_each_clip()
        place = (self._hard()[self._labels()] + np.array(self.level)[:, None])[:, None, None, :]
        size = (worlds, self.seeds, self.sources)
        seed = self._common(rng, (worlds, self.seeds, 1), self.shared_seed) * self.seed
        source = (self._common(rng, (worlds, 1, self.sources), self.shared) * self.source)[..., of]
        fit = (self._common(rng, size, self.shared) * self.fit)[..., of]
        clip = self._common(rng, (worlds, 1, len(of)), self.shared) * self.clip
        coin = rng.standard_normal((len(self.level), worlds, self.seeds, len(of)), dtype=np.float32)
        right: NDArray[np.bool_] = place + seed + source + fit + clip + coin > 0
        return np.float32(100) * right

    def of_each_clip(self) -> NDArray[np.int64]:
        """The source of each clip."""
        rng = np.random.default_rng(self.sources)
        sizes = rng.integers(max(1, self.clips - 1), self.clips + 1 + (self.clips > 1), self.sources)
        if self.uneven:
            sizes = rng.integers(1, 2 * self.clips, self.sources) * np.where(rng.random(self.sources) < 0.1, 5, 1)
        return np.repeat(np.arange(self.sources), sizes)

    def _labels(self) -> NDArray[np.int64]:
        return self.of_each_clip() % self.classes

    def parts(self, won: NDArray[np.floating[Any]]) -> Parts:
        """The parts of the error of some draws."""
        found = parts(won, self._labels(), self.of_each_clip())
        if found is None:
            raise ValueError("too few seeds or sources")
        return found

    def _hard(self) -> NDArray[np.float64]:
        return self.class_spread * stats.norm.ppf((np.arange(self.classes) + 0.5) / self.classes)

    def _common(self, rng: np.random.Generator, size: tuple[int, ...], share: float) -> NDArray[np.float32]:
        own = rng.standard_normal((len(self.level), *size), dtype=np.float32)
        return (
            np.float32(share**0.5) * rng.standard_normal(size, dtype=np.float32) + np.float32((1 - share) ** 0.5) * own
        )


@dataclass(frozen=True)
class Covered:
    """How intervals fared, in percent and points.

    Attributes:
        held: share of intervals that hold the truth.
        width: their mean half-width.
        held_these: the same of intervals for these test clips, which speak of something else.
        by_seeds: standard error by seeds.
        by_sources: standard error by sources.
    """

    held: float
    width: float
    held_these: float
    by_seeds: float
    by_sources: float


def covered(world: World, worlds: int, seed: int = 0) -> Covered:
    """Draw worlds, and count: of one method its mean, of two the mean of their paired differences."""
    truth = world.truth()
    true = truth[0] if len(truth) == 1 else truth[1] - truth[0]
    rows: list[NDArray[np.float64]] = []
    for found in _studies(world, worlds, seed):
        half, these = found.half_width(OTHERS), found.half_width(THESE)
        low, high = found.share_ends() if len(truth) == 1 else (found.mean - half, found.mean + half)
        held, off = (low <= true) & (true <= high), np.abs(found.mean - true)
        rows.append(np.stack([held, (high - low) / 2, off <= these, found.seeds, found.sources]))
    held, width, held_these, by_seeds, by_sources = np.concatenate(rows, axis=1).mean(axis=1).tolist()
    return Covered(100 * held, width, 100 * held_these, by_seeds**0.5, by_sources**0.5)


def erred(world: World, worlds: int, seed: int = 0) -> list[float]:
    """How often tests on other clips tell two equally good methods apart at each of ERRORS, in percent."""
    hits = np.zeros(len(ERRORS))
    for found in _studies(replace(world, level=(0.5, 0.5)), worlds, seed):
        hits += [(np.abs(found.mean) > found.half_width(OTHERS, error)).sum() for error in ERRORS]
    return list(100 * hits / worlds)


def _studies(world: World, worlds: int, seed: int) -> Iterator[Parts]:
    """Draw so many studies, and take the error of a mean, or of a difference of two, apart."""
    rng = np.random.default_rng(seed)
    each = world.seeds * len(world.of_each_clip()) * len(world.level)
    for batch in np.array_split(np.arange(worlds), -(-worlds * each // AT_ONCE)):
        won = world.draw(rng, len(batch))
        yield world.parts(won[0] if len(won) == 1 else won[1] - won[0])


def worlds_to_try() -> Iterator[tuple[str, World]]:
    """Each with its name."""
    pair = (0.5, 0.9)
    for sources in SOURCES:
        for seeds in SEEDS:
            for sd in (0.1, 0.2, 0.4):
                base = World(seeds=seeds, sources=sources, seed=sd)
                yield "mean", base
                yield "difference", replace(base, level=pair)
            base = World(seeds=seeds, sources=sources)
            yield "difference, alike methods", replace(base, level=pair, shared=0.9, shared_seed=0.8)
            yield "mean, uneven sources", replace(base, uneven=True)
            yield "mean, near 95 %", replace(base, level=(5.5,))
            yield "mean, each clip its own source", replace(base, clips=1, uneven=False, source=0.0, fit=0.0, clip=3.0)


def nulls_to_try() -> Iterator[tuple[str, World]]:
    """Of those, for tests: each with its name; two methods in each are made equally good."""
    for sources in SOURCES[:2]:
        for seeds in SEEDS:
            base = World(seeds=seeds, sources=sources)
            yield "seeds vary little", replace(base, seed=0.1)
            yield "seeds vary much", replace(base, seed=0.4)
            yield "alike methods", replace(base, shared=0.9, shared_seed=0.8)
            yield "uneven sources", replace(base, uneven=True)


def main() -> None:
    """Print two tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--worlds", type=int, default=4000, help="simulated studies per row; five times as many of tests"
    )
    parser.add_argument("--only", choices=["intervals", "tests"], default=None, help="one of the two tables")
    parser.add_argument("--out", type=Path, default=None, help="also write the tables here")
    asked = parser.parse_args()
    tables = {"intervals": intervals_table, "tests": tests_table}
    lines: list[str] = []
    for table in [tables[asked.only]] if asked.only else tables.values():
        for line in table(asked.worlds):
            print(line, flush=True)
            lines.append(line)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def intervals_table(worlds: int) -> Iterator[str]:
    """Lines of Markdown: how often intervals hold the truth."""
    head = "| what | sources | clips | seeds | s.e. by seeds | by sources | holds | half-width |"
    yield f"{head} today's interval holds |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, world in worlds_to_try():
        got = covered(world, worlds)
        yield (
            f"| {name} | {world.sources} | {len(world.of_each_clip())} | {world.seeds} | {got.by_seeds:.1f} | "
            f"{got.by_sources:.1f} | {got.held:.1f} % | {got.width:.1f} | {got.held_these:.1f} % |"
        )


def tests_table(worlds: int) -> Iterator[str]:
    """Lines of Markdown: how often tests tell equally good methods apart."""
    yield f"| equally good methods | sources | seeds | {' | '.join(f'at {100 * error:g} %' for error in ERRORS)} |"
    yield f"|---|--:|--:|{'--:|' * len(ERRORS)}"
    for name, world in nulls_to_try():
        shares = " | ".join(f"{share:.2f} %" for share in erred(world, 5 * worlds))
        yield f"| {name} | {world.sources} | {world.seeds} | {shares} |"


if __name__ == "__main__":
    main()
