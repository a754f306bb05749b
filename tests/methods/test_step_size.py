"""The learned step size: descent on it and on its logarithm, in closed form."""

import math

import pytest
import torch
from torch.nn.functional import softplus

from tests.methods.test_mtt import Shown
from vdbench_methods.step_size import SMALLEST_STEP, Form, StepSize
from vdbench_methods.trajectories import match_trajectory


def shown() -> Shown:
    """Three steps on the rows of a matrix each."""
    rows = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return Shown(list(rows), torch.zeros(6))


def after(form: Form, first: float, slope: float, lr: float, iterations: int = 1) -> float:
    """The step size after plain descent at a constant slope."""
    size = StepSize(torch.tensor(first, dtype=torch.float64), form)
    optimiser = torch.optim.SGD([size.learned], lr=lr)
    for _ in range(iterations):
        size.descend(torch.tensor(slope, dtype=torch.float64))
        optimiser.step()
        size.bound()
    return float(size.value)


def test_the_published_form_is_descent_on_the_step_size_itself() -> None:
    assert after("plain", 0.05, 3.0, 1e-3) == pytest.approx(0.05 - 3e-3)
    assert after("plain", 0.05, 1e6, 1e-3) == SMALLEST_STEP


def test_the_gradient_in_the_logarithm_equals_finite_differences() -> None:
    start, goal = torch.full((2, 4), 0.5, dtype=torch.float64) * torch.tensor([[1.0], [-1.0]])

    def matched(log: torch.Tensor):  # type: ignore[no-untyped-def]
        return match_trajectory(lambda w, x, _: softplus(x @ w).mean(), start, goal, shown(), log.exp())

    size = StepSize(torch.tensor(0.3, dtype=torch.float64), "log")
    here = size.learned.detach()
    size.descend(matched(here).step_size)
    found = size.learned.grad
    assert found is not None
    assert 1e-3 < abs(float(found)) < 1  # it was not cut off
    torch.testing.assert_close(found, (matched(here + 1e-5).loss - matched(here - 1e-5).loss) / 2e-5, rtol=1e-7, atol=0)


@pytest.mark.parametrize("slope", [4.0, -4.0])
def test_descent_on_the_logarithm_multiplies(slope: float) -> None:
    assert after("log", 0.05, slope, 0.1) == pytest.approx(0.05 * math.exp(-0.1 * 0.05 * slope))


@pytest.mark.parametrize("slope", [1e2, 1e20, -1e20])
def test_no_gradient_changes_it_by_more_than_the_rate(slope: float) -> None:
    assert after("log", 0.05, slope, 0.1) == pytest.approx(0.05 * math.exp(-math.copysign(0.1, slope)))


def test_it_stays_above_its_bound() -> None:
    assert after("log", 0.05, 1e6, 0.5, iterations=20) == pytest.approx(SMALLEST_STEP)
