"""Our losses, gradients and choices against numbers that the public code of each method gave on inputs by formula."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from tests.formulas import flattened, minic3d, sequence, wave
from vdbench.distilled.parameterisations import hallucinate
from vdbench.selector import FeatureSettings, Selector
from vdbench_methods.dm import accumulate_gradient
from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter
from vdbench_methods.learned import descent
from vdbench_methods.mtt import Rows
from vdbench_methods.regression import regression_loss
from vdbench_methods.step_size import StepSize
from vdbench_methods.trajectories import match_trajectory


class Tanh(nn.Module):
    """Embeds two frames of 2x2 pixels by ``tanh(W z + b)``."""

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        weights = 0.3 * torch.sin(0.77 * sequence(120) + 0.2)
        return torch.tanh(flattened(clips) @ weights.view(5, 24).T + 0.1 * torch.sin(0.9 * sequence(5)))


def class_means(network: nn.Module, real: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.embed(real).view(3, 4, -1).mean(dim=1)


def test_two_steps_of_distribution_matching() -> None:
    network, clips = Tanh(), wave(6, 2, 2).requires_grad_()
    means = class_means(network, wave(12, 2, 2, phase=0.6))
    optimiser = torch.optim.SGD([clips], lr=30, momentum=0.5)
    losses, norms = [], []
    for _ in range(2):
        optimiser.zero_grad()
        losses.append(float(accumulate_gradient(network, means, clips, 2, 4)))
        norms.append(float(clips.grad.norm()))
        optimiser.step()
    assert losses == pytest.approx([0.009595554055987453, 10.265660030169158], abs=1e-11)
    assert norms == pytest.approx([0.19903182469404607, 1.3650877650805548], abs=1e-11)
    places = ((0, 0, 0, 0, 0), (1, 1, 2, 1, 1), (3, 0, 1, 1, 0), (5, 1, 0, 0, 1))
    found = [float(clips.detach()[n, c, t, y, x]) for n, t, c, y, x in places]
    expected = [3.283130532566736, 5.634076890946192, 3.0165077941843688, -3.6619757670801194]
    assert found == pytest.approx(expected, abs=1e-11)


def test_distribution_matching_through_minic3d() -> None:
    network, clips = minic3d().requires_grad_(False), wave(6, 8, 64).requires_grad_()
    loss = accumulate_gradient(network, class_means(network, wave(12, 8, 64, phase=0.6)), clips, 2, 1000)
    assert float(loss) == pytest.approx(0.204570452194, rel=1e-9)
    assert float(clips.grad.norm()) == pytest.approx(0.0436950491866, rel=1e-9)
    by_clip = [0.00986311403343, 0.00996595632906, 0.0168577582804, 0.0170650322517, 0.0241455396686, 0.0235425061017]
    assert clips.grad.flatten(1).norm(dim=1).tolist() == pytest.approx(by_clip, rel=1e-8)
    places = ((0, 0, 0, 0, 0), (1, 3, 2, 31, 31), (3, 7, 1, 10, 50), (5, 4, 0, 40, 20))
    found = [float(clips.grad[n, c, t, y, x]) for n, t, c, y, x in places]
    expected = [1.6172874815e-05, -4.98200887184e-06, -2.74401702961e-05, -2.21532539751e-05]
    assert found == pytest.approx(expected, rel=1e-8)


def inner_loss(weights: torch.Tensor, shown: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    first, bias, second, last = weights.split([120, 5, 15, 3])
    hidden = torch.tanh(flattened(shown) @ first.view(5, 24).T + bias)
    return cross_entropy(hidden @ second.view(3, 5).T + last, targets)


@pytest.mark.parametrize("kept", [0, 2])
@pytest.mark.parametrize(
    ("batches", "loss", "norm", "by_step_size", "entries"),
    [
        ([[0, 1, 2, 3, 4, 5]] * 3, 1.2806388141302132, 0.2736161800627028, 11.655494882717505,
         [-0.01540961276446776, -0.03152553771903864, -0.010374995986074647]),
        ([[4, 5], [0, 1, 2, 3], [4, 5]], 1.4756432975167557, 0.29064950854477356, 18.82922847533474,
         [-0.009270557683812249, -0.021146853282339128, -0.020047828361299827]),
    ],
)  # fmt: skip
def test_three_steps_of_trajectory_matching(
    batches: Sequence[Sequence[int]], loss: float, norm: float, by_step_size: float, entries: list[float], kept: int
) -> None:
    start = 0.3 * torch.sin(0.77 * sequence(143) + 0.2)
    goal = start + 0.02 * torch.cos(0.31 * sequence(143) + 0.5)
    clips, labels = wave(6, 2, 2), torch.tensor([0, 0, 1, 1, 2, 2])
    rows = Rows(clips, torch.zeros_like(clips), labels, [torch.tensor(batch) for batch in batches])
    step_size = torch.tensor(0.05, dtype=torch.float64)

    def loss_at(weights: torch.Tensor, shown: torch.Tensor, step: int) -> torch.Tensor:
        return inner_loss(weights, shown, rows.targets(step))

    found = match_trajectory(loss_at, start, goal, rows, step_size, kept)
    assert float(found.loss) == pytest.approx(loss, rel=1e-10)
    assert float(rows.gradient.norm()) == pytest.approx(norm, rel=1e-10)
    assert float(found.step_size) == pytest.approx(by_step_size, rel=1e-10)
    places = ((0, 0, 0, 0, 0), (1, 1, 2, 1, 1), (4, 1, 2, 0, 1))
    assert [float(rows.gradient[n, c, t, y, x]) for n, t, c, y, x in places] == pytest.approx(entries, rel=1e-10)


@pytest.mark.parametrize(
    ("batches", "expected", "expected_step"),
    [
        ([[0, 1, 2, 3, 4, 5]] * 3, [0.4048279550731183, -0.4419084593628964, 0.9301308218432917, -0.9861537477171709,
                                    -0.9049727205533752], 0.0383445051172825),
        ([[4, 5], [0, 1, 2, 3], [4, 5]], [0.39868889999246276, -0.45228714379959595, 0.9234018989234888,
                                          -0.9917291667049498, -0.89529988817815], 0.031170771524665263),
    ],
)  # fmt: skip
def test_one_update_of_trajectory_matching(
    batches: Sequence[Sequence[int]], expected: list[float], expected_step: float
) -> None:
    """Clips at a rate of 1 and the step size at 0.001, through what the method itself descends with."""
    start = 0.3 * torch.sin(0.77 * sequence(143) + 0.2)
    goal = start + 0.02 * torch.cos(0.31 * sequence(143) + 0.5)
    clips, labels = wave(6, 2, 2).requires_grad_(), torch.tensor([0, 0, 1, 1, 2, 2])
    clips.grad = torch.zeros_like(clips)
    rows = Rows(clips.detach(), clips.grad, labels, [torch.tensor(batch) for batch in batches])
    step_size = StepSize(torch.tensor(0.05, dtype=torch.float64), "plain")

    def loss_at(weights: torch.Tensor, shown: torch.Tensor, step: int) -> torch.Tensor:
        return inner_loss(weights, shown, rows.targets(step))

    step_size.descend(match_trajectory(loss_at, start, goal, rows, step_size.value, 0).step_size)
    descent([clips], 1.0, 0.5, "plain").step()
    torch.optim.SGD([step_size.learned], lr=0.001, momentum=0.5).step()
    step_size.bound()
    places = ((0, 0, 0, 0, 0), (1, 1, 2, 1, 1), (3, 0, 1, 1, 0), (5, 1, 0, 0, 1), (4, 1, 2, 0, 1))
    found = [float(clips.detach()[n, c, t, y, x]) for n, t, c, y, x in places]
    assert found == pytest.approx(expected, rel=1e-10)
    assert float(step_size.value) == pytest.approx(expected_step, rel=1e-10)


@pytest.mark.parametrize(
    ("ridge", "loss", "by_features", "entry", "by_labels", "row", "close"),
    [
        (1e-6, 2.94485515477997, 91.18854216055897, 1.0175682823791985, 3.6325450509358723,
         [1.9232584938148611, -0.30920309068947444, -1.2843225404202634], 1e-7),
        (1e-2, 1.0638626994445635, 9.683324306035349, 0.20153623085640973, 0.7626449056070386,
         [0.32822655634318076, -0.21112423421082627, -0.07801123846566699], 1e-10),
    ],
)  # fmt: skip
def test_kernel_regression_of_frepo(
    ridge: float, loss: float, by_features: float, entry: float, by_labels: float, row: list[float], close: float
) -> None:
    learned = (0.3 + torch.sin(0.83 * sequence(72) + 0.3)).clamp(min=0).view(6, 12).requires_grad_()
    real = (0.3 + torch.sin(0.57 * sequence(60) + 1.1)).clamp(min=0).view(5, 12)
    labels = one_hot(torch.arange(6) % 3, 3).double() - 1 / 3 + 0.05 * torch.sin(0.7 * sequence(18) + 0.2).view(6, 3)
    labels.requires_grad_()
    goal = one_hot(torch.tensor([0, 1, 2, 0, 1]), 3).double() - 1 / 3
    found = regression_loss(learned, labels, real, goal, ridge)
    torch.autograd.backward(found)
    assert found.item() == pytest.approx(loss, rel=close)
    assert float(learned.grad.norm()) == pytest.approx(by_features, rel=close)
    assert float(learned.grad[1, 2]) == pytest.approx(entry, rel=close)
    assert float(labels.grad.norm()) == pytest.approx(by_labels, rel=close)
    assert labels.grad[0].tolist() == pytest.approx(row, rel=close)


def test_a_hallucinated_clip() -> None:
    b, c, y, x = torch.meshgrid(*map(sequence, (2, 3, 6, 5)), indexing="ij")
    static = torch.sin(0.3 + 1.1 * b + 0.9 * c + 0.5 * y + 0.4 * x)
    b, f, y, x = torch.meshgrid(*map(sequence, (2, 4, 6, 5)), indexing="ij")
    dynamic = torch.cos(0.2 + 1.3 * b + 0.8 * f + 0.3 * y + 0.6 * x)
    weight = 0.1 * torch.sin(0.37 * sequence(324) + 0.1).view(3, 4, 3, 3, 3)
    made = hallucinate(static, dynamic, weight, torch.tensor([0.05, -0.03, 0.02], dtype=torch.float64))
    assert float(made.norm()) == pytest.approx(4.432830282718618, abs=1e-11)
    found = [float(made[b, c, f, y, x]) for b, f, c, y, x in ((0, 0, 0, 0, 0), (0, 3, 1, 5, 4), (1, 2, 2, 3, 2))]
    assert found == pytest.approx([-0.14813094645512295, -0.1803149477221147, -0.24269648033273214], abs=1e-11)


PICKS = {
    Herding: [118, 61, 101, 47, 57, 117, 59, 43, 136, 197, 156, 67, 126, 184, 175, 187, 145, 139, 165, 22],
    KCenter: [118, 7, 44, 5, 2, 65, 93, 12, 91, 68, 82, 165, 193, 28, 49, 26, 110, 122, 54, 137],
}
"""Those of the public herding, and of k-center as its authors describe it: the public branch stops at three."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", PICKS)
def test_twenty_picks_among_two_hundred(method: type[Selector[FeatureSettings]], dtype: type[np.floating]) -> None:
    i, j = np.arange(200)[:, None], np.arange(16)[None]
    features = np.sin(0.37 * i + 0.91 * j + 0.1) + 0.5 * np.cos(0.113 * i * (j + 1) + 0.2 * j)
    features = features + 0.25 * np.sin(1.7 * i**2 / 50 + j)
    assert features.sum() == pytest.approx(0.692330165555088)
    found = method().select(features.astype(dtype), 20, np.random.default_rng(0), None)  # type: ignore[arg-type]
    assert [int(pick) for pick in found] == PICKS[method]
