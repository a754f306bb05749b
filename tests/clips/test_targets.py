"""Labels as distributions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from vdbench.clips.targets import nearest_distribution


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5))
def test_no_other_distribution_is_nearer_to_a_centred_label(label: list[float]) -> None:
    classes = len(label)
    found = nearest_distribution(torch.tensor([label], dtype=torch.float64) - 1 / classes)[0].numpy()
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    best = minimize(
        lambda p: ((p - np.array(label)) ** 2).sum(), np.full(classes, 1 / classes), method="SLSQP",
        bounds=[(0, 1)] * classes, constraints={"type": "eq", "fun": lambda p: p.sum() - 1}, options={"ftol": 1e-12},
    )  # fmt: skip
    assert ((found - np.array(label)) ** 2).sum() <= best.fun + 1e-6


def test_a_constant_in_a_row_changes_nothing() -> None:
    rows = torch.tensor([[0.7, -0.1, 0.2], [0.3, 0.3, -0.4]])
    torch.testing.assert_close(nearest_distribution(rows + torch.tensor([[5.0], [-2.0]])), nearest_distribution(rows))
