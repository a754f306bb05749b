"""dm: distribution matching, clips whose mean embedding follows that of their class under random networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from vdbench.clips.clipset import on_device, sent
from vdbench.evaluation.precision import in_bf16
from vdbench.method import Card, Settings, identity, runtime
from vdbench.records import Provenance
from vdbench.seeding import seed_of
from vdbench_methods.learned import LearnedSettings, Loop, PixelMethod, RealClips, budget, initial_clips

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.method import Task
    from vdbench.students.student import Student
    from vdbench.work.workload import Work


class DMSettings(LearnedSettings):
    """Settings of distribution matching; the defaults are those published for MiniUCF at IPC 1."""

    lr: float = identity(30.0, "learning rate of the pixels, on normalised clips", gt=0)
    momentum: float = identity(0.5, "of the pixels' gradient", ge=0, lt=1)
    real: int = identity(64, "real clips per class and iteration, or all of a smaller class", gt=0)
    clips_per_pass: int = runtime(256, "clips in one forward pass; fewer take less memory", gt=0)
    bf16: bool = identity(True, "on a GPU, embed in bfloat16; losses and pixels stay in float32", later=True)


class DM(PixelMethod[DMSettings]):
    """Learns clips by matching the mean embedding of each class under a fresh random network per iteration."""

    name: ClassVar[str] = "dm"
    Settings: ClassVar[type[Settings]] = DMSettings
    card: ClassVar[Card] = Card(
        "Distribution matching under random networks",
        paper="Dataset Condensation with Distribution Matching, WACV 2023",
        bibtex="""@inproceedings{zhao2023dm,
  title = {Dataset Condensation with Distribution Matching},
  author = {Zhao, Bo and Bilen, Hakan},
  booktitle = {IEEE/CVF Winter Conference on Applications of Computer Vision},
  year = {2023},
}""",
    )

    def work(self, task: Task) -> list[Work]:
        """Its iterations."""
        chosen, real = self.settings, int(np.minimum(task.train.counts(), self.settings.real).sum())
        return chosen.matching_work(task, real, chosen.clips_per_pass, chosen.iterations)

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` clips per class."""
        import torch

        settings, ipc = self.settings, budget(task)
        real = RealClips(task.train, task.device)
        start, labels = initial_clips(task, settings.init, ipc)
        clips = start.to(task.device).requires_grad_()
        optimiser = torch.optim.SGD([clips], lr=settings.lr, momentum=settings.momentum)
        loop = Loop(task, self.name, settings.iterations, {"clips": clips}, {"optimiser": optimiser})
        for step in loop:
            optimiser.zero_grad()
            loss = backward(settings, real, clips, ipc, loop.rng(step))
            optimiser.step()
            loop.log(loss)
        return self.pack(task, clips, labels, Provenance(pool="learned"))


class Matched(Protocol):
    """What settings say of an iteration."""

    real: int
    clips_per_pass: int
    bf16: bool

    def fresh_student(self, train: ClipSet, seed: int, device: torch.device) -> Student:
        """See :class:`LearnedSettings`."""


def backward(
    settings: Matched, real: RealClips, clips: torch.Tensor, ipc: int, rng: np.random.Generator
) -> torch.Tensor:
    """Add the gradient of an iteration's loss to clips, class by class, under a fresh network; the loss."""
    student = settings.fresh_student(real.train, seed_of(rng), real.device).requires_grad_(False)
    rows = [real.draw(rng, label, settings.real) for label in range(len(real.rows))]
    with in_bf16(real.device, settings.bf16, (real.train.frames, real.train.size, real.train.size)):
        means = class_means(student, real, rows, settings.clips_per_pass)
        return accumulate_gradient(student, means, clips, ipc, settings.clips_per_pass)


def class_means(
    student: Student, real: RealClips, rows: Sequence[NDArray[np.int64]], clips_per_pass: int
) -> torch.Tensor:
    """Mean embedding of real clips, class by class, without gradient.

    Args:
        student: what embeds.
        real: the train clips.
        rows: for each class the clips to embed.
        clips_per_pass: clips in one forward pass, which may span several classes.

    Returns:
        ``(classes, D)``.
    """
    import torch

    counts = torch.tensor([len(chosen) for chosen in rows])
    owners = torch.arange(len(rows)).repeat_interleave(counts)
    owners = sent(owners, real.device)
    everything = np.concatenate(rows)
    sums: torch.Tensor | None = None
    with torch.no_grad():
        for first in range(0, len(everything), clips_per_pass):
            part = slice(first, first + clips_per_pass)
            embedded = student.embed(real.render(everything[part])).float()
            sums = embedded.new_zeros(len(rows), embedded.shape[1]) if sums is None else sums
            sums.index_add_(0, owners[part], embedded)
    assert sums is not None
    return sums / sent(counts, real.device).unsqueeze(1)


def matching_loss(student: Student, means: torch.Tensor, clips: torch.Tensor, ipc: int) -> torch.Tensor:
    """Squared distance between mean embeddings, summed over classes.

    Args:
        student: what embeds.
        means: of real clips, ``(classes, D)``.
        clips: ``(classes * ipc, 3, T, H, W)``, class by class.
        ipc: clips per class.
    """
    embedded = student.embed(on_device(clips, clips.device)).to(means.dtype)
    own = embedded.view(len(means), ipc, -1).mean(dim=1)
    return (means - own).square().sum()


def accumulate_gradient(
    student: Student, means: torch.Tensor, clips: torch.Tensor, ipc: int, clips_per_pass: int
) -> torch.Tensor:
    """Add the gradient of :func:`matching_loss` to ``clips``, as many classes at a time as memory allows.

    The loss is a sum over classes, so that parts of it can be differentiated one after the other.

    Returns:
        The loss over all classes.
    """
    import torch

    classes = max(1, clips_per_pass // ipc)
    losses = []
    for first in range(0, len(means), classes):
        some = slice(first, first + classes)
        loss = matching_loss(student, means[some], clips[first * ipc : (first + classes) * ipc], ipc)
        torch.autograd.backward(loss)
        losses.append(loss.detach())
    return torch.stack(losses).sum()
