"""Statistics against brute force, closed forms and libraries."""

import math
import statistics as stdlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vdbench_leaderboard.statistics import difference, estimate, ranks

accuracy = st.floats(0, 100, allow_nan=False)
networks = st.dictionaries(st.integers(0, 5), accuracy, min_size=1, max_size=4)
runs = st.dictionaries(st.integers(0, 8), networks, min_size=1, max_size=6)


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
        assert found.spread == pytest.approx(np.std(repeated, ddof=1), abs=1e-9)
    else:
        assert found.spread is found.low is found.high is None


@given(st.lists(accuracy, min_size=2, max_size=8).filter(lambda values: np.std(values) > 1e-3))
def test_interval_equals_scipy(values):
    found = estimate({seed: {0: value} for seed, value in enumerate(values)})
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    )


def test_interval_closed_form_for_two_seeds():
    # One degree of freedom is the Cauchy distribution, whose quantile is tan(pi (p - 1/2)).
    found = estimate({0: {0: 40.0}, 1: {0: 42.0}})
    assert found.high - found.mean == pytest.approx(math.tan(math.pi * 0.475) * math.sqrt(2) / math.sqrt(2))


def test_networks_of_one_seed_are_averaged_before_seeds():
    # Pooling all four networks would give mean 25 and a larger count.
    found = estimate({0: {0: 10.0, 1: 20.0, 2: 30.0}, 1: {0: 40.0}})
    assert (found.mean, found.repeats) == (30.0, 2)
    assert found.spread == pytest.approx(math.sqrt(200))


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
    assert difference(better, base).spread == 0
    assert difference(better, base).excludes_zero
    assert not difference(base, base).excludes_zero


def seeds(*values):
    return {seed: {0: value} for seed, value in enumerate(values)}


def test_ranks_skip_after_a_tie():
    column = {
        "first": seeds(60.0, 60.1, 60.2),
        "also": seeds(60.1, 60.0, 60.1),
        "third": seeds(50.0, 50.2, 50.1),
        "last": seeds(40.0, 40.2, 40.1),
    }
    assert ranks(column) == {"first": 1, "also": 1, "third": 3, "last": 4}


def test_ties_are_with_the_leader_not_with_a_neighbour():
    # b cannot be told from a, nor c from b; but c is apart from a, so it does not share a's rank.
    column = {"a": seeds(60, 62, 64), "b": seeds(58.5, 60.5, 63.5), "c": seeds(58, 60.2, 62.1)}
    assert not difference(column["a"], column["b"]).excludes_zero
    assert not difference(column["b"], column["c"]).excludes_zero
    assert ranks(column) == {"a": 1, "b": 1, "c": 3}


@given(st.dictionaries(st.sampled_from("abcdef"), runs, min_size=1))
def test_ranks_never_contradict_means(column):
    found = ranks(column)
    ordered = sorted(column, key=lambda method: (-estimate(column[method]).mean, method))
    places = [found[method] for method in ordered]
    assert places == sorted(places)
    assert places[0] == 1
    assert all(rank == 1 + places.index(rank) for rank in places)  # a rank is the place of its first holder


def test_one_repeat_tells_nothing_apart():
    assert ranks({"a": seeds(90.0), "b": seeds(10.0)}) == {"a": 1, "b": 1}
