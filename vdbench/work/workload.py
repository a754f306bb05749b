"""How much work something is, said before it is done, so that a run can tell how long it will take.

Work is something small that is done many times: a training step, an iteration, a batch that is encoded. Whoever does it
says what and how often; :func:`seconds_of` does it a few times, here and now, and multiplies.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student

WHOLE_BATCH = 0.3
"""Seconds that a whole batch may take to be timed; of a slower one a single item is, and the rest is inferred."""
SMALL, WIDE = 4e6, 64
"""Values of a clip times channels of a network below which an item is surely quick; channels where none are named."""
LARGE = 3e10
"""Operations of an item that is not tried, since it would take about a second or more: they are counted instead."""


@dataclass(frozen=True)
class Work:
    """Something that is done many times.

    Attributes:
        what: tells it from other work; of equal ones a single one is timed.
        ready: prepares it, and gives what does it once to so many items, at least one.
        batch: items at a time.
        times: how often it is done.
        operations: counts the floating-point operations of one item, without doing them; None where it is always tried.
    """

    what: tuple[object, ...]
    ready: Callable[[], Callable[[int], object]]
    batch: int
    times: float
    operations: Callable[[], float] | None = None


def seconds_of(work: Work, device: torch.device) -> float:
    """Seconds that doing it once takes, on its whole batch; the first attempt warms up and is not counted.

    On a CPU it is the time of this process alone, so that others, which come and go, do not disturb.
    """
    if work.operations is not None and (count := work.operations()) > LARGE and device.type == "cpu":
        return count * work.batch / _operations_per_second()
    once, cuda = work.ready(), device.type == "cuda"
    clock = time.perf_counter if cuda else time.process_time

    def timed(items: int) -> float:
        started = clock()
        once(items)
        if cuda:
            import torch

            torch.cuda.synchronize(device)
        return clock() - started

    first = timed(1)  # slower than later ones, unless it is slow anyway
    single = first if first > 1 else timed(1)
    whole = single * work.batch
    return whole if work.batch == 1 or whole > WHOLE_BATCH else timed(work.batch)


@cache
def _operations_per_second() -> float:
    """Of a convolution like those in the middle of a network, on a CPU."""
    import torch

    clips, windows = torch.zeros(1, 64, 8, 32, 32), torch.zeros(64, 64, 3, 3, 3)
    torch.nn.functional.conv3d(clips, windows, padding=1)
    started = time.process_time()
    torch.nn.functional.conv3d(clips, windows, padding=1)
    return 2 * 64 * windows[0].numel() * clips[0, 0].numel() / max(time.process_time() - started, 1e-6)


def _counted(train: ClipSet, name: str, width: int | None, depth: int | None, *, backward: bool) -> float:
    """Operations on one clip, on tensors without content; 0 where they cannot be counted, or need not be."""
    if train.clips[0].size * (width or WIDE) < SMALL:
        return 0.0
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    try:
        with FlopCounterMode(display=False) as counter:
            logits = _student(train, name, width, depth).to("meta")(
                torch.empty(1, 3, *train.clips.shape[1:4], device="meta")
            )
            forward = counter.get_total_flops()
            if backward:
                torch.autograd.backward(logits.sum())
        # torch 2.13 counts gradients of convolutions in groups as if there were one group; they take twice the forward
        return float(min(counter.get_total_flops(), 3 * forward))
    except Exception:  # an operation that knows no such tensors: it is tried instead
        return 0.0


def training(  # noqa: PLR0913 - a network and how it is trained
    train: ClipSet,
    name: str,
    width: int | None,
    batch: int,
    steps: float,
    device: torch.device,
    depth: int | None = None,
) -> Work:
    """Training a student for so many steps.

    Args:
        train: clips of the geometry and the classes that it is trained on.
        name: of the student.
        width: channels of its first layer.
        batch: clips per step.
        steps: how many.
        device: where to compute.
        depth: its blocks.
    """

    def ready() -> Callable[[int], object]:
        import torch
        from torch.nn.functional import cross_entropy

        student, clips = _student(train, name, width, depth).to(device).train(), _clips(train, batch, device)
        labels = torch.zeros(len(clips), dtype=torch.int64, device=device)
        # torch's own optimisers import its compiler first, more than a second of which no step is to be blamed for
        moved = [(weight, torch.zeros_like(weight)) for weight in student.parameters()]

        def step(items: int) -> None:
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                logits = student(clips[:items])
            gradients = torch.autograd.grad(cross_entropy(logits.float(), labels[:items]), list(student.parameters()))
            with torch.no_grad():
                for (weight, velocity), gradient in zip(moved, gradients, strict=True):
                    weight.sub_(velocity.mul_(0.9).add_(gradient), alpha=0.0)

        return step

    def operations() -> float:
        return _counted(train, name, width, depth, backward=True)

    return Work(("training", name, width, depth, train.clips.shape[1:], batch), ready, batch, steps, operations)


def embedding(  # noqa: PLR0913 - a network and what it is shown
    train: ClipSet,
    name: str,
    width: int | None,
    batch: int,
    clips: float,
    device: torch.device,
    depth: int | None = None,
) -> Work:
    """Showing a student so many clips, without gradients; the arguments are those of :func:`training`.

    Args:
        train: clips of that geometry.
        name: of the student.
        width: channels of its first layer.
        batch: clips at a time.
        clips: how many in all.
        device: where to compute.
        depth: its blocks.
    """

    def ready() -> Callable[[int], object]:
        import torch

        student = _student(train, name, width, depth).to(device).eval()

        def show(items: int) -> None:
            with torch.inference_mode():
                student(_clips(train, items, device))

        return show

    def operations() -> float:
        return _counted(train, name, width, depth, backward=False)

    return Work(
        ("embedding", name, width, depth, train.clips.shape[1:], batch), ready, batch, clips / batch, operations
    )


def _student(train: ClipSet, name: str, width: int | None, depth: int | None) -> Student:
    from vdbench.students import build_student

    return build_student(name, len(train.classes), train.frames, train.size, width, 0, depth)


def _clips(train: ClipSet, count: int, device: torch.device) -> torch.Tensor:
    """Clips as networks take them, ``(count, 3, T, H, W)``; the first ones over again where there are too few."""
    import torch

    from vdbench.clips.clipset import on_device

    return on_device(train.render(torch.arange(count) % len(train))[0], device)
