"""The error by shared networks, in closed form and in a planted world."""

import numpy as np
import pytest

from vdbench_leaderboard.statistics.draws import error_of_draws

TWO = {0: 0, 1: 1, 2: 0, 3: 1}
"""The draw of each of four seeds."""


def test_where_seeds_of_a_draw_agree_it_is_the_error_of_the_mean_over_draws() -> None:
    """Draw means 1 and 5 have a variance of 8, and their mean one of 8 / 2."""
    assert error_of_draws({0: 1, 1: 5, 2: 1, 3: 5}, TWO) == pytest.approx(2)


def test_where_draws_agree_there_is_none() -> None:
    assert error_of_draws({0: 1, 1: 1, 2: 5, 3: 5}, TWO) == 0


@pytest.mark.parametrize("draws", [1, 4, 9])
def test_without_two_draws_or_two_seeds_of_one_nothing_is_known(draws: int) -> None:
    assert error_of_draws({0: 1, 1: 5, 2: 1, 3: 5}, {seed: seed % draws for seed in range(4)}) is None


def test_a_planted_variance_is_found_on_average() -> None:
    """Ten seeds of three draws, of which one has four: the mean over worlds of the squared error is the planted one."""
    rng = np.random.default_rng(0)
    three = {seed: seed % 3 for seed in range(10)}
    shares = np.bincount(np.arange(10) % 3) / 10
    found = [
        (error_of_draws({s: 6 * drawn[s % 3] + own[s] for s in range(10)}, three) or 0) ** 2
        for drawn, own in ((rng.normal(size=3), rng.normal(size=10)) for _ in range(4000))
    ]
    assert np.mean(found) == pytest.approx(36 * (shares**2).sum(), rel=0.06)
