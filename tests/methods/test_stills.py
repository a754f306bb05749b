"""Images by gradient matching: against a loop that is written out, finite differences, and what the words say."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from vdbench.method import Task
from vdbench.seeding import generator, seed_of, seeded
from vdbench.testing import tiny_task
from vdbench_methods import dc
from vdbench_methods.dc import distance
from vdbench_methods.learned import RealClips, initial_clips
from vdbench_methods.static_dynamic import VDSDSettings
from vdbench_methods.stills import Frames, image_classifier, images_work, learn_images

CLASSES = 3


def settings(**changes: object) -> VDSDSettings:
    quick = {"static_loss": "dc", "static_iterations": 2, "static_width": 3, "static_lr": 5.0, "static_real": 4}
    return VDSDSettings.model_validate(quick | changes)


def start(task: Task, per_class: int) -> torch.Tensor:
    """The middle frames of real clips."""
    return initial_clips(task, "real", per_class)[0][:, :, 2].clone()


def network_of(seed: int) -> nn.Sequential:
    """Three convolutions with norms of single maps, and a linear layer, layer by layer."""
    with seeded(seed):
        linear = nn.Linear(3 * 2 * 2, CLASSES)
        layers: list[nn.Module] = []
        for inputs in (3, 3, 3):
            layers += [
                nn.Conv2d(inputs, 3, 3, padding=1),
                nn.InstanceNorm2d(3, affine=True),
                nn.ReLU(),
                nn.AvgPool2d(2),
            ]
    return nn.Sequential(*layers, nn.Flatten(), linear)


def slopes_of(network: nn.Module, frames: torch.Tensor, label: int) -> tuple[torch.Tensor, ...]:
    loss = cross_entropy(network(frames), torch.full((len(frames),), label))
    return torch.autograd.grad(loss, list(network.parameters()), create_graph=True)


def apart(real: tuple[torch.Tensor, ...], learned: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """One minus the cosine, output channel by output channel; biases and norms do not count."""
    total = torch.zeros(())
    for a, b in zip(real, learned, strict=True):
        for one, other in zip(a.detach(), b, strict=True) if a.ndim > 1 else ():
            lengths = one.square().sum().sqrt() * other.square().sum().sqrt()
            total = total + 1 - (one * other).sum() / (lengths + 1e-6)
    return total


def literal(task: Task, images: torch.Tensor, per_class: int, updates: int, epochs: int) -> torch.Tensor:
    """Two iterations of gradient matching, with momentum 0.5, as they are told."""
    real, speed = RealClips(task.train, task.device), torch.zeros_like(images)
    for step in range(2):
        rng = generator(task.seed, "vdsd images", step)
        network = network_of(seed_of(rng))
        for update in range(updates):
            if update:
                seed_of(rng)  # of dropout, which it has none of
                for _ in range(epochs):
                    order = rng.permutation(len(images))
                    targets = torch.arange(CLASSES).repeat_interleave(per_class)[order]
                    grads = torch.autograd.grad(
                        cross_entropy(network(images[order]), targets), list(network.parameters())
                    )
                    with torch.no_grad():
                        for weights, grad in zip(network.parameters(), grads, strict=True):
                            weights.sub_(0.01 * grad)
            times = rng.integers(task.train.frames, size=len(task.train))
            leaf, loss = images.clone().requires_grad_(), torch.zeros(())
            for label in range(CLASSES):
                rows = real.draw(rng, label, 4)
                frames = torch.stack([task.train.render(torch.tensor([row]))[0][0, :, times[row]] for row in rows])
                own = leaf[label * per_class : (label + 1) * per_class]
                loss = loss + apart(slopes_of(network, frames, label), slopes_of(network, own, label))
            (grad,) = torch.autograd.grad(loss, leaf)
            speed = 0.5 * speed + grad
            images = images - 5.0 * speed
    return images


@pytest.mark.parametrize(("per_class", "updates", "epochs"), [(2, 1, 1), (4, 3, 2)])
def test_images_are_those_of_the_loop_that_is_written_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, per_class: int, updates: int, epochs: int
) -> None:
    """With few loops: over hundreds of epochs the smallest rounding makes other images."""
    monkeypatch.setattr(dc, "LOOPS", {1: (updates, epochs)})
    task = tiny_task(tmp_path)
    images = start(task, per_class)
    before, wanted = images.clone(), literal(task, images, per_class, updates, epochs)
    learn_images(task, settings(), RealClips(task.train, task.device), images, per_class)
    assert float((wanted - before).norm()) > 0.1
    assert float((images - wanted).norm()) < 1e-3 * float((wanted - before).norm())
    assert not images.requires_grad


def test_the_gradient_of_the_distance_is_that_of_finite_differences() -> None:
    network = image_classifier(2, 2, 8).double()
    chance = torch.Generator().manual_seed(0)
    real, own = (torch.randn(2, 3, 1, 8, 8, generator=chance, dtype=torch.float64) for _ in range(2))
    goal = [slope.detach() for slope in slopes_of(network, real, 0)]
    assert torch.autograd.gradcheck(lambda clips: distance(goal, slopes_of(network, clips, 0)), (own.requires_grad_(),))


def test_images_that_are_the_frames_of_their_class_have_nothing_to_learn(tmp_path: Path) -> None:
    """All clips of a class at one time, against the same frames: no distance, and those of others keep theirs."""
    task = tiny_task(tmp_path)
    real = RealClips(task.train, task.device)
    frames = Frames(real, np.full(len(task.train), 1))
    network = image_classifier(3, CLASSES, 16)
    same, other = (slopes_of(network, frames.render(real.rows[label]), 0) for label in (0, 1))
    wanted = slopes_of(network, real.frames(real.rows[0], np.ones(len(real.rows[0]), int)).unsqueeze(2), 0)
    assert float(distance(wanted, same).detach()) == pytest.approx(0, abs=1e-3)
    assert float(distance(wanted, other).detach()) > 0.1


@pytest.mark.parametrize("loss", ["dm", "dc"])
def test_what_it_takes_is_counted_and_can_be_tried(tmp_path: Path, loss: str) -> None:
    task = tiny_task(tmp_path)
    work = {n: images_work(task, settings(static_loss=loss, static_iterations=7), 12, n) for n in (2, 10)}
    for one in work.values():
        one.ready()(one.batch)
        one.ready()(1)
    assert work[2].times == (7 if loss == "dm" else pytest.approx(7 * (12 + 3 * 6) / 18))
    assert work[10].times == (7 if loss == "dm" else pytest.approx(7 * (10 * (12 + 3 * 30) + 9 * 50 * 30) / 42))
