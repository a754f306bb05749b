"""The recurrent students against the layers that define them, of which theirs are faster forms."""

import pytest
import torch
from torch import nn

from vdbench.students import build_student
from vdbench.students.recurrent import Halving, frame_backbone


def defined(width: int) -> nn.Sequential:
    """Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2] as torch has them."""
    layers: list[nn.Module] = []
    for inputs in (3, width, width):
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.InstanceNorm2d(width, affine=True), nn.ReLU()]
        layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers)


def derivatives(network: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradients in pixels and weights, and the derivatives of these gradients, in double precision."""
    network, images = network.double(), images.double().requires_grad_()
    maps = network(images)
    inputs = [images, *network.parameters()]
    slopes = torch.autograd.grad(maps.sin().sum(), inputs, create_graph=True)
    return [maps, *slopes, *torch.autograd.grad(sum(slope.square().sum() for slope in slopes), inputs)]


@pytest.mark.parametrize("size", [8, 17, 22, 32])
def test_frames_become_the_maps_of_the_defining_layers_with_their_first_and_second_derivatives(size: int) -> None:
    chance = torch.Generator().manual_seed(size)
    ours, theirs = frame_backbone(5), defined(5)
    for weights in theirs.parameters():
        weights.data += 0.3 * torch.randn(weights.shape, generator=chance)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(4, 3, size, size, generator=chance)
    for got, wanted in zip(derivatives(ours, images), derivatives(theirs, images), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


def test_weights_are_those_of_the_defining_layers_and_start_alike() -> None:
    torch.manual_seed(3)
    ours = frame_backbone(4).state_dict()
    torch.manual_seed(3)
    theirs = defined(4).state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_frames_channels_last_or_not_are_halved_to_the_means_of_four() -> None:
    maps = torch.arange(30.0).view(1, 1, 5, 6)
    wanted = torch.tensor([[[[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]]])
    assert torch.equal(Halving()(maps), wanted)
    both = maps.expand(2, 3, 5, 6).contiguous(memory_format=torch.channels_last)
    assert torch.equal(Halving()(both), wanted.expand(2, 3, 2, 3))
    assert Halving()(maps.to("meta")).shape == wanted.shape


@pytest.mark.parametrize("name", ["cnn-gru", "cnn-lstm"])
def test_a_bias_that_the_norm_removes_has_gradients_of_zero(name: str) -> None:
    student = build_student(name, 3, 4, 16, width=4, seed=0)
    student(torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    grads = dict(student.named_parameters())
    assert all(not bool(grads[f"features.{layer}.bias"].grad.any()) for layer in (0, 4, 8))
    assert all(bool(grads[f"features.{layer}.weight"].grad.any()) for layer in (0, 4, 8))


def test_the_students_of_published_size_have_as_many_weights() -> None:
    """Convolutions and norms, recurrent layer, classifier, at 50 classes; on no device, which they would fill."""
    with torch.device("meta"):
        gru = build_student("cnn-gru", 50, 16, 112)
        lstm = build_student("cnn-lstm-as-published", 50, 16, 112)
        small = build_student("cnn-lstm", 50, 16, 112)
    parts = [sum(weights.numel() for weights in part.parameters()) for part in lstm.children()]
    assert parts == [299_520, 536_936_448, 409_650]
    assert lstm.parameter_count() == sum(parts) == 537_645_618
    assert gru.parameter_count() == 28_668_466
    assert small.parameter_count() == 38_107_698


def test_the_lstm_of_published_size_has_a_hidden_number_per_feature() -> None:
    student = build_student("cnn-lstm-as-published", 5, 4, 32, width=4)
    assert student.embed(torch.zeros(1, 3, 4, 32, 32)).shape == (1, 4 * 4 * 4)
