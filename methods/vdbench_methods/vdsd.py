"""vdsd: static-dynamic distillation, still images learned first, then motions and the network that joins them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from vdbench.method import Card, Settings
from vdbench.records import Provenance
from vdbench.seeding import seed_of, seeded
from vdbench.work.workload import Work
from vdbench_methods.learned import Loop, PixelMethod, RealClips, budget, descent
from vdbench_methods.static_dynamic import HALLUCINATOR, Memory, OnDistributions, OnTrajectories, VDSDSettings
from vdbench_methods.trajectories import LIMITS

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vdbench.distilled import DistilledSet
    from vdbench.method import Limits, Task
    from vdbench_methods.experts import Expert


class VDSD(PixelMethod[VDSDSettings]):
    """Stores images and motions instead of clips, and learns how to join them.

    The images are learned first and then kept. An image and a motion make a clip, in new pairs at every iteration here
    and at every epoch of a student's training.
    """

    name: ClassVar[str] = "vdsd"
    Settings: ClassVar[type[Settings]] = VDSDSettings
    card: ClassVar[Card] = Card(
        "Static-dynamic disentanglement on DM or MTT",
        paper="Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement, CVPR 2024",
        bibtex="""@inproceedings{wang2024dancing,
  title = {Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement},
  author = {Wang, Ziyu and Xu, Yue and Lu, Cewu and Li, Yong-Lu},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2024},
}""",
    )

    def needs(self, task: Task) -> list[Expert]:
        """The experts of trajectory matching, those that ``mtt`` has with the same settings."""
        settings = self.settings
        return settings.trajectory.specs(task, settings.student, settings.width) if settings.base == "mtt" else []

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; float32, whose parts every codec but ``float32`` stores as float16."""
        train = task.train
        images, motions = self.settings.pairs(len(train.classes), budget(task), train.frames, train.size)
        own = len(train.classes) * train.size**2 * (3 * images + train.frames * motions)
        whole = clip_bytes is None or clip_bytes == 4 * train.clips[0].size
        return (own + math.prod(HALLUCINATOR) + HALLUCINATOR[0]) * (4 if whole else 2)

    def work(self, task: Task) -> list[Work]:
        """The updates of the images, and those of the motions as their base does it."""
        chosen, train = self.settings, task.train
        ipc, classes = budget(task), len(train.classes)
        real = int(np.minimum(train.counts(), chosen.real).sum())
        images, _ = chosen.pairs(classes, ipc, train.frames, train.size)
        if chosen.base == "mtt":
            trajectory, student = chosen.trajectory, (chosen.student, chosen.width)
            motions = trajectory.work(task, *student, classes * ipc, chosen.iterations)
        else:
            motions = chosen.matching_work(task, real, chosen.clips_per_pass, chosen.iterations)
        return [self._images_work(task, real, images * classes), *motions]

    def _images_work(self, task: Task, real: int, learned: int) -> Work:
        """A frame of every real clip of an iteration is embedded, and every image with its gradient."""
        import torch

        chosen, size = self.settings, task.train.size

        def ready() -> Callable[[int], object]:
            network = image_network(chosen.static_width).to(task.device).requires_grad_(False)
            frames = torch.zeros(real + learned, 3, size, size, device=task.device)

            def iterate(items: int) -> None:
                own = frames[: -(-items * learned // (real + learned))].requires_grad_()
                with torch.no_grad():
                    network(frames[: max(1, items * real // (real + learned))])
                torch.autograd.backward(network(own).square().sum())

            return iterate

        return Work(
            ("images", chosen.static_width, size, real, learned), ready, real + learned, chosen.static_iterations
        )

    def limits(self) -> Limits:
        """See :meth:`Method.limits`; matched distributions have none."""
        return LIMITS if self.settings.base == "mtt" else super().limits()

    def distill(self, task: Task) -> DistilledSet:
        """Learn the images, then motions and hallucinator."""
        real = RealClips(task.train, task.device)
        memory = Memory(self.settings, task)
        self._learn_images(task, real, memory)
        step_size = self._learn_motions(task, real, memory)
        tensors = memory.tensors | {"targets": memory.targets}
        form: Literal["static-dynamic", "static-dynamic-slots"] = (
            "static-dynamic-slots" if self.settings.pairing == "slots" else "static-dynamic"
        )
        return self.pack_as(form, task, tensors, Provenance(pool="learned"), step_size)

    def _learn_images(self, task: Task, real: RealClips, memory: Memory) -> None:
        """Distribution matching on single frames, under a fresh random 2D network per iteration."""
        import torch

        settings = self.settings
        images = memory.tensors["static"].requires_grad_()
        optimiser = torch.optim.SGD([images], lr=settings.static_lr, momentum=0.5)
        for step in (
            loop := Loop(task, "vdsd images", settings.static_iterations, {"static": images}, {"sgd": optimiser})
        ):
            rng = loop.rng(step)
            with seeded(seed_of(rng)):
                network = image_network(settings.static_width)
            network = network.to(task.device).requires_grad_(False)
            rows = [real.draw(rng, label, settings.real) for label in range(len(task.train.classes))]
            frames = [real.frames(some, rng.integers(task.train.frames, size=len(some))) for some in rows]
            with torch.no_grad():
                means = torch.stack([network(some).flatten(1).mean(dim=0) for some in frames])
            optimiser.zero_grad()
            own = network(images).view(len(means), memory.images, -1).mean(dim=1)
            loss = (means - own).square().sum()
            torch.autograd.backward(loss)
            optimiser.step()
            loop.log(loss)
        images.requires_grad_(False)

    def _learn_motions(self, task: Task, real: RealClips, memory: Memory) -> float | None:
        """Learn motions and hallucinator; the step size, where one is learned beside them."""
        settings = self.settings
        base = OnDistributions(settings, real) if settings.base == "dm" else OnTrajectories(settings, task)
        dynamic, weight, bias = (memory.tensors[name].requires_grad_() for name in ("dynamic", "weight", "bias"))
        optimisers: dict[str, torch.optim.Optimizer] = {
            "dynamic": descent([dynamic], settings.lr_dynamic, settings.momentum, settings.scale),
            "hallucinator": descent([weight, bias], settings.lr_hallucinator, settings.momentum, settings.scale),
            **base.optimisers,
        }
        learned = memory.tensors | base.tensors
        for step in (loop := Loop(task, "vdsd motions", settings.iterations, learned, optimisers, stage=1)):
            for optimiser in optimisers.values():
                optimiser.zero_grad()
            loss = base.backward(memory, loop.rng(step))
            for optimiser in optimisers.values():
                optimiser.step()
            loop.log(loss, **base.after())
        return base.step_size()


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
