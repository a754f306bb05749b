"""dc: gradient matching, clips on which a network's gradient is that on real clips of their class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from vdbench.clips.clipset import on_device
from vdbench.method import Card, Settings, identity, runtime
from vdbench.records import Provenance
from vdbench.seeding import seed_of, seeded
from vdbench.work.workload import training
from vdbench_methods import siamese
from vdbench_methods.learned import LearnedSettings, Loop, PixelMethod, RealClips, budget, initial_clips

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.method import Task
    from vdbench.work.workload import Work

    Gradients = Sequence[torch.Tensor]

Along = Literal["channels", "kernel-rows"]
LOOPS = {1: (1, 1), 10: (10, 50), 20: (20, 25), 30: (30, 20), 40: (40, 15), 50: (50, 10)}
"""Published updates of the clips per network, and epochs of the network between two of them, from so many IPC on."""
STEPS_OF_A_MATCH = 3
"""Plain training steps that take as long as a gradient on learned clips and the gradient of its distance."""
NOTHING = 1e-6
"""Added to the product of lengths, so that gradients that vanish have a distance."""


class DCSettings(LearnedSettings):
    """Settings of gradient matching; the defaults are the published ones, from real clips instead of noise."""

    iterations: int = identity(1000, "networks that gradients are matched on, one after the other", ge=0)
    lr: float = identity(0.1, "learning rate of the pixels, on normalised clips", gt=0)
    momentum: float = identity(0.5, "of the pixels' gradient", ge=0, lt=1)
    real: int = identity(256, "real clips per class and update, or all of a smaller class", gt=0)
    updates: int | None = identity(
        None, "updates of the clips per network; published ones of the IPC if left out", gt=0
    )
    epochs: int | None = identity(
        None,
        "epochs of the network on the learned clips between two updates; published ones of the IPC if left out",
        gt=0,
    )
    network_lr: float = identity(0.01, "learning rate of the network, plain SGD", gt=0)
    network_batch: int = identity(256, "learned clips per training step of the network, or all of them", gt=0)
    along: Along = identity(
        "channels",
        "what angles are taken between: channels, all weights of an output channel, as published; kernel-rows, single "
        "rows of 3D kernels, which is what the public code does for video",
    )
    augment: bool = identity(False, "DSA: whether real and learned clips go through the same random change")
    clips_per_pass: int = runtime(256, "real clips in one forward pass; fewer take less memory", gt=0)

    def loops(self, ipc: int) -> tuple[int, int]:
        """Updates of the clips per network, and epochs of the network between two of them."""
        updates, epochs = LOOPS[max(published for published in LOOPS if published <= ipc)]
        return self.updates or updates, self.epochs or epochs


class DC(PixelMethod[DCSettings]):
    """Learns clips by matching, class by class, the gradient of networks that train on the clips meanwhile."""

    name: ClassVar[str] = "dc"
    Settings: ClassVar[type[Settings]] = DCSettings
    card: ClassVar[Card] = Card(
        "Gradient matching, and DSA by --set dc.augment=true",
        paper="Dataset Condensation with Gradient Matching, ICLR 2021",
        bibtex="""@inproceedings{zhao2021dc,
  title = {Dataset Condensation with Gradient Matching},
  author = {Zhao, Bo and Mopuri, Konda Reddy and Bilen, Hakan},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
}""",
    )

    def work(self, task: Task) -> list[Work]:
        """Gradients of real and of learned clips, class by class, and the training of networks in between."""
        chosen, ipc, classes = self.settings, budget(task), len(task.train.classes)
        updates, epochs = chosen.loops(ipc)
        matches, real = chosen.iterations * updates, int(task.train.counts().clip(max=chosen.real).mean())
        batch = min(chosen.network_batch, classes * ipc)
        steps = chosen.iterations * (updates - 1) * epochs * -(-classes * ipc // batch)
        return [
            training(task.train, chosen.student, chosen.width, size, times, task.device)
            for size, times in (
                (min(real, chosen.clips_per_pass), matches * classes * -(-real // chosen.clips_per_pass)),
                (ipc, matches * classes * STEPS_OF_A_MATCH),
                (batch, steps),
            )
        ]

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` clips per class."""
        import torch

        settings, ipc = self.settings, budget(task)
        updates, epochs = settings.loops(ipc)
        real = RealClips(task.train, task.device)
        start, labels = initial_clips(task, settings.init, ipc)
        clips, targets = start.to(task.device).requires_grad_(), labels.to(task.device)
        optimiser = torch.optim.SGD([clips], lr=settings.lr, momentum=settings.momentum)
        loop = Loop(task, self.name, settings.iterations, {"clips": clips}, {"optimiser": optimiser})
        for step in loop:
            rng, losses = loop.rng(step), []
            student = settings.fresh_student(task.train, seed_of(rng), task.device)
            for update in range(updates):
                if update:
                    train_network(student, clips.detach(), targets, settings, epochs, rng)
                optimiser.zero_grad()
                losses.append(accumulate_gradient(student, real, clips, ipc, settings, rng))
                optimiser.step()
            loop.log(torch.stack(losses).mean())
        return self.pack(task, clips, labels, Provenance(pool="learned"))


