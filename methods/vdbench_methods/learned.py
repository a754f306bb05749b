"""What the methods that learn pixels share: where clips start, real clips by class, and a loop that can be killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import field_validator

from vdbench.clips.clipset import sent, to_network
from vdbench.clips.drawing import checked_ipc, random_rows
from vdbench.errors import DivergedError, UsageError
from vdbench.evaluation.batches import placed
from vdbench.method import Method, Resources, Settings, identity
from vdbench.seeding import generator
from vdbench.students import build_student, student_class
from vdbench.work.workload import embedding, training

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.method import Task
    from vdbench.students.student import Student
    from vdbench.work.workload import Work

Scale = Literal["plain", "relative"]

SCALE = (
    "unit of learning rates: plain, the gradient's, as published; relative, the change per iteration before momentum, "
    "the gradient being divided by the root of its mean square"
)
STEPS_BETWEEN_WAITS = 10
"""Iterations after which a GPU is waited for, to read its losses."""


class LearnedSettings(Settings):
    """Settings of every method that learns pixels."""

    iterations: int = identity(5000, "updates of the learned clips", ge=0)
    student: str = identity("minic3d", "network that clips are learned through")
    width: int = identity(64, "channels of that network's first layer", gt=0)
    init: Literal["real", "noise"] = identity(
        "real", "what clips start from: real, the clips that random picks with this seed; noise, of the same statistics"
    )

    @field_validator("student")
    @classmethod
    def _known_student(cls, name: str) -> str:
        try:
            student_class(name)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return name

    def fresh_student(self, train: ClipSet, seed: int, device: torch.device) -> Student:
        """A network with random weights, in evaluation mode, on the device."""
        student = build_student(self.student, len(train.classes), train.frames, train.size, self.width, seed)
        return student.to(device).eval()

    def matching_work(self, task: Task, real: int, clips_per_pass: int, iterations: int) -> list[Work]:
        """Iterations that embed so many real clips, and the learned ones with their gradient."""
        train, learned = task.train, len(task.train.classes) * budget(task)
        return [
            embedding(train, self.student, self.width, min(clips_per_pass, real), iterations * real, task.device),
            training(train, self.student, self.width, learned, iterations, task.device),
        ]


S = TypeVar("S", bound=LearnedSettings)


class PixelMethod(Method[S]):
    """A method whose clips are learned, and stored as float32 unless it says otherwise."""

    resources: ClassVar[Resources] = Resources(gpus=0.5)

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`."""
        return learned_bytes(task, clip_bytes)


