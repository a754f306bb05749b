"""Interquartile means against closed forms, brute force and a simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vdbench_leaderboard.statistics.interquartile import iqm, normalised

score = st.floats(-0.5, 1.5, allow_nan=False)
cells = st.lists(st.lists(score, min_size=2, max_size=4), min_size=1, max_size=5)


def test_scores_run_from_chance_to_full():
    runs = {1: {0: 60.0}, 0: {0: 10.0, 1: 20.0}, 2: {5: 110.0}}
    assert normalised(runs, chance=10.0, full=60.0) == pytest.approx([0.1, 1.0, 2.0])
    assert normalised({}, chance=10.0, full=60.0) == []


@pytest.mark.parametrize("full", [10.0, 9.0, float("nan")])
def test_full_data_no_better_than_chance_are_no_scale(full):
    with pytest.raises(ValueError, match="chance"):
        normalised({0: {0: 10.0}}, chance=10.0, full=full)


@given(cells)
def test_mean_is_that_of_the_middle_half(value):
    ordered = sorted(score for scores in value for score in scores)
    cut = len(ordered) // 4
    found = iqm(value)
    assert found.mean == pytest.approx(np.mean(ordered[cut : len(ordered) - cut]))
    assert found.low <= found.mean + 1e-12
    assert found.high >= found.mean - 1e-12


def test_nothing_is_none_and_a_single_seed_has_no_interval():
    assert iqm([]) is None
    found = iqm([[0.2, 0.4], [0.9]])
    assert (found.mean, found.low, found.high) == (pytest.approx(0.5), None, None)


def test_interval_equals_that_of_every_resample():
    # With 3 scores nothing is cut off, and each of the 27 resamples is as likely as another.
    value = [0.1, 0.2, 0.6]
    means = np.mean(np.array(np.meshgrid(value, value, value)).reshape(3, -1), axis=0)
    low, high = np.quantile(means, [0.025, 0.975], method="inverted_cdf")
    wider = stats.t.ppf(0.975, 1) / stats.norm.ppf(0.975) * np.sqrt(3 / 2)
    found = iqm([value])
    assert (low, high) == pytest.approx((0.1, 0.6))
    assert found.low == pytest.approx(0.3 - wider * 0.2)
    assert found.high == pytest.approx(0.3 + wider * 0.3)


def test_seeds_are_drawn_within_their_cells():
    # Drawn from all scores at once, the same mean would come with the spread between cells.
    apart = iqm([[0.1, 0.1, 0.1], [0.5, 0.5, 0.5], [0.9, 0.9, 0.9]])
    assert apart.low == pytest.approx(apart.mean) == pytest.approx(apart.high)


@given(cells, st.randoms(use_true_random=False))
def test_order_of_cells_and_seeds_does_not_matter(value, chance):
    shuffled = [chance.sample(scores, len(scores)) for scores in chance.sample(value, len(value))]
    assert iqm(shuffled) == iqm(value)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "repeated"), [(4, 3), (8, 3), (8, 5), (20, 3)])
def test_interval_covers_as_often_as_stated(count, repeated):
    generator, simulated, noise = np.random.default_rng(count + repeated), 600, 0.1
    levels = np.linspace(0.1, 0.8, count)[:, None]
    truth = stats.trim_mean((levels + noise * generator.standard_normal((count, 50_000))).ravel(), 0.25)
    found = [iqm((levels + noise * generator.standard_normal((count, repeated))).tolist()) for _ in range(simulated)]
    assert 0.92 < np.mean([value.low <= truth <= value.high for value in found]) < 0.985
