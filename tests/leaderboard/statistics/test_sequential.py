"""Searches that add seeds: how often they find what is not there, and what they do with what is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vdbench_leaderboard.statistics.sequential import BEFORE_HOPE, HOPE, levels, look

LOOKS = tuple(range(3, 21))


def test_a_single_look_is_the_plain_t_test() -> None:
    (level,) = levels((8,), 0.05)
    assert level == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize(("alpha", "most"), [(0.05, 20), (0.05, 8), (0.005, 20)])
def test_without_a_difference_a_search_finds_one_no_more_often_than_allowed(alpha: float, most: int) -> None:
    """Other numbers than those that levels are read from; drawn with a standard deviation of their own."""
    looks, paths = tuple(range(3, most + 1)), 40_000
    draws = np.random.default_rng(11).normal(0, 7, (paths, most))
    found = np.zeros(paths, dtype=bool)
    naive = np.zeros(paths, dtype=bool)
    for seeds, level in zip(looks, levels(looks, alpha), strict=True):
        p = stats.ttest_1samp(draws[:, :seeds], 0, axis=1).pvalue
        found |= p < level
        naive |= p < alpha
    error = np.sqrt(alpha * (1 - alpha) / paths)
    assert found.mean() == pytest.approx(alpha, abs=4 * error + 0.03 * alpha)
    assert naive.mean() > 1.5 * alpha  # what testing each time at the full level does


def test_unequal_variances_of_seeds_do_not_raise_the_error() -> None:
    """Every second seed is five times as noisy."""
    rng, looks, paths = np.random.default_rng(3), LOOKS, 20_000
    draws = rng.standard_normal((paths, 20)) * np.where(np.arange(20) % 2, 5, 1)
    found = np.zeros(paths, dtype=bool)
    for seeds, level in zip(looks, levels(looks, 0.05), strict=True):
        found |= stats.ttest_1samp(draws[:, :seeds], 0, axis=1).pvalue < level
    assert found.mean() < 0.055


def test_a_large_difference_is_told_early_and_a_search_without_one_ends_before_the_last_look() -> None:
    rng = np.random.default_rng(5)
    large = [look(rng.normal(10, 2, 20), LOOKS, 0.05) for _ in range(200)]
    assert all(found.state == "told" for found in large)
    assert np.mean([found.seeds for found in large]) < 6
    none = [look(rng.normal(0, 2, 20), LOOKS, 0.05) for _ in range(200)]
    assert np.mean([found.state == "told" for found in none]) < 0.1
    assert np.mean([found.seeds for found in none]) < 14
    assert min(found.seeds for found in none if found.state == "beyond hope") >= BEFORE_HOPE


@pytest.mark.parametrize(("difference", "lost", "seeds"), [(0.0, 0.05, 10.5), (0.7, 0.2, 13.5), (1.0, 0.1, 12.5)])
def test_giving_up_hope_saves_more_seeds_than_findings(difference: float, lost: float, seeds: float) -> None:
    """Of differences in standard deviations: what twenty seeds find, a search finds too, but for a stated share."""
    draws = np.random.default_rng(6).normal(difference, 1, (400, 20))
    fixed = np.mean(stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05)
    found = [look(path, LOOKS, 0.05) for path in draws]
    assert fixed - np.mean([one.state == "told" for one in found]) < lost
    assert np.mean([one.seeds for one in found]) < seeds


@pytest.mark.parametrize(
    ("differences", "given_up"),
    [((2, -2, 1.5, -1, 0.5, -0.5, 1, -1), True), ((2, -1, 1.5, -1, 1, -0.5, 1, 0.5), False)],
)
def test_hope_is_given_up_where_few_worlds_like_what_was_seen_end_with_a_finding(
    differences: tuple[float, ...], given_up: bool
) -> None:
    """Worlds are drawn from what eight normal differences leave open, and each is tested once with twenty."""
    rng, seen, paths = np.random.default_rng(4), np.asarray(differences), 20_000
    variance = seen.var(ddof=1) * 7 / rng.chisquare(7, paths)
    mean = rng.normal(seen.mean(), np.sqrt(variance / 8))
    rest = rng.normal(mean[:, None], np.sqrt(variance)[:, None], (paths, 12))
    whole = np.concatenate([np.tile(seen, (paths, 1)), rest], axis=1)
    found = np.mean(stats.ttest_1samp(whole, 0, axis=1).pvalue < levels(LOOKS, 0.05)[-1])
    assert (found < HOPE) == given_up
    assert abs(found - HOPE) > 0.05
    assert (look(differences, LOOKS, 0.05).state == "beyond hope") == given_up


def test_intervals_hold_the_difference_at_every_look_together() -> None:
    rng, paths = np.random.default_rng(2), 2000
    missed = 0
    for draws in rng.normal(3, 2, (paths, 20)):
        held = True
        for seeds, level in zip(LOOKS, levels(LOOKS, 0.05), strict=True):
            mean, error = draws[:seeds].mean(), draws[:seeds].std(ddof=1) / np.sqrt(seeds)
            held &= abs(mean - 3) <= stats.t.isf(level / 2, seeds - 1) * error
        missed += not held
    assert missed / paths < 0.05 + 3 * np.sqrt(0.05 * 0.95 / paths)
    found = look([1.0, 2.0, 4.0], LOOKS, 0.05)
    level = levels(LOOKS, 0.05)[0]
    half = stats.t.isf(level / 2, 2) * np.std([1, 2, 4], ddof=1) / np.sqrt(3)
    assert (found.seeds, found.state) == (3, "open")
    assert found.half_width == pytest.approx(half)
    assert found.p == pytest.approx(stats.ttest_1samp([1, 2, 4], 0).pvalue)


def test_an_interval_beside_those_of_other_comparisons_is_wider_and_its_test_is_not() -> None:
    differences = [4.0, 9.0, 6.0, 7.0, 5.0, 3.0]
    alone, strict, beside = (
        look(differences, LOOKS, alpha, beside=wide) for alpha, wide in ((0.05, None), (0.01, None), (0.05, 0.01))
    )
    assert (beside.p, beside.level, beside.state, beside.seeds) == (alone.p, alone.level, alone.state, alone.seeds)
    same = look(differences[: beside.seeds], LOOKS, 0.01, to_the_end=True)
    assert (beside.low, beside.high) == (same.low, same.high)
    assert beside.half_width > alone.half_width
    assert strict.seeds > alone.seeds  # the stricter test takes longer


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=20))
def test_more_seeds_never_change_what_a_search_has_ended_with(differences: list[float]) -> None:
    early = look(differences, LOOKS, 0.05)
    if early.state != "open":
        assert look([*differences, 49.0, -49.0, 12.0], LOOKS, 0.05) == early
    assert early.seeds <= len(differences)


@pytest.mark.parametrize(("difference", "state"), [(0.0, "beyond hope"), (4.0, "told")])
def test_differences_that_are_the_same_for_every_seed(difference: float, state: str) -> None:
    """They have no standard deviation to test with: their signs are flipped instead, as in every table."""
    found = look([difference] * 20, LOOKS, 0.05)
    assert found.state == state
    assert found.seeds == (5 if state == "beyond hope" else 9)  # 2^(1 - 9) is below its level, 2^(1 - 8) above


def test_too_few_seeds_are_no_look() -> None:
    with pytest.raises(ValueError, match="the first look takes 3 seeds, and there are 2"):
        look([1.0, 2.0], LOOKS, 0.05)