class Drawn(Protocol):
    """Real clips, class by class, as :class:`~vdbench_methods.learned.RealClips` has them."""

    @property
    def rows(self) -> Sequence[NDArray[np.int64]]:
        """The rows of every class."""

    @property
    def device(self) -> torch.device:
        """Where they are rendered."""

    def draw(self, rng: np.random.Generator, label: int, most: int) -> NDArray[np.int64]:
        """At most so many different clips of a class, as rows."""

    def render(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Normalised clips on the device, float32 ``(n, 3, T, H, W)``."""


def accumulate_gradient(
    student: nn.Module, real: Drawn, clips: torch.Tensor, ipc: int, settings: DCSettings, rng: np.random.Generator
) -> torch.Tensor:
    """Add the gradient of the distances of all classes to ``clips``, class by class, and give their sum.

    Args:
        student: whose gradients are matched.
        real: the train clips.
        clips: ``(classes * ipc, 3, T, H, W)``, class by class.
        ipc: clips per class.
        settings: of the method.
        rng: draws the real clips, and one change for a class's real and learned clips.
    """
    import torch

    losses = []
    for label in range(len(real.rows)):
        rows = real.draw(rng, label, settings.real)
        change = siamese.drawn(rng) if settings.augment else _unchanged
        goal = real_gradient(student, real, rows, label, change, settings.clips_per_pass)
        own = on_device(change(clips[label * ipc : (label + 1) * ipc]), clips.device)
        loss = distance(goal, _gradient(student, own, label, len(own)), settings.along)
        torch.autograd.backward(loss, inputs=[clips])
        losses.append(loss.detach())
    return torch.stack(losses).sum()


def real_gradient(
    student: nn.Module, real: Drawn, rows: NDArray[np.int64], label: int, change: siamese.Change, clips_per_pass: int
) -> Gradients:
    """The gradient of the mean loss over real clips of a class, in every tensor of weights."""
    sums: list[torch.Tensor] = []
    for first in range(0, len(rows), clips_per_pass):
        shown = on_device(change(real.render(rows[first : first + clips_per_pass])), real.device)
        part = [slope.detach() for slope in _gradient(student, shown, label, len(rows))]
        sums = [whole + some for whole, some in zip(sums, part, strict=True)] if sums else part
    return sums


def _gradient(student: nn.Module, clips: torch.Tensor, label: int, of: int) -> Gradients:
    """The gradient of the summed loss over ``of`` in the weights; itself differentiable where clips are."""
    import torch
    from torch.nn.functional import cross_entropy

    targets = torch.full((len(clips),), label, device=clips.device)
    loss = cross_entropy(student(clips).float(), targets, reduction="sum") / of
    return torch.autograd.grad(loss, list(student.parameters()), create_graph=clips.requires_grad)


def distance(real: Iterable[torch.Tensor], learned: Iterable[torch.Tensor], along: Along = "channels") -> torch.Tensor:
    """One minus the cosine between the rows of two gradients, summed over rows and tensors.

    Biases and other tensors of one axis do not count.

    Args:
        real: the gradient on real clips, tensor by tensor.
        learned: that on learned ones.
        along: whether a row is all that belongs to an output channel, or the last axis of a 3D kernel.
    """
    import torch

    total: list[torch.Tensor] = []
    for wanted, found in zip(real, learned, strict=True):
        if wanted.ndim < 2:
            continue
        rows = wanted.shape[-1] if along == "kernel-rows" and wanted.ndim == 5 else wanted[0].numel()
        a, b = wanted.reshape(-1, rows), found.reshape(-1, rows)
        cosine = (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1) + NOTHING)
        total.append((1 - cosine).sum())
    return torch.stack(total).sum()


def train_network(
    student: nn.Module,
    clips: torch.Tensor,
    targets: torch.Tensor,
    settings: DCSettings,
    epochs: int,
    rng: np.random.Generator,
) -> None:
    """Train the network on the learned clips as they are now."""
    import torch
    from torch.nn.functional import cross_entropy

    student.train()
    optimiser = torch.optim.SGD(student.parameters(), lr=settings.network_lr)
    with seeded(seed_of(rng), clips.device):
        for _ in range(epochs):
            order = torch.from_numpy(rng.permutation(len(clips))).to(clips.device)
            for rows in torch.split(order, settings.network_batch):
                shown = siamese.drawn(rng)(clips[rows]) if settings.augment else clips[rows]
                loss = cross_entropy(student(on_device(shown, clips.device)), targets[rows])
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
    student.eval()


def _unchanged(clips: torch.Tensor) -> torch.Tensor:
    return clips
