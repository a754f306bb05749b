"""The images that ``vdsd`` stores and learns first: by matching distributions or gradients of single frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.seeding import seed_of, seeded
from vdbench.work.workload import Work
from vdbench_methods.dc import STEPS_OF_A_MATCH, DCSettings, accumulate_gradient, train_network
from vdbench_methods.learned import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from vdbench.method import Task
    from vdbench_methods.learned import RealClips
    from vdbench_methods.static_dynamic import VDSDSettings

LOOP = "vdsd images"
"""Name of their loop, for its random draws and its errors."""


def learn_images(task: Task, settings: VDSDSettings, real: RealClips, images: torch.Tensor, per_class: int) -> None:
    """Learn images in place.

    Args:
        task: what is distilled.
        settings: of the method.
        real: the train clips, whose frames are matched.
        images: ``(classes * per_class, 3, H, W)``, class by class.
        per_class: images of each class.
    """
    learn = match_gradients if settings.static_loss == "dc" else match_distributions
    learn(task, settings, real, images, per_class)


def match_distributions(
    task: Task, settings: VDSDSettings, real: RealClips, images: torch.Tensor, per_class: int
) -> None:
    """Under a fresh random 2D network per iteration; arguments as of :func:`learn_images`."""
    import torch

    images.requires_grad_()
    optimiser = torch.optim.SGD([images], lr=settings.static_lr, momentum=0.5)
    for step in (loop := Loop(task, LOOP, settings.static_iterations, {"static": images}, {"sgd": optimiser})):
        rng = loop.rng(step)
        with seeded(seed_of(rng)):
            network = image_network(settings.static_width)
        network = network.to(task.device).requires_grad_(False)
        rows = [real.draw(rng, label, settings.real_frames) for label in range(len(task.train.classes))]
        frames = [real.frames(some, rng.integers(task.train.frames, size=len(some))) for some in rows]
        with torch.no_grad():
            means = torch.stack([network(some).flatten(1).mean(dim=0) for some in frames])
        optimiser.zero_grad()
        own = network(images).view(len(means), per_class, -1).mean(dim=1)
        loss = (means - own).square().sum()
        torch.autograd.backward(loss)
        optimiser.step()
        loop.log(loss)
    images.requires_grad_(False)


def match_gradients(task: Task, settings: VDSDSettings, real: RealClips, images: torch.Tensor, per_class: int) -> None:
    """As :mod:`vdbench_methods.dc` learns clips, on frames; arguments as of :func:`learn_images`.

    Every iteration has a fresh 2D network, which learns the images between its updates of them.
    """
    import torch

    train, matching = task.train, DCSettings(real=settings.real_frames, clips_per_pass=settings.clips_per_pass)
    updates, epochs = matching.loops(per_class)
    targets = torch.arange(len(train.classes), device=task.device).repeat_interleave(per_class)
    clips = images.unsqueeze(2).requires_grad_()  # clips of one frame, and the same memory
    optimiser = torch.optim.SGD([clips], lr=settings.static_lr, momentum=0.5)
    for step in (loop := Loop(task, LOOP, settings.static_iterations, {"static": images}, {"sgd": optimiser})):
        rng, losses = loop.rng(step), []
        with seeded(seed_of(rng)):
            network = image_classifier(settings.static_width, len(train.classes), train.size)
        network = network.to(task.device).eval()
        for update in range(updates):
            if update:
                train_network(network, clips.detach(), targets, matching, epochs, rng)
            frames = Frames(real, rng.integers(train.frames, size=len(train)))
            optimiser.zero_grad()
            losses.append(accumulate_gradient(network, frames, clips, per_class, matching, rng))
            optimiser.step()
        loop.log(torch.stack(losses).mean())


@dataclass(frozen=True)
class Frames:
    """Real clips of one frame each: the one of its clip at a time of its own."""

    real: RealClips
    times: NDArray[np.int64]

    @property
    def rows(self) -> list[NDArray[np.int64]]:
        """The rows of every class."""
        return self.real.rows

    @property
    def device(self) -> torch.device:
        """Where they are rendered."""
        return self.real.device

    def draw(self, rng: np.random.Generator, label: int, most: int) -> NDArray[np.int64]:
        """See :meth:`vdbench_methods.learned.RealClips.draw`."""
        return self.real.draw(rng, label, most)

    def render(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Normalised clips of one frame on the device, float32 ``(n, 3, 1, H, W)``."""
        return self.real.frames(rows, self.times[rows]).unsqueeze(2)


def image_network(width: int) -> nn.Sequential:
    """The random network under which images match frames, the one that the field distils images with.

    Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2], from ``(n, 3, H, W)`` to ``(n, width, H/8, W/8)``.

    Args:
        width: channels of all three convolutions.
    """
    from torch import nn

    layers: list[nn.Module] = []
    for inputs in (3, width, width):
        layers += [
            nn.Conv2d(inputs, width, 3, padding=1),
            nn.InstanceNorm2d(width, affine=True),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(2),
        ]
    return nn.Sequential(*layers)


def image_classifier(width: int, classes: int, size: int) -> nn.Sequential:
    """:func:`image_network` and a linear layer, from clips of one frame, ``(n, 3, 1, H, W)``, to logits.

    Args:
        width: channels of all three convolutions.
        classes: logits to give.
        size: height and width of a frame in pixels, at least 8.
    """
    from torch import nn

    linear = nn.Linear(width * (size // 8) ** 2, classes)
    return nn.Sequential(nn.Flatten(1, 2), *image_network(width), nn.Flatten(), linear)


def images_work(task: Task, settings: VDSDSettings, real: int, per_class: int) -> Work:
    """Learning the images: frames and images that networks see, with their gradients where these are taken.

    Args:
        task: what is distilled.
        settings: of the method.
        real: frames that are matched at every update, of all classes.
        per_class: images of each class.
    """
    import torch

    size, learned, times = task.train.size, per_class * len(task.train.classes), float(settings.static_iterations)
    seen = real + learned
    if settings.static_loss == "dc":
        updates, epochs = DCSettings().loops(per_class)
        times *= updates * (real + STEPS_OF_A_MATCH * learned) / seen + (updates - 1) * epochs * learned / seen

    def ready() -> Callable[[int], object]:
        network = image_network(settings.static_width).to(task.device).requires_grad_(settings.static_loss == "dc")
        frames = torch.zeros(seen, 3, size, size, device=task.device)

        def iterate(items: int) -> None:
            if settings.static_loss == "dc":
                torch.autograd.backward(network(frames[:items]).square().sum())
                return
            own = frames[: -(-items * learned // seen)].requires_grad_()
            with torch.no_grad():
                network(frames[: max(1, items * real // seen)])
            torch.autograd.backward(network(own).square().sum())

        return iterate

    return Work(("images", settings.static_loss, settings.static_width, size, real, learned), ready, seen, times)
