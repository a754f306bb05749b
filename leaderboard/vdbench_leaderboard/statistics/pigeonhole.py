"""Average ranks and interquartile means with other seeds and other test clips: the pigeonhole bootstrap.

Neither number is a mean, so their errors are drawn: seeds with replacement, and test sources with replacement within
classes, each pair of them with what the seed's networks made of the source (Owen, The pigeonhole bootstrap, Annals of
Applied Statistics 2007). One fewer is drawn than there are, of seeds and of the sources of each class, which makes the
variance of a mean unbiased (Rao & Wu, Resampling inference with complex survey data, JASA 1988). All methods, students
and budgets of a data set share their draws, since they share seeds and clips. How seeds and sources fit together counts
up to three times, so intervals are rather too wide than too narrow.

Distances from the number to the percentiles are widened by Student's quantiles over the normal ones, that of the seeds
and that of the sources weighted by their shares of the variance. Even so, a bootstrap of three seeds is too narrow: it
draws two of three, and half of all samples that it can draw are one seed twice or its mirror image. Below
:data:`FEWEST_SEEDS` seeds there is no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from vdbench_leaderboard.statistics.estimates import CONFIDENCE, DECIMALS
from vdbench_leaderboard.statistics.interquartile import TRIMMED
from vdbench_leaderboard.statistics.two_way import OTHERS, Question, strata_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes

DRAWS = 2_000
FEWEST_SEEDS = 5
"""That all methods of all blocks of a data set have in common."""


class Ends(NamedTuple):
    """The 95 % interval of a number.

    Attributes:
        low: its lower end.
        high: its upper end.
    """

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class CrossedBlock:
    """A data set at one budget, whose seeds and sources are crossed.

    Attributes:
        data: the data set; blocks of the same one share their draws.
        methods: by method, what the networks of each student made of every test clip.
        chance: accuracy in percent.
        full: of each student, what networks made of it that were trained on all clips; None where there is no scale.
    """

    data: str
    methods: Mapping[str, Sequence[ClipOutcomes]]
    chance: float
    full: Sequence[ClipOutcomes] | None


@dataclass(frozen=True)
class Resampled:
    """Intervals of the methods that all blocks have.

    Attributes:
        ranks: of average ranks, where 1 is the best.
        middles: of interquartile means, over the blocks with a scale; empty where there is none.
    """

    ranks: Mapping[str, Ends]
    middles: Mapping[str, Ends]


def resample(blocks: Sequence[CrossedBlock], question: Question, draws: int = DRAWS) -> Resampled | None:
    """Draw seeds, and sources where the question is about other clips.

    Draws start from the same random seed always, so that equal results have equal intervals.

    Args:
        blocks: at least one.
        question: of which other seeds and clips the intervals are to speak.
        draws: how many.

    Returns:
        None with fewer than :data:`FEWEST_SEEDS` common seeds, or fewer than two methods.
    """
    methods = sorted(set.intersection(*(set(block.methods) for block in blocks)))
    seeds = {data: _common([b for b in blocks if b.data == data], methods) for data in sorted({b.data for b in blocks})}
    if len(methods) < 2 or min(map(len, seeds.values())) < FEWEST_SEEDS:  # noqa: PLR2004
        return None
    freedom = sum(len(found) - 1 for found in seeds.values()) / len(seeds)
    seen = _numbers(blocks, methods, seeds, draws=None, others=False)
    alone = _numbers(blocks, methods, seeds, draws=draws, others=False)
    both = _numbers(blocks, methods, seeds, draws=draws, others=True) if question == OTHERS else alone
    ranks, middles = (
        _intervals(value[0], by_seeds, drawn, freedom, _source_freedom(blocks))
        for value, by_seeds, drawn in zip(seen, alone, both, strict=True)
    )
    scaled = any(block.full is not None for block in blocks)
    within = [Ends(max(1.0, low), min(float(len(methods)), high)) for low, high in ranks]
    return Resampled(
        dict(zip(methods, within, strict=True)), dict(zip(methods, middles, strict=True)) if scaled else {}
    )


def _common(blocks: Sequence[CrossedBlock], methods: Sequence[str]) -> list[int]:
    known = [set(one.won) for block in blocks for method in methods for one in block.methods[method]]
    return sorted(set.intersection(*known))


def _numbers(
    blocks: Sequence[CrossedBlock],
    methods: Sequence[str],
    seeds: Mapping[str, Sequence[int]],
    *,
    draws: int | None,
    others: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average ranks and interquartile means, ``(draws, methods)`` each; of all that there is where nothing is drawn."""
    rng = np.random.default_rng(0)
    picked = {data: _picked(rng, len(found), draws) for data, found in seeds.items()}
    weights: dict[str, NDArray[np.float64]] = {}
    places, scores = [], []
    for block in blocks:
        first = block.methods[methods[0]][0]
        if block.data not in weights:
            weights[block.data] = _weights(rng, first, draws if others else None, len(picked[block.data]))
        clips, pick = weights[block.data], picked[block.data]
        top1 = np.stack([_accuracy(block.methods[m], seeds[block.data], clips, pick) for m in methods], axis=-1)
        means = top1.mean(axis=(0, 2)).round(DECIMALS)
        places.append(stats.rankdata(-means, axis=-1))
        if block.full is not None:
            full = np.stack([_means(one, sorted(one.won), clips).mean(axis=-1) for one in block.full])
            scale = np.maximum(full - block.chance, 1.0)[:, :, None, None]  # a drawn test set may be too hard for full
            scores.append(((top1 - block.chance) / scale).mean(axis=0))
    ranks = np.mean(places, axis=0)
    if not scores:
        return ranks, np.zeros_like(ranks)
    return ranks, np.asarray(stats.trim_mean(np.concatenate(scores, axis=1), TRIMMED, axis=1))


