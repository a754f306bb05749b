"""Numbers of seeds against published tables, the normal formula and simulated tests."""

import math

import numpy as np
import pytest
from scipy import stats

from vdbench_leaderboard.statistics.comparisons import compare
from vdbench_leaderboard.statistics.estimates import Estimate, estimate
from vdbench_leaderboard.statistics.power import MOST_SEEDS, level, more_seeds, power, seeds_needed


def seen(mean, std, repeats=5, over="seeds"):
    return Estimate(mean, std, None, None, repeats, over)


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.3, 90), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_one_test_takes_the_pairs_of_the_textbook(effect, pairs):
    """Two-sided, 5 %, power 0.8: as in G*Power's manual and Cohen's tables, corrected for the t distribution."""
    assert seeds_needed(seen(effect * 3, 3.0), 1) == pairs
    assert seeds_needed(seen(-effect * 7, 7.0), 1) == pairs


@pytest.mark.parametrize("tests", [1, 4, 12])
@pytest.mark.parametrize("effect", [0.12, 0.3])
def test_many_seeds_are_those_of_the_normal_formula(effect, tests):
    alpha = 1 - 0.95 ** (1 / tests)
    assert level(tests) == pytest.approx(alpha)
    normal = ((stats.norm.isf(alpha / 2) + stats.norm.isf(0.2)) / effect) ** 2
    assert normal < seeds_needed(seen(effect, 1.0), tests) < normal + 7


def test_the_number_is_the_smallest_that_is_enough():
    for effect in (0.4, 1.1, 2.5):
        found = seeds_needed(seen(effect, 1.0), 10)
        assert power(effect, found, level(10)) >= 0.8 > power(effect, found - 1, level(10))


@pytest.mark.parametrize(("effect", "tests"), [(1.2, 1), (0.9, 5)])
def test_simulated_tests_find_it_as_often(effect, tests):
    seeds, generator = seeds_needed(seen(effect, 1.0), tests), np.random.default_rng(seeds_needed(seen(effect, 1.0), 1))
    p = stats.ttest_1samp(generator.normal(effect, 1, (20_000, seeds)), 0, axis=1).pvalue
    assert np.mean(p < level(tests)) == pytest.approx(power(effect, seeds, level(tests)), abs=0.012)
    assert np.mean(p < level(tests)) > 0.788


def test_no_effect_is_found_as_rarely_as_the_level_says():
    assert power(0.0, 6, 0.01) == pytest.approx(0.01)


@pytest.mark.parametrize("tests", [1, 3, 10])
def test_equal_differences_take_as_many_as_the_test_of_signs(tests):
    found = seeds_needed(seen(2.0, 0.0, 3), tests)
    base = {seed: {0: float(seed)} for seed in range(found)}
    ahead = {seed: {0: seed + 2.0} for seed in range(found)}
    rest = {f"same {place}": base for place in range(tests - 1)}
    assert compare({"base": base, "ahead": ahead, **rest}, "base")["ahead"].significant
    fewer = {name: {s: runs[s] for s in range(found - 1)} for name, runs in {"base": base, "ahead": ahead}.items()}
    fewer |= {name: fewer["base"] for name in rest}
    assert not compare(fewer, "base")["ahead"].significant


def test_a_difference_that_was_not_found_needs_more_seeds_than_it_has():
    generator = np.random.default_rng(3)
    for _ in range(50):
        values = generator.normal(1, 2, generator.integers(2, 8))
        difference = estimate({seed: {0: value} for seed, value in enumerate(values)})
        if stats.ttest_1samp(values, 0).pvalue > level(4):
            assert seeds_needed(difference, 4) > len(values)


def test_nothing_is_said_where_nothing_is_known():
    assert seeds_needed(None, 1) is None
    assert seeds_needed(seen(0.0, 1.0), 1) is None
    assert seeds_needed(seen(3.0, None, 1), 1) is None
    assert seeds_needed(seen(3.0, 1.0, 4, "networks"), 1) is None


def test_numbers_that_nobody_runs_are_not_counted():
    assert seeds_needed(seen(0.001, 1.0), 1) == MOST_SEEDS + 1
    assert seeds_needed(seen(0.085, 1.0), 2) == MOST_SEEDS + 1
    assert seeds_needed(seen(1e6, 1.0), 1) == 3
    assert math.isfinite(power(1e6, 3, 0.01))


@pytest.mark.parametrize(("mean", "std", "repeats"), [(3.0, 2.0, 3), (1.0, 2.0, 5), (5.0, 0.5, 8)])
def test_seeds_that_are_missing_are_those_beyond_what_there_is(mean, std, repeats):
    found = Estimate(mean, std, None, None, repeats, "seeds")
    assert more_seeds(found, 4) == max(1, seeds_needed(found, 4) - repeats)


def test_more_seeds_than_anybody_runs_are_not_counted_and_of_two_way_intervals_nothing_is_known():
    assert more_seeds(Estimate(0.01, 5.0, None, None, 3, "seeds"), 1) == MOST_SEEDS
    assert more_seeds(Estimate(5.0, None, 1.0, 9.0, 3, "seeds"), 1) is None
    assert more_seeds(None, 1) is None