class RealClips:
    """The train clips as networks take them, held on a GPU where they fit."""

    def __init__(self, train: ClipSet, device: torch.device) -> None:

        self.train, self.device = train, device
        self.rows = [train.rows_of(label) for label in range(len(train.classes))]
        self._clips = train.on(device)

    def render(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Normalised clips on the device, float32 ``(n, 3, T, H, W)``."""
        import torch

        return placed(self._clips, torch.from_numpy(rows), self.device)[0]

    def frames(self, rows: NDArray[np.int64], times: NDArray[np.int64]) -> torch.Tensor:
        """One frame of each clip, normalised, on the device, float32 ``(n, 3, H, W)``."""
        pixels = sent(self._clips.frames_at(rows, times), self.device)
        return to_network(pixels.unsqueeze(1), self.train.normalisation).squeeze(2).contiguous()

    def draw(self, rng: np.random.Generator, label: int, most: int) -> NDArray[np.int64]:
        """At most so many different clips of a class, as rows of the train split."""
        return rng.permutation(self.rows[label])[:most]


def initial_clips(task: Task, init: Literal["real", "noise"], per_class: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What the learned clips are before the first update, class by class.

    Real ones are those that the method ``random`` picks with the same seed, so that the two can be compared in pairs.

    Args:
        task: what is distilled.
        init: where they come from.
        per_class: how many there are of each class; more than a class has are its clips over again.

    Returns:
        float32 ``(classes * per_class, 3, T, H, W)``, normalised, in the order of its axes, in which what is learned
        from them rounds the same wherever they come from; and their labels, int64.
    """
    import torch

    train = task.train
    labels = torch.arange(len(train.classes)).repeat_interleave(per_class)
    if init == "noise":
        shape = (len(labels), 3, train.frames, train.size, train.size)
        noise = generator(task.seed, "noise").standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(noise), labels
    picks = [np.resize(random_rows(train, label, task.seed), per_class) for label in range(len(train.classes))]
    return train.render(torch.from_numpy(np.concatenate(picks)))[0].contiguous(), labels


def descent(tensors: Sequence[torch.Tensor], lr: float, momentum: float, scale: Scale) -> torch.optim.SGD:
    """Gradient descent at a learning rate that is the gradient's own, or relates to what is changed.

    A gradient's size depends on the loss, on the numbers of clips, classes and pixels and on the networks, and falls
    and grows while clips are learned. The relative rate depends on none of them: it is the root of the mean square
    change of all values that have a gradient, so that clips which an iteration does not show do not count.

    Args:
        tensors: what is learned, of one unit.
        lr: learning rate.
        momentum: of the gradient.
        scale: ``plain`` or ``relative``.
    """
    import torch

    optimiser = torch.optim.SGD(tensors, lr=lr, momentum=momentum)
    if scale == "relative":
        optimiser.register_step_pre_hook(lambda *_: _to_unit([t.grad for t in tensors if t.grad is not None]))
    return optimiser


def _to_unit(gradients: Sequence[torch.Tensor]) -> None:
    """Divide gradients, in place, by the root of the mean square of all that is not zero."""
    import torch

    flat = torch.cat([gradient.flatten() for gradient in gradients])
    square = flat.double().square().sum() / flat.count_nonzero().clamp(min=1)
    if square > 0:
        for gradient in gradients:
            gradient.div_(square.sqrt())


def budget(task: Task) -> int:
    """The IPC that was asked for.

    Raises:
        UsageError: there is none, or a class has fewer clips.
    """
    return checked_ipc(task.ipc, task.train, task.dataset)


def learned_bytes(task: Task, clip_bytes: float | None) -> float:
    """Bytes of ``task.ipc`` learned clips per class, float32 unless a codec takes ``clip_bytes`` for each."""
    each = 4 * task.train.clips[0].size if clip_bytes is None else clip_bytes
    return len(task.train.classes) * (task.ipc or 0) * each


def key_frame_bytes(task: Task, per_clip: int, clip_bytes: float | None) -> float:
    """Bytes of so many key frames for each of ``task.ipc`` clips per class, and of their times.

    Frames are float32; every codec of clips but ``float32`` stores them as float16.
    """
    train = task.train
    own = 4 if clip_bytes is None or clip_bytes == 4 * train.clips[0].size else 2
    return len(train.classes) * (task.ipc or 0) * (per_clip * 3 * train.size**2 * own + train.frames)


class Loop:
    """The iterations of one distillation: goes on where a killed process stopped, reports, and notices divergence.

    Whatever an iteration draws has to come from :meth:`rng`, so that the iteration's number stands for the state of
    all chance, and a resumed distillation ends in the same bits as one in one go.

    Args:
        task: what is distilled.
        what: name of the loop, for its random draws and its errors.
        iterations: how many there are.
        tensors: all that is learned; updated in place.
        optimisers: those that update it.
        stage: the number of this loop, where one follows the other; a later one's ``tensors`` hold the earlier one's.
    """

    def __init__(
        self,
        task: Task,
        what: str,
        iterations: int,
        tensors: Mapping[str, torch.Tensor],
        optimisers: Mapping[str, torch.optim.Optimizer],
        stage: int = 0,
    ) -> None:
        self._task, self._what, self._total, self._stage = task, what, iterations, stage
        self._tensors, self._optimisers = tensors, optimisers
        self._pending: list[dict[str, torch.Tensor]] = []
        self._first = self._resumed()

    def rng(self, step: int) -> np.random.Generator:
        """The chance of one iteration."""
        return generator(self._task.seed, self._what, step)

    def log(self, loss: torch.Tensor, **others: torch.Tensor) -> None:
        """Log an iteration's loss, and other numbers for its curves. Called once per iteration."""
        numbers = {"loss": loss, **others}
        self._pending.append({name: number.detach().clone() for name, number in numbers.items()})

    def __iter__(self) -> Iterator[int]:
        """The numbers of the iterations that are left.

        Raises:
            DivergedError: a logged loss, or what was learned in the end, is not finite.
        """
        waits = STEPS_BETWEEN_WAITS if self._task.device.type == "cuda" else 1
        for step in range(self._first, self._total):
            yield step
            done, due = step + 1, self._task.due()
            if due or done % waits == 0 or done == self._total:
                means = self._read(done)
                if due:
                    self._keep(done)
                self._task.report(done, of=self._total, **means)
        if not all(bool(tensor.isfinite().all()) for tensor in self._tensors.values()):
            raise DivergedError(self._what, self._total)

    def _read(self, done: int) -> dict[str, float]:
        """Means of what was logged since the last time."""
        import torch

        first = done - len(self._pending)
        values = {name: torch.stack([p[name] for p in self._pending]).double().cpu() for name in self._pending[0]}
        self._pending.clear()
        finite = values["loss"].isfinite()
        if not bool(finite.all()):
            raise DivergedError(self._what, first + int(finite.long().argmin()))
        return {name: float(value.mean()) for name, value in values.items()}

    def _keep(self, done: int) -> None:
        import torch

        state = {f"learned.{name}": tensor.detach() for name, tensor in self._tensors.items()}
        for name, optimiser in self._optimisers.items():
            for number, values in optimiser.state_dict()["state"].items():
                kept = {key: value for key, value in values.items() if value is not None}
                state |= {f"optimiser.{name}.{number}.{key}": value for key, value in kept.items()}
        state |= {"stage": torch.tensor(self._stage), "step": torch.tensor(done)}
        self._task.checkpoint({name: tensor.cpu().contiguous() for name, tensor in state.items()})

    def _resumed(self) -> int:
        """Put back what was kept; the number of the first iteration to come."""
        import torch

        state = self._task.resume()
        if state is None or int(state["stage"]) < self._stage:
            return 0
        if int(state["stage"]) > self._stage:
            return self._total
        with torch.no_grad():
            for name, tensor in self._tensors.items():
                tensor.copy_(state.like(f"learned.{name}", tensor))
        for name, optimiser in self._optimisers.items():
            saved: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in state.items():
                if key.startswith(f"optimiser.{name}."):
                    number, field = key.split(".")[2:]
                    saved.setdefault(int(number), {})[field] = value
            optimiser.load_state_dict(optimiser.state_dict() | {"state": saved})
        return int(state["step"])