def _picked(rng: np.random.Generator, seeds: int, draws: int | None) -> NDArray[np.int64]:
    """Places of seeds, ``(draws, seeds - 1)``, or all of them once."""
    return np.arange(seeds)[None] if draws is None else rng.integers(seeds, size=(draws, seeds - 1))


def _weights(rng: np.random.Generator, clips: ClipOutcomes, draws: int | None, rows: int) -> NDArray[np.float64]:
    """How much each clip counts, ``(draws, clips)``; every class as much as it does in the test set."""
    if draws is None:
        return np.full((rows, len(clips.labels)), 1 / len(clips.labels))
    homes, sources = _homes(clips)
    drawn = np.zeros((draws, len(homes)))
    for home in np.unique(homes):
        own = np.flatnonzero(homes == home)
        drawn[:, own] = rng.multinomial(max(1, len(own) - 1), np.full(len(own), 1 / len(own)), size=draws)
    counts = drawn[:, sources]
    found = np.zeros_like(counts)
    for home in np.unique(homes):
        own = np.flatnonzero(homes[sources] == home)
        found[:, own] = counts[:, own] / counts[:, own].sum(axis=1, keepdims=True) * (len(own) / len(sources))
    return found


def _homes(clips: ClipOutcomes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class that each source is drawn in, that of its first clip, and the number of the source of each clip."""
    _, first, sources = np.unique(clips.sources, return_index=True, return_inverse=True)
    return strata_of(clips.labels, sources)[first], sources


def _means(one: ClipOutcomes, seeds: Sequence[int], clips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Accuracy of each seed on the drawn clips, ``(draws, seeds)``."""
    return np.asarray(clips @ np.stack([one.won[seed] for seed in seeds]).T)


def _accuracy(
    students: Sequence[ClipOutcomes], seeds: Sequence[int], clips: NDArray[np.float64], picked: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``(students, draws, drawn seeds)``."""
    found = [np.broadcast_to(_means(one, seeds, clips), (len(picked), len(seeds))) for one in students]
    return np.stack([np.take_along_axis(top1, picked, axis=1) for top1 in found])


def _source_freedom(blocks: Sequence[CrossedBlock]) -> float:
    """Sources beyond one per class, of the data set that has the fewest."""
    homes = [_homes(next(iter(block.methods.values()))[0])[0] for block in blocks]
    return float(min(max(1, len(found) - len(np.unique(found))) for found in homes))


def _intervals(
    seen: NDArray[np.float64],
    by_seeds: NDArray[np.float64],
    drawn: NDArray[np.float64],
    seed_freedom: float,
    source_freedom: float,
) -> list[Ends]:
    """Percentiles, widened, about what was seen."""
    tail = (1 - CONFIDENCE) / 2
    whole = np.maximum(drawn.var(axis=0), np.finfo(float).tiny)
    share = np.minimum(by_seeds.var(axis=0) / whole, 1)
    student = stats.t.isf(tail, source_freedom) * (1 - share) + stats.t.isf(tail, seed_freedom) * share
    wider = student / stats.norm.isf(tail)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    ends = zip(seen, seen - wider * np.maximum(seen - low, 0), seen + wider * np.maximum(high - seen, 0), strict=True)
    return [Ends(float(below), float(above)) for _, below, above in ends]
