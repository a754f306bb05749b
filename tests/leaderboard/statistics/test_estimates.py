"""Statistics against brute force, closed forms and libraries."""

import statistics as stdlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vdbench_leaderboard.statistics.estimates import difference, estimate, paired

accuracy = st.floats(0, 100, allow_nan=False)
networks = st.dictionaries(st.integers(0, 5), accuracy, min_size=1, max_size=4)
runs = st.dictionaries(st.integers(0, 8), networks, min_size=1, max_size=6)


def seeds(*values):
    return {seed: {0: value} for seed, value in enumerate(values)}


@given(runs)
def test_mean_and_spread_equal_brute_force(value):
    found = estimate(value)
    if len(value) > 1:
        repeated, over = [stdlib.fmean(seed.values()) for seed in value.values()], "seeds"
    else:
        repeated, over = list(next(iter(value.values())).values()), "networks"
    assert found.mean == pytest.approx(np.mean(repeated))
    assert (found.repeats, found.over) == (len(repeated), over)
    if len(repeated) > 1:
        assert found.std == pytest.approx(np.std(repeated, ddof=1), abs=1e-9)
    else:
        assert found.std is found.low is found.high is None


@given(st.lists(accuracy, min_size=2, max_size=8).filter(lambda values: np.std(values) > 1e-3))
def test_interval_is_students(values):
    found = estimate(seeds(*values))
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@given(runs, st.randoms(use_true_random=False))
def test_neither_order_nor_names_of_seeds_matter(value, chance):
    found = estimate(value)
    files = [(seed, [*networks.items()]) for seed, networks in value.items()]
    for _, networks in files:
        chance.shuffle(networks)
    chance.shuffle(files)
    assert estimate({seed: dict(networks) for seed, networks in files}) == found
    assert estimate({place: dict(networks) for place, (_, networks) in enumerate(files)}) == found


@given(runs, st.floats(-50, 50), st.floats(0.1, 10))
def test_estimates_follow_shift_and_scale(value, shift, scale):
    found = estimate(value)
    moved = estimate({s: {n: shift + scale * top1 for n, top1 in nets.items()} for s, nets in value.items()})
    assert moved.mean == pytest.approx(shift + scale * found.mean, abs=1e-6)
    if found.std is not None:
        assert moved.std == pytest.approx(scale * found.std, abs=1e-6)
        assert (moved.low, moved.high) == pytest.approx(
            (shift + scale * found.low, shift + scale * found.high), abs=1e-5
        )


def test_values_that_are_all_the_same_have_an_interval_without_width():
    found = estimate(seeds(12.5, 12.5, 12.5))
    assert found.low == found.mean == found.high == 12.5


def nested(generator, count, networks, between):
    """Normal errors of seeds and, with deviation 1, of networks, around zero."""
    values = between * generator.standard_normal((count, 1)) + generator.standard_normal((count, networks))
    return {seed: dict(enumerate(row)) for seed, row in enumerate(values.tolist())}


SHAPES = [(count, networks) for count in (3, 5, 10) for networks in (1, 2, 3)]
SIMULATED = 4000


@pytest.mark.slow
@pytest.mark.parametrize("between", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("count", "networks"), SHAPES)
def test_interval_covers_the_mean_as_often_as_stated(count, networks, between):
    generator = np.random.default_rng(count * 10 + networks)
    found = [estimate(nested(generator, count, networks, between)) for _ in range(SIMULATED)]
    assert np.mean([e.low <= 0 <= e.high for e in found]) == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors


@pytest.mark.slow
@pytest.mark.parametrize(("count", "networks"), SHAPES)
def test_interval_covers_a_known_difference_as_often_as_stated(count, networks):
    # What both methods share with a seed is large, and is gone from the difference.
    generator, gap, hits, zeros = np.random.default_rng(count * 10 + networks), 2.0, 0, 0
    for _ in range(SIMULATED):
        shared = 10 * generator.standard_normal(count)
        ours, theirs = (
            {s: {n: level + shared[s] + e for n, e in nets.items()} for s, nets in drawn.items()}
            for level, drawn in (
                (gap, nested(generator, count, networks, 1.0)),
                (0.0, nested(generator, count, networks, 1.0)),
            )
        )
        found = difference(ours, theirs)
        hits += found.low <= gap <= found.high
        none = difference({s: {n: top1 - gap for n, top1 in nets.items()} for s, nets in ours.items()}, theirs)
        zeros += none.excludes_zero
    assert hits / SIMULATED == pytest.approx(0.95, abs=0.012)
    assert zeros / SIMULATED == pytest.approx(0.05, abs=0.012)


def test_nothing_measured_is_no_estimate():
    assert estimate({}) is None
    assert difference({}, {0: {0: 1.0}}) is None


@given(runs, runs)
def test_difference_is_paired_by_seed(ours, theirs):
    found = difference(ours, theirs)
    common = sorted(ours.keys() & theirs.keys())
    if len(common) > 1:
        pairs = [np.mean(list(ours[s].values())) - np.mean(list(theirs[s].values())) for s in common]
    elif common:
        both = ours[common[0]].keys() & theirs[common[0]].keys()
        pairs = [ours[common[0]][network] - theirs[common[0]][network] for network in both]
    else:
        pairs = []
    assert (found is None) == (not pairs)
    if found:
        assert found.mean == pytest.approx(np.mean(pairs), abs=1e-9)
        assert found.repeats == len(pairs)


def test_pairing_removes_what_seeds_share():
    base = {0: {0: 20.0}, 1: {0: 50.0}, 2: {0: 80.0}}
    better = {seed: {0: network[0] + 2} for seed, network in base.items()}
    assert difference(better, base).std == 0
    assert difference(better, base).excludes_zero
    assert not difference(base, base).excludes_zero


def test_pairs_of_the_only_common_seed_are_networks():
    ours, theirs = {0: {0: 5.0, 1: 9.0, 2: 1.0}, 1: {0: 1.0}}, {0: {1: 4.0, 0: 3.0}, 2: {0: 1.0}}
    assert paired(ours, theirs) == ([2.0, 5.0], "networks")


def test_differences_that_are_arithmetic_alone_are_zero():
    # The same mean from other networks; in floating point the two differ in their last digit.
    ours, theirs = (
        {s: {0: 100 * 0.01, 1: 100 * 0.13} for s in (0, 1)},
        {s: {0: 100 * 0.07, 1: 100 * 0.07} for s in (0, 1)},
    )
    assert sum(ours[0].values()) != sum(theirs[0].values())
    assert paired(ours, theirs) == ([0.0, 0.0], "seeds")
    assert not difference(ours, theirs).excludes_zero
