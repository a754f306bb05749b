"""Moderated variances against closed forms, against what another implementation gave, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from benchmarks.moderation import rates, worlds
from vdbench_leaderboard.statistics.estimates import estimate
from vdbench_leaderboard.statistics.moderated import FEWEST_CELLS, Prior, fit_prior, moderate, trigamma_inverse


def block(cells: int, seeds: int = 3, seed: int = 0) -> dict[str, list[float]]:
    """Cells whose seeds differ by three points."""
    rng = np.random.default_rng(seed)
    return {f"method {cell}": rng.normal(5, 3, seeds).tolist() for cell in range(cells)}


@given(st.floats(-6, 6))
def test_trigamma_is_inverted_over_twelve_decades(power: float) -> None:
    assert trigamma_inverse(float(special.polygamma(1, 10**power))) == pytest.approx(10**power, rel=1e-6)


@pytest.mark.parametrize("freedom", [2, 4])
@pytest.mark.parametrize(("d0", "s0"), [(1.5, 0.3), (4.0, 1.0), (25.0, 40.0)])
def test_a_prior_whose_moments_are_those_of_the_variances_is_found(freedom: int, d0: float, s0: float) -> None:
    """By equations of the log of an F-distributed variable: its mean and its variance."""
    middle = (
        math.log(s0) + special.digamma(freedom / 2) - math.log(freedom / 2) - special.digamma(d0 / 2) + math.log(d0 / 2)
    )
    spread = math.sqrt(special.polygamma(1, freedom / 2) + special.polygamma(1, d0 / 2))
    logs = middle + spread * np.array([-1, 1, -1, 1]) * math.sqrt(3 / 4)
    found = fit_prior(np.exp(logs).tolist(), [freedom] * 4)
    assert (found.freedom, found.variance) == (pytest.approx(d0), pytest.approx(s0))


def test_variances_that_scatter_no_more_than_equal_ones_are_pooled() -> None:
    found = fit_prior([2.0, 3.0, 4.0, 4.0], [2, 2, 2, 4])
    assert found == Prior((2 * 2 + 3 * 2 + 4 * 2 + 4 * 4) / 10, math.inf)
    assert found.squeeze(9.0, 2) == found.variance
    assert found.chance_above(found.variance * stats.chi2.isf(0.05, 2) / 2, 2) == pytest.approx(0.05)


def test_a_variance_is_moderated_by_degrees_of_freedom() -> None:
    prior = Prior(4.0, 6.0)
    assert prior.squeeze(10.0, 2) == pytest.approx((6 * 4 + 2 * 10) / 8)
    assert prior.chance_above(4.0 * stats.f.isf(0.01, 2, 6), 2) == pytest.approx(0.01)


def test_what_is_found_of_30_groups_of_3_is_what_limma_finds() -> None:
    """Of 2,000 draws with d0 = 4 and s0^2 = 1, squeezeVar of limma gave these medians, quantiles and shares."""
    rng = np.random.default_rng(0)
    true = 4 / rng.chisquare(4, (2000, 30))
    found = [fit_prior(row, [2] * 30) for row in true * rng.chisquare(2, (2000, 30)) / 2]
    freedom, variance = np.array([f.freedom for f in found]), np.array([f.variance for f in found])
    assert np.quantile(freedom, [0.25, 0.5]) == pytest.approx([2.7, 4.6], rel=0.08)
    assert np.isinf(freedom).mean() == pytest.approx(0.18, abs=0.03)
    assert np.median(variance) == pytest.approx(1.02, abs=0.04)
    assert np.quantile(variance, [0.05, 0.95]) == pytest.approx([0.48, 1.89], rel=0.08)
    assert np.median(variance[np.isinf(freedom)]) == pytest.approx(1.44, abs=0.08)


def test_a_cell_borrows_what_the_formulas_say_and_never_less_than_it_has() -> None:
    values = block(12)
    found = moderate(values)
    variances = {key: float(np.var(some, ddof=1)) for key, some in values.items()}
    fitted = fit_prior(list(variances.values()), [2] * 12)
    assert found.prior is not None and not found.alone
    assert found.prior.freedom == pytest.approx(fitted.freedom)
    assert found.prior.variance == pytest.approx(max(fitted.variance, float(np.mean(list(variances.values())))))
    for key, cell in found.cells.items():
        squeezed = found.prior.squeeze(variances[key], 2)
        assert cell.variance == pytest.approx(max(squeezed, variances[key]))
        assert cell.freedom == pytest.approx(min(found.prior.freedom, 2 / (1 / 12 + 0.25 * 11 / 12)) + 2)
        error = math.sqrt(cell.variance / 3)
        assert cell.p == pytest.approx(2 * stats.t.sf(abs(cell.mean) / error, cell.freedom))
        assert cell.high - cell.mean == pytest.approx(stats.t.ppf(0.975, cell.freedom) * error)


def test_no_more_is_borrowed_than_cells_have_that_share_half_their_variance() -> None:
    """The mean of correlated variances scatters as a variance with so many degrees of freedom."""
    rng = np.random.default_rng(0)
    noise = 0.5**0.5 * (rng.normal(size=(20_000, 12, 3)) + rng.normal(size=(20_000, 1, 3)))
    mean = noise.var(axis=2, ddof=1).mean(axis=1)
    equal = moderate({cell: [cell - 1.0, cell, cell + 1.0] for cell in range(12)})
    assert equal.prior == Prior(1.0, math.inf)
    gained = equal.cells[0].freedom - 2
    assert gained == pytest.approx(2 * mean.mean() ** 2 / mean.var(), rel=0.04)
    assert all(cell.freedom == equal.cells[0].freedom for cell in equal.cells.values())


def test_a_cell_that_is_too_spread_keeps_its_own_variance_and_the_others_do_not_take_it() -> None:
    calm = block(12)
    wild = calm | {"wild": [-80.0, 10.0, 95.0]}
    found = moderate(wild)
    assert found.alone == ("wild",)
    assert found.prior == moderate(calm).prior
    t = stats.ttest_1samp(wild["wild"], 0)
    assert found.cells["wild"].p == pytest.approx(t.pvalue)


def test_few_cells_borrow_nothing_and_have_todays_interval() -> None:
    values = block(FEWEST_CELLS - 1) | {"one seed": [3.0]}
    found = moderate(values)
    assert found.prior is None and "one seed" not in found.cells
    assert not any(cell.borrowed for cell in found.cells.values())
    for key, cell in found.cells.items():
        today = estimate({seed: {0: value} for seed, value in enumerate(values[key])})
        assert today is not None
        assert (cell.low, cell.high) == pytest.approx((today.low, today.high), abs=1e-6)
        assert cell.p == pytest.approx(stats.ttest_1samp(values[key], 0).pvalue, rel=1e-6)


def test_cells_without_any_spread_are_no_proof() -> None:
    found = moderate({cell: [5.0] * 3 for cell in range(9)} | {9: [0.0] * 3})
    assert found.prior is None
    assert {cell.p for cell in found.cells.values()} == {0.25, 1.0}
    mixed = moderate(block(12) | {"equal": [5.0, 5.0, 5.0]})
    assert mixed.prior is not None and mixed.cells["equal"].variance > 0, "it borrows"
    assert mixed.cells["equal"].p > 1e-4


@pytest.mark.parametrize("shape", ["equal", "half of them nine times as large", "one 25 times as large"])
def test_moderated_tests_err_no_more_than_they_may_and_find_more(shape: str) -> None:
    """At most 5.5 % of tests err, and of columns after the correction, within three standard errors of the count."""
    blocks = 200
    got = rates(worlds(12)[shape], seeds=3, blocks=blocks)
    ours, plain = got.moderated, got.plain
    assert ours.error < 5.5 + 300 * (0.05 * 0.95 / (12 * blocks)) ** 0.5
    assert ours.any_error < 5.5 + 300 * (0.05 * 0.95 / blocks) ** 0.5
    assert ours.power > plain.power
    assert ours.corrected_power > 1.5 * plain.corrected_power
    if shape == "equal":
        assert ours.power > 1.5 * plain.power
