"""Scores of DD-Ranking against check values and closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench_leaderboard.statistics.ddranking import ars, hlr, ior, lrs

fraction = st.floats(0, 1)
gap = st.floats(-1, 1)
CHECKED = [(0.0, 0.2689), (0.1, 0.3137), (-0.5, 0.1015), (-1.0, 0.0), (1.0, 1.0)]


@pytest.mark.parametrize(("exponent", "expected"), CHECKED)
def test_scores_have_their_check_values(exponent, expected):
    assert lrs(exponent, -exponent) == pytest.approx(expected, abs=5e-5)
    assert ars(exponent, exponent) == pytest.approx(expected, abs=5e-5)


@given(fraction, fraction, fraction, fraction)
def test_scores_of_fractions_are_fractions(full, distilled, own, random):
    assert 0 <= lrs(ior(own, random), hlr(full, distilled)) <= 1
    assert 0 <= ars(ior(own, random), ior(distilled, random)) <= 1


@given(gap, gap, gap)
def test_more_over_random_and_less_behind_full_score_higher(low, high, other):
    low, high = sorted((low, high))
    assert lrs(low, other) <= lrs(high, other)
    assert lrs(other, low) >= lrs(other, high)
    assert ars(low, other) <= ars(high, other)
    assert ars(low, other) == pytest.approx(ars(other, low))


@pytest.mark.parametrize("wrong", [52.1, 1.01, -0.01, float("nan")])
def test_percentages_are_refused(wrong):
    for call in (lambda: hlr(wrong, 0.5), lambda: hlr(0.5, wrong), lambda: ior(wrong, 0.5), lambda: ior(0.5, wrong)):
        with pytest.raises(ValueError, match="fractions"):
            call()


@pytest.mark.parametrize("wrong", [8.0, -38.7, -1.01, float("inf"), float("nan")])
def test_differences_of_percentages_are_refused(wrong):
    for call in (lambda: lrs(wrong, 0.1), lambda: lrs(0.1, wrong), lambda: ars(wrong, 0.1), lambda: ars(0.1, wrong)):
        with pytest.raises(ValueError, match="fractions"):
            call()


@pytest.mark.parametrize(
    ("full", "hard", "own", "random", "expected", "by_hard_labels"),
    [
        (0.572, 0.15, 0.2, 0.1, 0.20567228511607058, 0.19672978393461374),
        (0.562, 0.153, 0.153, 0.115, 0.19690645181124442, 0.19690645181124442),
        (1, 0, 0, 1, 0.0, 0.0),
        (0.3, 0.3, 0.3, 0.3, 0.26894142136999516, 0.26894142136999516),
        (0.9, 0.95, 0.99, 0.2, 0.49101469632994127, 0.47819269693938515),
    ],
)
def test_the_label_robust_score_is_that_of_the_public_code(full, hard, own, random, expected, by_hard_labels):
    assert lrs(ior(own, random), hlr(full, hard)) == pytest.approx(expected, abs=1e-14)
    assert lrs(ior(hard, random), hlr(full, hard)) == pytest.approx(by_hard_labels, abs=1e-14)


@pytest.mark.parametrize(
    ("varied", "random_varied", "plain", "random_plain", "expected"),
    [
        (0.2, 0.1, 0.15, 0.1, 0.3020779393151249),
        (0.153, 0.115, 0.22, 0.115, 0.3004756604016561),
        (0, 1, 0, 1, 0.0),
        (1, 0, 1, 0, 1.0),
        (0.3, 0.3, 0.3, 0.3, 0.26894142136999516),
    ],
)
def test_the_augmentation_robust_score_is_that_of_the_public_code(varied, random_varied, plain, random_plain, expected):
    assert ars(ior(varied, random_varied), ior(plain, random_plain)) == pytest.approx(expected, abs=1e-14)
