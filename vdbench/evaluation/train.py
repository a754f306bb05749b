"""One training loop for every student: on distilled sets, on whole train splits, and for encoders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from vdbench.errors import DivergedError
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.batches import Batches
from vdbench.evaluation.losses import Losses
from vdbench.evaluation.precision import Precision, Shape, check_precision, computing
from vdbench.evaluation.rates import warmed
from vdbench.records import Record
from vdbench.seeding import Chance
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    import torch

    from vdbench.evaluation.batches import TrainingSet
    from vdbench.students.student import Student

VERSION = 1
"""Raised when the same recipe trains another way; part of a trial's id."""
STEPS_BETWEEN_WAITS = {"cuda": 50}
"""Steps after which a kind of device is waited for, to read its losses; others are after every epoch."""


class Recipe(Record):
    """How a student is trained. The defaults are the field's.

    An epoch is a pass over the set, so a set of 50 clips takes 500 steps in 500 epochs and one of 5000 takes
    10,000. ``min_steps`` and ``max_steps`` bound the steps, so that tiny sets are trained long enough and
    whole train splits at a comparable cost.

    Attributes:
        optimiser: ``sgd``, stochastic gradient descent with momentum, or ``adamw``.
        schedule: of the learning rate: ``step``, lowered once, at half of the steps; ``cosine``, half a cosine from
            ``lr`` to zero; ``restart``, as the public code of the field has it: lowered once, after two epochs more
            than half of them, by a new optimiser, so that momentum starts again; or ``warm-up``, as that of FRePo has
            it, epoch by epoch: :func:`~vdbench.evaluation.rates.warmed` over a tenth of them.
        loss: ``cross-entropy``, or ``squared``, the error of logits to labels less one over the number of classes, as
            FRePo is judged by.
        lr: learning rate of the first step.
        momentum: of the gradient; of ``adamw`` its first beta, while the second is 0.999.
        weight_decay: of all weights; ``adamw`` keeps it apart from the gradient.
        decay: factor on the learning rate once it is lowered, by the schedules ``step`` and ``restart``.
        epochs: passes over the set.
        batch: clips per step; the last step of an epoch takes what is left.
        min_steps: steps taken at least, with more epochs.
        max_steps: steps taken at most, with fewer epochs, the last one cut short; None for no bound.
        augmentation: how clips are varied at every step; None shows them as they are.
        standardise: ``split`` shows clips scaled by the statistics of the train split; ``batch`` subtracts the mean of
            each batch and divides by its standard deviation, in training and in tests, as the public code does. A
            clip's logits then depend on the clips beside it.
        precision: what a step computes in; None leaves it to :meth:`on`. Tests are always in float32.
    """

    optimiser: Literal["sgd", "adamw"] = "sgd"
    schedule: Literal["step", "cosine", "restart", "warm-up"] = "step"
    loss: Literal["cross-entropy", "squared"] = "cross-entropy"
    lr: float = Field(default=0.01, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    decay: float = Field(default=0.1, gt=0, le=1)
    epochs: int = Field(default=500, gt=0)
    batch: int = Field(default=256, gt=0)
    min_steps: int = Field(default=0, ge=0)
    max_steps: int | None = Field(default=None, gt=0)
    augmentation: Augmentation | None = None
    standardise: Literal["split", "batch"] = "split"
    precision: Precision | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """float32 is left out, as None is, and so is what is usual: recipes have the identity that they had."""
        fields: dict[str, Any] = serialise(self)
        for name, usual in (("schedule", "step"), ("standardise", "split"), ("loss", "cross-entropy")):
            if fields.get(name) == usual:
                del fields[name]
        if fields.get("precision") in (None, "float32"):
            fields.pop("precision", None)
        return fields

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise ValueError(f"max_steps {self.max_steps} is less than min_steps {self.min_steps}")
        return self

    def on(self, device: str) -> Recipe:
        """The recipe on a kind of device: in bfloat16 on a GPU, unless it says otherwise.

        Raises:
            UsageError: the device has no such precision.
        """
        check_precision(self.precision, device)
        if self.precision is not None or device != "cuda":
            return self
        return self.model_copy(update={"precision": "bf16"})

    def steps(self, clips: int) -> int:
        """How many steps training on so many clips takes."""
        per_epoch = -(-clips // self.batch)
        total = max(self.epochs * per_epoch, self.min_steps)
        return total if self.max_steps is None else min(total, self.max_steps)

    def restart(self, clips: int) -> int | None:
        """The step, counted from 0, from which a new optimiser goes on; None where the schedule has none."""
        if self.schedule != "restart":
            return None
        per_epoch, epochs = self._epochs(clips)
        return ((epochs - 1) // 2 + 2) * per_epoch

    def _epochs(self, clips: int) -> tuple[int, int]:
        """Steps of an epoch, and epochs, the last of which may be cut short."""
        per_epoch = -(-clips // self.batch)
        return per_epoch, -(-self.steps(clips) // per_epoch)

    def learning_rate(self, step: int, clips: int) -> float:
        """The learning rate of one step, counted from 0, of training on so many clips."""
        total, restart = self.steps(clips), self.restart(clips)
        if self.schedule == "cosine":
            return self.lr * (1 + math.cos(math.pi * step / total)) / 2
        if self.schedule == "warm-up":
            per_epoch, epochs = self._epochs(clips)
            return warmed(self.lr, max(1, epochs // 10), epochs)[step // per_epoch]
        full = 2 * step < total if restart is None else step < restart
        return self.lr if full else self.lr * self.decay

    def shown(self, clips: torch.Tensor) -> torch.Tensor:
        """A batch as students see it."""
        return clips if self.standardise == "split" else (clips - clips.mean()) / clips.std()

    def error(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of a batch, float32 logits ``(n, classes)``; targets are classes or distributions."""
        from torch.nn.functional import cross_entropy, mse_loss, one_hot

        if self.loss == "cross-entropy":
            return cross_entropy(logits, targets)
        classes = logits.shape[1]
        wanted = one_hot(targets, classes) if targets.ndim == 1 else targets
        return mse_loss(logits, wanted.to(logits.dtype) - 1 / classes)

    def optimiser_of(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """A fresh optimiser of some weights."""
        import torch

        if self.optimiser == "adamw":
            betas = (self.momentum, 0.999)
            return torch.optim.AdamW(parameters, lr=self.lr, betas=betas, weight_decay=self.weight_decay)
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)


class Training:
    """A student on its way through a recipe, epoch by epoch: other students may have their turn between two.

    Args:
        student: moved to ``device``.
        data: at least one clip.
        recipe: optimiser, learning rate, epochs.
        seed: of the order of the clips and of dropout; the process's own generators are left alone.
        device: where to compute, in the recipe's precision.
        report: called as ``report(step, loss=...)`` for every epoch, with the steps that were taken at its end;
            on a GPU, whose losses are read every now and then, some steps later.
        after_epoch: called at the end of every epoch, while the student has the weights of that step.
        after_step: called after every step with the steps that were taken and the clips that were shown; has to
            leave the student in training mode.
    """

    def __init__(
        self,
        student: Student,
        data: TrainingSet,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        report: Report = silent,
        after_epoch: Callable[[], None] | None = None,
        after_step: Callable[[int, int], None] | None = None,
    ) -> None:
        self._student, self._recipe, self._device, self._clips = student.to(device).train(), recipe, device, len(data)
        self._after_epoch, self._after_step = after_epoch, after_step
        self._optimiser = recipe.optimiser_of(student.parameters())
        self._batches = Batches(data, recipe.batch, seed, device, recipe.augmentation)
        self._losses = Losses(student.name, report)
        self._chance = Chance(seed, device)
        self._total, self._restart, self._shown = recipe.steps(len(data)), recipe.restart(len(data)), 0

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self._losses.steps == self._total

    def epoch(self) -> None:
        """Take the steps of an epoch, of which there has to be one; a GPU is not waited for after each.

        Raises:
            DivergedError: a loss is not finite.
        """
        losses: list[torch.Tensor] = []
        sizes: list[int] = []
        with self._chance.drawing():
            for clips, targets in self._batches.epoch(self._total - self._losses.steps):
                losses.append(self._step(self._losses.steps + len(losses), clips, targets))
                sizes.append(len(clips))
                self._shown += len(clips)
                if self._after_step is not None:
                    self._after_step(self._losses.steps + len(losses), self._shown)
            self._losses.add(losses, sizes)
            if self._after_epoch is not None:
                self._after_epoch()
        if self._losses.waiting >= STEPS_BETWEEN_WAITS.get(self._device.type, 1) or self.done:
            self._losses.read()

    def _step(self, number: int, clips: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Take a step, counted from 0; its loss."""
        import torch

        recipe, student = self._recipe, self._student
        if number == self._restart:
            self._optimiser = recipe.optimiser_of(student.parameters())
        for group in self._optimiser.param_groups:
            group["lr"] = recipe.learning_rate(number, self._clips)
        with computing(recipe.precision, self._device, student, _shape(clips)):
            logits = student(recipe.shown(clips))
            loss = recipe.error(logits.float(), targets)
            self._optimiser.zero_grad()
            torch.autograd.backward(loss)
        self._optimiser.step()
        return loss.detach()

    def end(self) -> tuple[float, ...]:
        """Leave the student in evaluation mode; the mean loss per clip of every epoch.

        Raises:
            DivergedError: a weight is not finite.
        """
        if not all(bool(parameter.isfinite().all()) for parameter in self._student.parameters()):
            raise DivergedError(self._student.name, self._total)
        self._student.eval()
        return tuple(self._losses.means)


def train_student(
    student: Student,
    data: TrainingSet,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    report: Report = silent,
    after_epoch: Callable[[], None] | None = None,
    after_step: Callable[[int, int], None] | None = None,
) -> tuple[float, ...]:
    """Train a student in place; on a CPU the same arguments give the same weights, bit by bit.

    The arguments are those of :class:`Training`; the student is left on the device in evaluation mode.

    Returns:
        The mean loss per clip of every epoch.

    Raises:
        DivergedError: a loss, or a weight after the last step, is not finite.
    """
    training = Training(student, data, recipe, seed, device, report, after_epoch, after_step)
    while not training.done:
        training.epoch()
    return training.end()


def _shape(clips: torch.Tensor) -> Shape:
    frames, height, width = clips.shape[2:]
    return frames, height, width
