"""The pigeonhole bootstrap: draws that can be counted, closed forms, refusals, and planted worlds."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from benchmarks.ranking import held
from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
from vdbench_leaderboard.statistics.pigeonhole import FEWEST_SEEDS, CrossedBlock, resample
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE

LABELS = np.arange(96) // 4 % 4
SOURCES = np.arange(96) // 4


def answered(values: np.ndarray, labels: np.ndarray = LABELS, sources: np.ndarray = SOURCES) -> ClipOutcomes:
    """Of ``(seeds, clips)``."""
    return ClipOutcomes(dict(enumerate(values)), "set", labels, sources)


def drawn(level: float, seed: int, seeds: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100.0 * (rng.random((seeds, 96)) < level + np.random.default_rng(0).normal(0, 0.2, 24)[SOURCES])


def block(*levels: float, seeds: int = 6, data: str = "digits") -> CrossedBlock:
    methods = {f"m{place}": [answered(drawn(level, place, seeds))] for place, level in enumerate(levels)}
    return CrossedBlock(data, methods, 25.0, [answered(np.full((seeds, 96), 85.0))])


def test_fewer_seeds_than_five_or_a_single_method_have_no_interval():
    assert resample([block(0.5, 0.6, seeds=FEWEST_SEEDS - 1)], OTHERS) is None
    assert resample([block(0.5)], OTHERS) is None
    assert resample([block(0.5, 0.6, seeds=FEWEST_SEEDS)], OTHERS) is not None
    assert resample([block(0.5, 0.6), block(0.5, 0.6, seeds=4, data="other")], OTHERS) is None


def test_equal_results_have_equal_intervals_and_the_order_does_not_matter():
    one, other = block(0.5, 0.6), block(0.4, 0.7)
    found = resample([one, other], OTHERS, 200)
    assert found == resample([one, other], OTHERS, 200)
    turned = CrossedBlock(one.data, dict(reversed(one.methods.items())), one.chance, one.full)
    assert resample([turned, other], OTHERS, 200) == found


def test_methods_far_apart_keep_their_ranks_and_equal_ones_share_theirs():
    apart = resample([block(0.05, 0.95)], OTHERS, 300)
    assert apart.ranks == {"m0": (2.0, 2.0), "m1": (1.0, 1.0)}
    same = answered(drawn(0.5, 1))
    equal = resample([CrossedBlock("digits", {"a": [same], "b": [same], "c": [same]}, 25.0, None)], OTHERS, 300)
    assert set(equal.ranks.values()) == {(2.0, 2.0)}
    assert equal.middles == {}


def test_ranks_stay_between_the_first_and_the_last():
    found = resample([block(0.5, 0.52, 0.48)], OTHERS, 300)
    assert all(1 <= low <= high <= 3 for low, high in found.ranks.values())
    assert max(high - low for low, high in found.ranks.values()) > 1


def test_without_spread_over_sources_both_questions_have_the_same_interval():
    levels = np.array([40.0, 45.0, 50.0, 48.0, 43.0, 52.0])
    flat = {"a": [answered(np.tile(levels[:, None], 96))], "b": [answered(np.tile(levels[::-1, None], 96) + 5)]}
    one = CrossedBlock("digits", flat, 25.0, [answered(np.full((6, 96), 85.0))])
    others, these = resample([one], OTHERS, 500), resample([one], THESE, 500)
    assert others.ranks == these.ranks
    assert others.middles["a"] == pytest.approx(these.middles["a"])
    assert others.middles["b"] == pytest.approx(these.middles["b"])


def test_the_interval_is_that_of_every_draw_of_one_seed_fewer():
    # Of 5 seeds 4 are drawn: 625 draws, each as likely as another.
    levels = [50.0, 53.0, 44.0, 48.0, 57.0]
    values = np.tile(np.array(levels)[:, None], 96)
    one = CrossedBlock("d", {"a": [answered(values)], "b": [answered(values - 20)]}, 25.0, [answered(values * 0 + 75)])
    every = stats.trim_mean((np.array([*product(levels, repeat=4)]) - 25) / 50, 0.25, axis=1)
    seen = stats.trim_mean((np.array(levels) - 25) / 50, 0.25)
    wider = stats.t.ppf(0.975, 4) / stats.norm.ppf(0.975)
    low, high = np.quantile(every, [0.025, 0.975])
    ends = resample([one], THESE, 20_000).middles["a"]
    assert ends == pytest.approx((seen - wider * (seen - low), seen + wider * (high - seen)), abs=0.004)


def test_sources_widen_the_interval_by_as_much_as_they_differ():
    easy = np.where(np.arange(24) < 12, 20.0, 80.0)[np.argsort(np.argsort(np.arange(24) * 7 % 24))][SOURCES]
    rng = np.random.default_rng(0)
    values = easy + rng.normal(0, 1, 6)[:, None]
    one = CrossedBlock("d", {"a": [answered(values)], "b": [answered(100 - values)]}, 0.0, [answered(values * 0 + 100)])
    these, others = (resample([one], question, 4000).middles["a"] for question in (THESE, OTHERS))
    assert others.high - others.low > 4 * (these.high - these.low)
    within = np.array([easy[LABELS == label] for label in range(4)]).reshape(4, 6, 4)[:, :, 0]
    error = np.sqrt((within.var(axis=1, ddof=1) / 6).sum() / 16) / 100
    half = stats.t.ppf(0.975, 20) * error
    assert (others.high - others.low) / 2 == pytest.approx(half, rel=0.15)


def test_full_is_judged_on_the_same_drawn_clips():
    # A method that has right what full has right reaches 1, whatever clips are drawn.
    right = np.tile(drawn(0.8, 5, 1), (6, 1))
    one = CrossedBlock("d", {"a": [answered(right)], "b": [answered(right * 0)]}, 0.0, [answered(right)])
    found = resample([one], OTHERS, 500)
    assert found.middles["a"] == pytest.approx((1.0, 1.0))
    assert found.middles["b"] == pytest.approx((0.0, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "sources"), [(5, 20), (5, 49), (10, 49)])
def test_planted_worlds_are_covered_and_drawing_seeds_alone_misses_them(seeds, sources):
    got = held(seeds, sources, 150)
    assert 92 <= got.middles <= 99
    assert got.ranks >= 93
    assert got.middles_these < 80
