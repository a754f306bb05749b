"""What the simulations of tests over seeds and of ranks count, against what is known without them."""

import numpy as np
import pytest

from benchmarks.looks import FIRST, MOST, looking, once, shared, worlds
from benchmarks.ranking import told_apart
from vdbench_leaderboard.statistics.sequential import look
from vdbench_leaderboard.statistics.two_way import OTHERS, THESE

PATHS = 8000
BAR = 300 * (0.05 * 0.95 / PATHS) ** 0.5
"""Three standard errors of a share of 5 %, in points."""


@pytest.mark.parametrize(
    "name", ["normal", "every second seed five times as spread", "shares of 241 independent clips"]
)
def test_searches_err_in_at_most_five_percent_also_where_seeds_are_unequal(name: str) -> None:
    drawn = dict(worlds(PATHS, seed=3))[name]
    for most in (8, MOST):
        assert looking(drawn, most) < 5.5 + BAR
    assert looking(drawn, MOST, plain=True) > 10


def test_a_search_errs_as_often_as_its_looks_say_one_by_one() -> None:
    drawn = np.random.default_rng(1).standard_normal((300, 8)) + 0.5
    looks = tuple(range(FIRST, 9))
    found = [any(look(row[:seeds], looks, 0.05, to_the_end=True).state == "told" for seeds in looks) for row in drawn]
    assert looking(drawn, 8) == pytest.approx(100 * np.mean(found))


def test_three_draws_are_no_harm_to_three_seeds_and_more_to_more() -> None:
    drawn = shared(np.random.default_rng(0), PATHS, 1.0, 3)
    assert once(drawn, 3) == pytest.approx(5, abs=BAR)
    assert once(drawn, 5) > 7
    assert once(drawn, 20) > 2 * once(drawn, 5)
    apart = shared(np.random.default_rng(0), PATHS, 1.0, MOST)
    assert once(apart, MOST) == pytest.approx(5, abs=BAR)


def test_equal_differences_are_tested_by_their_signs() -> None:
    assert once(np.full((4, 6), 2.0), 5) == 0
    assert once(np.full((4, 6), 2.0), 6) == 100
    assert once(np.zeros((4, 6)), 6) == 0


def test_of_a_dozen_equal_methods_about_a_tenth_of_columns_shows_more_than_one_rank() -> None:
    """Of 600 columns, 10 % have a standard error of 1.2 points."""
    assert 5 < told_apart(12, 5, 600, THESE) < 16
    assert told_apart(4, 5, 60, OTHERS) < 15
