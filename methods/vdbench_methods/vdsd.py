"""vdsd: static-dynamic distillation, still images learned first, then motions and the network that joins them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from vdbench.method import Card, Settings
from vdbench.records import Provenance
from vdbench_methods.learned import Loop, PixelMethod, RealClips, budget, descent
from vdbench_methods.static_dynamic import HALLUCINATOR, Memory, OnDistributions, OnTrajectories, VDSDSettings
from vdbench_methods.stills import images_work, learn_images
from vdbench_methods.trajectories import LIMITS

if TYPE_CHECKING:
    import torch

    from vdbench.distilled import DistilledSet
    from vdbench.method import Limits, Task
    from vdbench.work.workload import Work
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
        frames = int(np.minimum(train.counts(), chosen.real_frames).sum())
        return [images_work(task, chosen, frames, images), *motions]

    def limits(self) -> Limits:
        """See :meth:`Method.limits`; matched distributions have none."""
        return LIMITS if self.settings.base == "mtt" else super().limits()

    def distill(self, task: Task) -> DistilledSet:
        """Learn the images, then motions and hallucinator."""
        real = RealClips(task.train, task.device)
        memory = Memory(self.settings, task)
        learn_images(task, self.settings, real, memory.tensors["static"], memory.images)
        step_size = self._learn_motions(task, real, memory)
        tensors = memory.tensors | {"targets": memory.targets}
        form: Literal["static-dynamic", "static-dynamic-slots"] = (
            "static-dynamic-slots" if self.settings.pairing == "slots" else "static-dynamic"
        )
        return self.pack_as(form, task, tensors, Provenance(pool="learned"), step_size)

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
