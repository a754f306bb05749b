"""How often intervals hold the truth and tests err, where seeds and sources of test clips vary as in real results.

A network answers a clip right where a latent normal sum is positive: the method's level, its seed, the clip's source,
how these two fit, the clip, and a coin of their own. So the true accuracy is known in closed form, scores are shares of
right answers, and clips of one source are right or wrong together. Two spreads are planted. The one that is *measured*
is that of MiniC3D on seven classes of UCF101, from 2 to 98 % of whose clips are right: the standard error by 49 sources
is about 3 points there. It would be 6 if classes were drawn as well, which a test set never does. In all other worlds
classes are about equally hard, so that sources vary twice as much. Seeds differ by 1 to 4 points.

    python benchmarks/coverage.py --worlds 3000 --out coverage.md
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator
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
UCF101 = (57.0, 96.0, 76.0, 88.0, 98.5, 9.0, 2.0)
"""Of MiniC3D trained on all clips, the accuracy of each class in percent."""
DRAWS = 3
"""Networks that seeds share: the suites draw three, and seed ``s`` uses number ``s % 3``."""


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
        class_accuracy: in percent where the level is 0, for so many classes of any difficulty; instead of their spread.
        draw: of networks that seeds share, :data:`DRAWS` of them for each method.
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
    class_accuracy: tuple[float, ...] = ()
    draw: float = 0.0
    shared: float = 0.7
    shared_seed: float = 0.3
    uneven: bool = False

    def truth(self) -> list[float]:
        """The accuracy of each method over all seeds, sources and clips, in percent."""
        spread = self._spread()
        weight = np.bincount(self._labels(), minlength=self.classes) / len(self._labels())
        return [float(100 * weight @ stats.norm.cdf((level + self._hard()) / spread)) for level in self.level]

    def answers(self, rng: np.random.Generator, worlds: int) -> NDArray[np.float32]:
        """Right answers in percent, ``(methods, worlds, seeds, clips)``."""
        of = self.of_each_clip()
        place = (self._hard()[self._labels()] + np.array(self.level)[:, None])[:, None, None, :]
        size = (worlds, self.seeds, self.sources)
        seed = self._common(rng, (worlds, self.seeds, 1), self.shared_seed) * self.seed
        if self.draw:
            networks = self._common(rng, (worlds, DRAWS, 1), 0.0) * self.draw
            seed = seed + networks[:, :, np.arange(self.seeds) % DRAWS]
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
        if self.class_accuracy:
            return self._spread() * np.asarray(stats.norm.ppf(np.array(self.class_accuracy) / 100))
        return self.class_spread * stats.norm.ppf((np.arange(self.classes) + 0.5) / self.classes)

    def _spread(self) -> float:
        """Standard deviation of the latent sum of one class."""
        return float(np.sqrt(1 + self.seed**2 + self.draw**2 + self.source**2 + self.fit**2 + self.clip**2))

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
        held_these: the same of intervals over seeds alone, which speak of these test clips.
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
        won = world.answers(rng, len(batch))
        yield world.parts(won[0] if len(won) == 1 else won[1] - won[0])


def ratio_of_draws(world: World, worlds: int, seed: int = 0) -> float:
    """Variance between networks that seeds share over that between seeds, in differences of two methods.

    Both are components of the analysis of variance of groups of unequal size, over many worlds.
    """
    means = np.subtract(*world.answers(np.random.default_rng(seed), worlds)).mean(axis=-1)
    number = np.arange(world.seeds) % DRAWS
    sizes = np.bincount(number)
    centres = np.stack([means[:, number == draw].mean(axis=1) for draw in range(DRAWS)], axis=1)
    between = ((centres - means.mean(axis=1, keepdims=True)) ** 2 @ sizes).mean() / (DRAWS - 1)
    within = ((means - centres[:, number]) ** 2).sum(axis=1).mean() / (world.seeds - DRAWS)
    size = (world.seeds - (sizes**2).sum() / world.seeds) / (DRAWS - 1)
    return float(max(0.0, between / within - 1) / size)


MEASURED = World(source=2.0, level=(0.0, 0.8), class_accuracy=UCF101)
"""Two methods with the spread of UCF101."""


def measured_worlds() -> Iterator[tuple[str, World]]:
    """With the spread of UCF101, each with its name."""
    for sources in SOURCES[:3]:
        for seeds in SEEDS:
            yield "mean, as measured", replace(MEASURED, seeds=seeds, sources=sources, level=(0.0,))
            yield "difference, as measured", replace(MEASURED, seeds=seeds, sources=sources)


def worlds_to_try() -> Iterator[tuple[str, World]]:
    """With classes that are about equally hard, each with its name."""
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
    """For tests, each with its name; two methods in each are made equally good."""
    for sources in SOURCES:
        for seeds in SEEDS:
            base = World(seeds=seeds, sources=sources)
            yield "seeds vary little", replace(base, seed=0.1)
            yield "seeds vary much", replace(base, seed=0.4)
            yield "alike methods", replace(base, shared=0.9, shared_seed=0.8)
            yield "uneven sources", replace(base, uneven=True)


def intervals_table(worlds: int, which: Iterable[tuple[str, World]]) -> Iterator[str]:
    """Lines of Markdown: how often intervals hold the truth."""
    yield "| what | sources | clips | seeds | s.e. by seeds | by sources | holds | half-width | over seeds alone |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, world in which:
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
        found = erred(world, worlds * (5 if world.sources in SOURCES[:2] else 1))
        shares = " | ".join(f"{share:.2f} %" for share in found)
        yield f"| {name} | {world.sources} | {world.seeds} | {shares} |"


def draws_table(worlds: int) -> Iterator[str]:
    """Lines of Markdown: what holds of differences where seeds share three networks of each method more and more."""
    shared = itertools.product(SOURCES[1:3], (10, 20), (0.0, 0.1, 0.2, 0.3, 0.5))
    head = "| sources | seeds | variance of draws over seeds | s.e. by seeds | by sources | holds |"
    yield f"{head} {' | '.join(f'test at {100 * error:g} % errs' for error in ERRORS[:3])} |"
    yield f"|--:|--:|--:|--:|--:|--:|{'--:|' * len(ERRORS[:3])}"
    for world in (replace(MEASURED, sources=sources, seeds=seeds, draw=draw) for sources, seeds, draw in shared):
        got, ratio = covered(world, worlds), ratio_of_draws(world, worlds // 4)
        shares = " | ".join(f"{share:.1f} %" for share in erred(world, worlds)[:3])
        first = f"| {world.sources} | {world.seeds} | {ratio:.2f} | {got.by_seeds:.1f} | {got.by_sources:.1f} |"
        yield f"{first} {got.held:.1f} % | {shares} |"


TABLES: dict[str, Callable[[int], Iterator[str]]] = {
    "measured": lambda worlds: intervals_table(worlds, measured_worlds()),
    "intervals": lambda worlds: intervals_table(worlds, worlds_to_try()),
    "tests": tests_table,
    "draws": draws_table,
}


def main() -> None:
    """Print tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=3000, help="simulated studies per row; of some tests five times")
    parser.add_argument("--only", choices=TABLES, nargs="+", default=[*TABLES], help="some of the tables")
    parser.add_argument("--out", type=Path, default=None, help="also write the tables here")
    asked = parser.parse_args()
    lines: list[str] = []
    for name in asked.only:
        for line in TABLES[name](asked.worlds):
            print(line, flush=True)
            lines.append(line)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
