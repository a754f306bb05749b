"""One training loop for every student: on distilled sets, on whole train splits, and for encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field, model_validator

from vdbench.clips.clipset import on_device
from vdbench.errors import DivergedError
from vdbench.evaluation.augment import Augmentation, augmented
from vdbench.records import Record
from vdbench.seeding import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    import torch

    from vdbench.clips.clipset import Normalisation
    from vdbench.students.student import Student

VERSION = 1
"""Raised when the same recipe trains another way; part of a trial's id."""
RESIDENT_BYTES = 2 << 30
"""Sets whose network input is no larger than this stay on the device; larger ones are rendered batch by batch."""


class TrainingSet(Protocol):
    """Anything that a student can be trained on: a :class:`ClipSet` or a :class:`DistilledSet`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that targets point into."""

    @property
    def normalisation(self) -> Normalisation:
        """The mean and std that its clips are scaled by."""

    def __len__(self) -> int:
        """How many clips there are."""

    def render(self, rows: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips as networks take them, and hard or soft targets, of some rows or of all."""

    def of_epoch(self, seed: int, device: torch.device) -> TrainingSet:
        """What one epoch shows: itself, unless it has other clips for every seed."""


class Recipe(Record):
    """How a student is trained. The defaults are the field's.

    An epoch is a pass over the set, so a set of 50 clips takes 500 steps in 500 epochs and one of 5000 takes
    10,000. ``min_steps`` and ``max_steps`` bound the steps, so that tiny sets are trained long enough and
    whole train splits at a comparable cost.

    Attributes:
        optimiser: stochastic gradient descent with momentum.
        lr: learning rate until half of the steps.
        momentum: of the gradient.
        weight_decay: of all weights.
        decay: factor on the learning rate for the second half of the steps.
        epochs: passes over the set.
        batch: clips per step; the last step of an epoch takes what is left.
        min_steps: steps taken at least, with more epochs.
        max_steps: steps taken at most, with fewer epochs, the last one cut short; None for no bound.
        augmentation: how clips are varied at every step; None shows them as they are.
    """

    optimiser: Literal["sgd"] = "sgd"
    lr: float = Field(default=0.01, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    decay: float = Field(default=0.1, gt=0, le=1)
    epochs: int = Field(default=500, gt=0)
    batch: int = Field(default=256, gt=0)
    min_steps: int = Field(default=0, ge=0)
    max_steps: int | None = Field(default=None, gt=0)
    augmentation: Augmentation | None = None

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise ValueError(f"max_steps {self.max_steps} is less than min_steps {self.min_steps}")
        return self

    def steps(self, clips: int) -> int:
        """How many steps training on so many clips takes."""
        per_epoch = -(-clips // self.batch)
        total = max(self.epochs * per_epoch, self.min_steps)
        return total if self.max_steps is None else min(total, self.max_steps)

    def learning_rate(self, step: int, total: int) -> float:
        """The learning rate of one step, counted from 0, of ``total`` steps."""
        return self.lr if 2 * step < total else self.lr * self.decay


def train_student(
    student: Student,
    data: TrainingSet,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    report: Callable[..., None] | None = None,
) -> tuple[float, ...]:
    """Train a student in place; on a CPU the same arguments give the same weights, bit by bit.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        data: at least one clip.
        recipe: optimiser, learning rate, epochs.
        seed: of the order of the clips and of dropout; the process's own generators are left alone.
        device: where to compute: float32 on a CPU, bfloat16 where it is safe on a GPU.
        report: called as ``report(step, loss=...)`` after every epoch, with the steps taken so far.

    Returns:
        The mean loss per clip of every epoch.

    Raises:
        DivergedError: a loss, or a weight after the last step, is not finite.
    """
    import torch
    from torch.nn.functional import cross_entropy

    student.to(device).train()
    optimiser = torch.optim.SGD(
        student.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    batches = _Batches(data, recipe, seed, device)
    history: list[float] = []
    step = 0
    with seeded(seed, device):
        while step < batches.total:
            losses: list[torch.Tensor] = []
            sizes: list[int] = []
            for clips, targets in batches.epoch(batches.total - step):
                for group in optimiser.param_groups:
                    group["lr"] = recipe.learning_rate(step + len(losses), batches.total)
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    logits = student(clips)
                loss = cross_entropy(logits.float(), targets)
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
                losses.append(loss.detach())
                sizes.append(len(clips))
            history.append(_mean_loss(torch.stack(losses).cpu(), torch.tensor(sizes), student.name, step))
            step += len(losses)
            if report is not None:
                report(step, loss=history[-1])
    if not all(bool(parameter.isfinite().all()) for parameter in student.parameters()):
        raise DivergedError(student.name, step)
    student.eval()
    return tuple(history)


def _mean_loss(losses: torch.Tensor, sizes: torch.Tensor, what: str, first: int) -> float:
    """Mean over the clips of an epoch whose first step is ``first``; the epoch's one wait for a GPU."""
    finite = losses.isfinite()
    if not bool(finite.all()):
        raise DivergedError(what, first + int(finite.long().argmin()))
    return float((losses.double() * sizes).sum() / sizes.sum())


class _Batches:
    """The batches of every epoch, in an order drawn on the CPU, so that it is the same on every device."""

    def __init__(self, data: TrainingSet, recipe: Recipe, seed: int, device: torch.device) -> None:
        import torch

        self.data, self.batch, self.device = data, recipe.batch, device
        self.total = recipe.steps(len(data))
        self.order = torch.Generator().manual_seed(seed)
        self.augmentation, self.chance = recipe.augmentation, torch.Generator().manual_seed(seed + 1)
        self.redrawn = data.of_epoch(0, device) is not data
        clip, _ = data.render(torch.tensor([0]))
        self.small = len(data) * clip.numel() * clip.element_size() <= RESIDENT_BYTES
        self.resident = self._placed(data.render()) if self.small and not self.redrawn else None

    def epoch(self, most: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Every clip once, in at most so many batches."""
        import torch

        rows = torch.randperm(len(self.data), generator=self.order)
        data, resident = self.data, self.resident
        if self.redrawn:
            data = data.of_epoch(int(torch.randint(2**31, (), generator=self.order)), self.device)
            resident = self._placed(data.render()) if self.small else None
        for chosen in torch.split(rows, self.batch)[:most]:
            if resident is None:
                clips, targets = self._placed(data.render(chosen))
            else:
                here = chosen.to(self.device)
                clips, targets = resident[0][here], resident[1][here]
            yield self._varied(clips), targets

    def _varied(self, clips: torch.Tensor) -> torch.Tensor:
        return clips if self.augmentation is None else augmented(clips, self.augmentation, self.chance)

    def _placed(self, pair: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        clips, targets = pair
        return on_device(clips, self.device), targets.to(self.device, non_blocking=True)
