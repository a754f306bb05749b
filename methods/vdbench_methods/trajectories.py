"""Trajectory matching: a student is trained on learned clips, and should arrive where an expert did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from vdbench.clips.clipset import on_device, spare_bytes
from vdbench.evaluation.precision import in_tf32
from vdbench.method import Limits, Settings, identity
from vdbench.seeding import seed_of, seeded
from vdbench.students import build_student
from vdbench.work.workload import Work, training
from vdbench_methods.experts import Expert, weights_at
from vdbench_methods.step_size import SMALLEST_STEP, Form, StepSize

if TYPE_CHECKING:
    import numpy as np
    import torch

    from vdbench.method import Task

    Loss = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]

STEPS_OF_A_MATCH = 5
"""Plain training steps that take as long as a step of a student that is followed, forth and back."""
GRAPH_BYTES = 256 << 20
"""Memory that the graphs of an iteration's steps may take on a CPU; those of the others are computed twice."""
LIMITS = Limits(standstill=1.0, least_step_size=SMALLEST_STEP)
"""The loss is the distance to the goal, in that of the start."""


class TrajectorySettings(Settings):
    """How experts are trained and matched; what is published for MiniUCF stands in the suite ``vdsd``."""

    experts: int = identity(20, "networks trained on the train split", gt=0)
    expert_lr: float = identity(0.01, "their learning rate, plain SGD", gt=0)
    expert_batch: int = identity(256, "clips per step of theirs", gt=0)
    expert_epochs: int = identity(1, "epochs of an expert that a student has to catch up with", gt=0)
    expert_steps: int | None = identity(
        None,
        "instead of expert_epochs, steps of an expert to catch up with: the nearest whole epochs, at least one",
        later=True,
        gt=0,
    )
    expert_standardise: Literal["split", "batch"] = identity(
        "split",
        "what scales the clips that experts are trained on: split, the train split's statistics; batch, also those of "
        "each batch, as in the public code",
        later=True,
    )
    max_start: int = identity(10, "last epoch of an expert at which a student starts", ge=0)
    syn_steps: int = identity(10, "steps that a student takes on learned clips", gt=0)
    syn_batch: int = identity(256, "learned clips per step, or all of them", gt=0)
    batches_from: Literal["first", "last"] = identity(
        "first",
        "which batch of a random order a student is shown first: first; last, which may be smaller, with the others "
        "backwards from there, as in the public code",
        later=True,
    )
    step_size: float = identity(0.01, "a student's learning rate before the first update", ge=SMALLEST_STEP)
    lr_step_size: float = identity(1e-5, "learning rate of that learning rate, or of its logarithm", ge=0)
    momentum_step_size: float | None = identity(
        None, "of the gradient of that learning rate; mtt: its momentum, vdsd: 0.5 if left out", later=True, ge=0, lt=1
    )
    learns: Form = identity(
        "plain",
        "how that learning rate is learned: plain, as published; log, by its logarithm, lr_step_size being the largest "
        "share by which an iteration changes it, before momentum",
        later=True,
    )

    tf32: bool = identity(False, "on a GPU, round products of students that follow experts to tf32", later=True)

    def work(self, task: Task, student: str, width: int, clips: int, iterations: int) -> list[Work]:
        """Iterations that follow experts on learned clips, of which there are so many."""
        batch, steps = min(self.syn_batch, clips), self.syn_steps * iterations * STEPS_OF_A_MATCH
        return [training(task.train, student, width, batch, steps, task.device)]

    def stretch(self, clips: int) -> int:
        """Epochs that a student has to catch up with, of an expert trained on so many clips."""
        if self.expert_steps is None:
            return self.expert_epochs
        return max(1, round(self.expert_steps / -(-clips // min(self.expert_batch, clips))))

    def specs(self, task: Task, student: str, width: int) -> list[Expert]:
        """The experts, each a shared asset of its own; every draw has others."""
        epochs, batch = self.max_start + self.stretch(len(task.train)), self.expert_batch
        first = Expert(student=student, width=width, epochs=epochs, lr=self.expert_lr, batch=batch,
                       standardise=self.expert_standardise, number=0)  # fmt: skip
        return [
            first.model_copy(update={"number": number})
            for number in range(task.draw * self.experts, (task.draw + 1) * self.experts)
        ]


class Matching:
    """A student that follows experts, which are of its kind, with a step size that it learns."""

    def __init__(self, settings: TrajectorySettings, task: Task, student: str, width: int) -> None:
        import torch

        train = task.train
        self._settings, self._device = settings, task.device
        self._experts = [task.assets.get(spec) for spec in settings.specs(task, student, width)]
        self.student = build_student(student, len(train.classes), train.frames, train.size, width, 0).to(task.device)
        self._names = [name for name, _ in self.student.named_parameters()]
        self._shapes = [weights.shape for weights in self.student.parameters()]
        self._stretch = settings.stretch(len(train))
        self._kept: int | None = None
        self.step_size = StepSize(torch.tensor(settings.step_size, device=task.device), settings.learns)

    def batches(self, rng: np.random.Generator, clips: int) -> list[torch.Tensor]:
        """The rows of clips that each of ``syn_steps`` steps is taken on: epoch after epoch in random order."""
        import torch

        size = min(self._settings.syn_batch, clips)
        rows: list[torch.Tensor] = []
        while len(rows) < self._settings.syn_steps:
            order = torch.from_numpy(rng.permutation(clips)).to(self._device)
            batches = torch.split(order, size)
            rows += batches if self._settings.batches_from == "first" else batches[::-1]
        return rows[: self._settings.syn_steps]

    def step_size_descent(self, momentum: float) -> torch.optim.SGD:
        """What updates the step size, at this momentum unless another one is set."""
        import torch

        own = self._settings.momentum_step_size
        rate = self._settings.lr_step_size
        return torch.optim.SGD([self.step_size.learned], lr=rate, momentum=momentum if own is None else own)

    def follow(self, rng: np.random.Generator, steps: Steps) -> Match:
        """Follow a random expert from a random epoch on.

        Args:
            rng: of the iteration.
            steps: what the student is shown; the gradients in its clips are added there.
        """
        from torch.nn.functional import cross_entropy

        path = self._experts[int(rng.integers(len(self._experts)))]
        epoch = int(rng.integers(self._settings.max_start + 1))
        seed = seed_of(rng)

        def loss(weights: torch.Tensor, shown: torch.Tensor, step: int) -> torch.Tensor:
            with seeded(seed + step, self._device):  # the same dropout whenever the step is taken again
                logits = self.forward(weights, on_device(shown, self._device))
            return cross_entropy(logits, steps.targets(step))

        start, goal = (weights_at(path, e).to(self._device) for e in (epoch, epoch + self._stretch))
        with in_tf32(self._settings.tf32):
            if self._kept is None:
                self._kept = kept_graphs(loss, start, steps, graph_room(self._device))
            return match_trajectory(loss, start, goal, steps, self.step_size.value, self._kept)

    def forward(self, weights: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """Logits of clips ``(n, 3, T, H, W)`` under some weights ``(P,)``."""
        import torch

        sizes = [shape.numel() for shape in self._shapes]
        parts = [p.view(s) for p, s in zip(torch.split(weights, sizes), self._shapes, strict=True)]
        named = dict(zip(self._names, parts, strict=True))
        logits: torch.Tensor = torch.func.functional_call(self.student, named, (clips,))
        return logits


class Steps(Protocol):
    """What a student is shown step by step; clips are made when they are asked for, so that few are in memory."""

    def __len__(self) -> int:
        """How many steps there are."""

    def clips(self, step: int) -> torch.Tensor:
        """The clips that a step is taken on, ``(n, 3, T, H, W)``; the same whenever it is asked."""

    def targets(self, step: int) -> torch.Tensor:
        """Their classes, ``(n,)``."""

    def add(self, step: int, gradient: torch.Tensor) -> None:
        """Take the gradient of the matching loss in those clips."""


@dataclass(frozen=True)
class Match:
    """How well a student followed an expert.

    Attributes:
        loss: squared distance to the goal, as a share of the squared distance that the expert went.
        step_size: gradient of the loss in the step size.
    """

    loss: torch.Tensor
    step_size: torch.Tensor


def match_trajectory(
    loss: Loss,
    start: torch.Tensor,
    goal: torch.Tensor,
    steps: Steps,
    step_size: torch.Tensor,
    kept: int = 0,
) -> Match:
    """The matching loss of MTT and its exact gradient, with the clips and the graphs of few steps in memory.

    The student takes steps ``w_(i+1) = w_i - a g_i`` with ``g_i`` the gradient of the inner loss in ``w_i``; the
    matching loss is ``L = ||w_n - goal||^2 / ||start - goal||^2``. Backwards, with ``u_i`` the gradient of L in
    ``w_i``: ``u_i = u_(i+1) - a d<g_i, u_(i+1)>/dw_i``, and step i adds ``-a d<g_i, u_(i+1)>/dx_i`` to the gradient
    in its clips and ``-<g_i, u_(i+1)>`` to that in the step size. The graphs of the last steps are kept; before these,
    each ``g_i`` is computed anew on the way back, so that what is kept of a step is one copy of the weights.

    Args:
        loss: the inner loss of some weights ``(P,)`` on the clips of a step; the same whenever it is asked again.
        start: the student's weights before the first step, ``(P,)``.
        goal: where it should arrive, ``(P,)``.
        steps: what the student is shown; takes the gradients, from the last step to the first.
        step_size: a, a scalar.
        kept: steps whose graphs stay in memory, so that they need not be computed anew.
    """
    import torch

    path, graphs = [start], {}
    for step in range(len(steps)):
        here = path[-1].detach().requires_grad_()
        if step < len(steps) - kept:
            (slope,) = torch.autograd.grad(loss(here, steps.clips(step).detach(), step), here)
        else:
            graphs[step] = _taken(loss, here, steps, step)
            slope = graphs[step].slope.detach()
        path.append(path[-1] - step_size * slope)
    whole = (start - goal).square().sum()
    adjoint = 2 * (path[-1] - goal) / whole
    by_step_size = torch.zeros_like(step_size)
    for step in reversed(range(len(steps))):
        here, shown, slope = graphs.pop(step) if step in graphs else _taken(loss, path[step], steps, step)
        by_step_size -= slope.detach() @ adjoint
        curved, by_clips = torch.autograd.grad(slope, (here, shown), adjoint)
        steps.add(step, -step_size * by_clips)
        adjoint = adjoint - step_size * curved
    return Match((path[-1] - goal).square().sum() / whole, by_step_size)


class _Taken(NamedTuple):
    """A step and its graph."""

    weights: torch.Tensor
    clips: torch.Tensor
    slope: torch.Tensor


def _taken(loss: Loss, weights: torch.Tensor, steps: Steps, step: int) -> _Taken:
    """The gradient of a step's inner loss in the weights, itself differentiable in weights and clips."""
    import torch

    here, shown = weights.detach().requires_grad_(), steps.clips(step).detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(here, shown, step), here, create_graph=True)
    return _Taken(here, shown, slope)


def graph_room(device: torch.device) -> int:
    """Bytes that graphs may take on a device: more where a GPU has more to spare."""
    return max(GRAPH_BYTES, spare_bytes(device)) if device.type == "cuda" else GRAPH_BYTES


def kept_graphs(loss: Loss, start: torch.Tensor, steps: Steps, room: int) -> int:
    """How many graphs of steps fit in memory; none of a network whose gradient has other bits with one than without.

    An outcome must not depend on the memory, and norms of layers and groups round otherwise there.

    Args:
        loss: the inner loss, as of :func:`match_trajectory`.
        start: weights, ``(P,)``.
        steps: of which the first is taken, to be measured.
        room: bytes.
    """
    import torch

    here = start.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(here, steps.clips(0).detach(), 0), here)
    taken, size = graph_bytes(loss, start, steps)
    return room // size if torch.equal(taken, slope) else 0


def graph_bytes(loss: Loss, start: torch.Tensor, steps: Steps) -> tuple[torch.Tensor, int]:
    """The gradient of the first step, and the bytes that its graph holds: all tensors that it saved, each once."""
    import torch

    sizes: dict[int, int] = {}

    def saved(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(saved, lambda tensor: tensor):
        slope = _taken(loss, start, steps, 0).slope
    return slope.detach(), max(1, sum(sizes.values()))
