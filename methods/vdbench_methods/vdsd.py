"""vdsd: static-dynamic distillation, still images learned first, then motions and the network that joins them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings
from vdbench.records import Provenance
from vdbench_methods.learned import Loop, PixelMethod, RealClips, budget
from vdbench_methods.motions import base_of
from vdbench_methods.static_dynamic import FORMS, HALLUCINATOR, Memory, VDSDSettings
from vdbench_methods.stills import images_work, learn_images
from vdbench_methods.trajectories import LIMITS

if TYPE_CHECKING:
    from vdbench.distilled import DistilledSet
    from vdbench.method import Limits, Task
    from vdbench.work.workload import Work
    from vdbench_methods.experts import Expert
    from vdbench_methods.motions import Base


class VDSD(PixelMethod[VDSDSettings]):
    """Stores images and motions instead of clips, and learns how to join them.

    The images are learned first and then kept. An image and a motion make a clip, in new pairs at every iteration here
    and at every epoch of a student's training.
    """

    name: ClassVar[str] = "vdsd"
    Settings: ClassVar[type[Settings]] = VDSDSettings
    card: ClassVar[Card] = Card(
        "Static-dynamic disentanglement on DM, MTT or FRePo",
        paper="Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement, CVPR 2024",
        bibtex="""@inproceedings{wang2024dancing,
  title = {Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement},
  author = {Wang, Ziyu and Xu, Yue and Lu, Cewu and Li, Yong-Lu},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2024},
}""",
        learns_labels=True,
    )

    def learns_labels(self) -> bool:
        """See :meth:`Method.learns_labels`: kernel regression learns them."""
        return self.settings.base == "frepo" and self.settings.regression.learn_labels

    def needs(self, task: Task) -> list[Expert]:
        """The experts of trajectory matching, those that ``mtt`` has with the same settings.

        Raises:
            UsageError: images and motions do not suit so many clips.
        """
        settings = self.settings
        settings.pairs_for(task)
        return settings.trajectory.specs(task, settings.student, settings.width) if settings.base == "mtt" else []

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; float32, all but labels in float16 under other codecs than ``float32``."""
        train = task.train
        images, motions = self.settings.pairs(len(train.classes), budget(task), train.frames, train.size)
        own = len(train.classes) * train.size**2 * (3 * images + train.frames * motions)
        whole = clip_bytes is None or clip_bytes == 4 * train.clips[0].size
        labels = 4 * len(train.classes) ** 2 * budget(task) if self.learns_labels() else 0
        return (own + math.prod(HALLUCINATOR) + HALLUCINATOR[0]) * (4 if whole else 2) + labels

    def work(self, task: Task) -> list[Work]:
        """The updates of the images, and those of the motions as their base does it."""
        chosen, train = self.settings, task.train
        ipc, classes = budget(task), len(train.classes)
        real = int(np.minimum(train.counts(), chosen.real).sum())
        images, _ = chosen.pairs(classes, ipc, train.frames, train.size)
        if chosen.base == "frepo":
            motions = chosen.regression.regression_work(task, chosen, classes * ipc)
        elif chosen.base == "mtt":
            trajectory, student = chosen.trajectory, (chosen.student, chosen.width)
            motions = trajectory.work(task, *student, classes * ipc, chosen.iterations)
        else:
            motions = chosen.matching_work(task, real, chosen.clips_per_pass, chosen.iterations)
        frames = int(np.minimum(train.counts(), chosen.real_frames).sum())
        return [images_work(task, chosen, frames, images), *motions]

    def limits(self) -> Limits:
        """See :meth:`Method.limits`; only matched trajectories have them."""
        return LIMITS if self.settings.base == "mtt" else super().limits()

    def distill(self, task: Task) -> DistilledSet:
        """Learn the images, then motions and hallucinator."""
        real = RealClips(task.train, task.device)
        memory = Memory(self.settings, task)
        learn_images(task, self.settings, real, memory.tensors["static"], memory.images)
        base = self._learn_motions(task, real, memory)
        tensors = memory.tensors | {"targets": base.targets(memory)}
        form = FORMS[self.settings.pairing]
        return self.pack_as(form, task, tensors, Provenance(pool="learned"), base.step_size())

    def _learn_motions(self, task: Task, real: RealClips, memory: Memory) -> Base:
        """Learn motions and hallucinator, and what their base learns beside them."""
        base = base_of(self.settings, task, real, memory)
        for name in ("dynamic", "weight", "bias"):
            memory.tensors[name].requires_grad_()
        learned, optimisers = memory.tensors | base.tensors, base.optimisers(memory)
        every = optimisers | base.others
        for step in (loop := Loop(task, "vdsd motions", self.settings.iterations, learned, every, stage=1)):
            for optimiser in optimisers.values():
                optimiser.zero_grad()
            rng = loop.rng(step)
            loss = base.backward(memory, rng, step)
            for optimiser in optimisers.values():
                optimiser.step()
            loop.log(loss, **base.after(memory, rng))
        return base
