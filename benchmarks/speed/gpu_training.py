"""Rows of ``gpu.py`` about training and testing a MiniC3D: speed, memory, what crosses the bus, and precision."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from marks import EnoughError, Mark, Marks
from noise import ClipSet, coloured

from vdbench.evaluation.passes import shuffled_frames, still_frames, test_student
from vdbench.evaluation.precision import FARTHEST, Precision, bfloat16_error
from vdbench.evaluation.scoring import top_k
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student

if TYPE_CHECKING:
    from vdbench.students.student import Student

Asked = argparse.Namespace
SEEDS = 3
PAIR: tuple[Precision, Precision] = ("bf16", "float32")
BATCH = 256
TRACED = (20, 50)
"""Steps before a profiler listens, and steps that it listens to."""


class Row(NamedTuple):
    """A line of the table: what is measured, what is wanted of it, and how it is measured."""

    what: str
    wanted: str
    measure: Callable[[Asked], str]


class Staying(ClipSet):
    """Clips that never lie on a device, as if there were no room."""

    def on(self, device: torch.device) -> ClipSet:
        """Itself."""
        return self


def one_each(asked: Asked) -> ClipSet:
    """A clip of every class."""
    return coloured(asked.classes, asked.classes, asked.frames, asked.size)


def train_split(asked: Asked, most: int | None = None) -> ClipSet:
    """A train split of whole batches, where there are that many clips."""
    return coloured(clips_of_split(asked, most), asked.classes, asked.frames, asked.size)


def clips_of_split(asked: Asked, most: int | None = None) -> int:
    """Clips of :func:`train_split`."""
    count = min(asked.clips, most or asked.clips)
    return count // BATCH * BATCH or count


@cache
def matmul_rate(device: torch.device) -> float:
    """Operations per second of a large bfloat16 product of random matrices: the ceiling of all that follows."""
    side, times = (8192, 50) if device.type == "cuda" else (256, 2)
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    marks = Marks(device, times)
    for step in range(1, 3 * times + 1):
        a @ b
        marks(step)
    return 2 * side**3 * marks.whole.steps / marks.whole.seconds


@cache
def operations(classes: int, frames: int, size: int, width: int) -> float:
    """Operations of one clip's training step, forward and backward, counted on tensors without content."""
    from torch.utils.flop_counter import FlopCounterMode

    student = build_student("minic3d", classes, frames, size, width).to("meta")
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(student(torch.empty(1, 3, frames, size, size, device="meta")).sum())
    return float(counter.get_total_flops())


@contextmanager
def memory(device: torch.device, found: list[float]) -> Iterator[None]:
    """Append the most memory that was in use on a GPU meanwhile, in GiB; what was left before is part of it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield
    found.append(torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0)


def fresh(asked: Asked, seed: int = 0) -> Student:
    """A student of which no step was taken."""
    return build_student("minic3d", asked.classes, asked.frames, asked.size, asked.width, seed)


def plain(steps: int, precision: Precision, asked: Asked) -> Recipe:
    """So many steps of batches as large as there are clips for, at a rate at which nothing diverges."""
    return Recipe(batch=BATCH, epochs=steps, max_steps=steps, lr=asked.lr, precision=precision)


def trained(
    data: ClipSet,
    steps: int,
    precision: Precision,
    asked: Asked,
    after_step: Callable[[int, int], None] | None = None,
    student: Student | None = None,
) -> Any:
    """Train a student, a fresh one unless there is one, for so many steps; the losses of its epochs."""
    recipe, device = plain(steps, precision, asked), torch.device(asked.device)
    return train_student(fresh(asked) if student is None else student, data, recipe, 0, device, after_step=after_step)


def timed(data: ClipSet, precision: Precision, asked: Asked, student: Student | None = None) -> Mark:
    """Seconds, steps and clips of a training, without its beginning."""
    every = max(1, asked.steps // 10)
    marks = Marks(torch.device(asked.device), every, asked.seconds)
    with suppress(EnoughError):
        trained(data, asked.steps + every, precision, asked, marks, student)
    return marks.whole


def step(make: Callable[[Asked], ClipSet], precision: Precision, asked: Asked, *, deterministic: bool = True) -> str:
    """Milliseconds of a training step, its share of the rate of products, and its memory."""
    device, found, cudnn = torch.device(asked.device), [], torch.backends.cudnn
    before, cudnn.deterministic = cudnn.deterministic, deterministic
    try:
        with memory(device, found):
            seconds, steps, clips = timed(make(asked), precision, asked)
    finally:
        cudnn.deterministic = before
    rate = clips * operations(asked.classes, asked.frames, asked.size, asked.width) / seconds
    share = rate / matmul_rate(device)
    return (
        f"{1000 * seconds / steps:.2f} ms, {clips / seconds:.0f} clips/s, {share:.3f} of the rate, {found[0]:.1f} GiB"
    )


@cache
def best(device: torch.device) -> Precision:
    """What trials train in, unless it is wrong on this device."""
    return "bf16" if bfloat16_error(device) <= FARTHEST else "float32"


def network(asked: Asked) -> str:
    """Seconds of a whole training, uploads included, after another one has warmed the device up."""
    data, steps, precision = one_each(asked), 5 * asked.steps, best(torch.device(asked.device))
    trained(data, 2, precision, asked)
    began = time.perf_counter()
    trained(data, steps, precision, asked)
    return f"{time.perf_counter() - began:.2f} s for {steps} steps in {precision}"


def bus(make: Callable[[Asked], ClipSet], asked: Asked) -> str:
    """What crosses to the GPU in each step after the first ones, while a profiler listens."""
    from torch.profiler import ProfilerActivity, profile

    first, listened = TRACED
    profiler = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])

    def listen(step: int, _: int) -> None:
        if step in (first, first + listened):
            torch.cuda.synchronize()
            (profiler.start if step == first else profiler.stop)()

    trained(make(asked), first + listened + 1, best(torch.device(asked.device)), asked, listen)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return crossings(json.loads(path.read_text()), listened)


def crossings(trace: dict[str, Any], steps: int) -> str:
    """Bytes and copies to the GPU, and waits for it, in a step of those that a profiler's trace is of.

    Raises:
        ValueError: there is no kernel in it, so that copies would have been missed as well.
    """
    events = trace["traceEvents"]
    if not any(event.get("cat") == "kernel" for event in events):
        raise ValueError("the profiler saw no kernels, and so would have seen no copies")
    copies = [event for event in events if event.get("cat") == "gpu_memcpy" and "HtoD" in event["name"]]
    size = sum(int(event["args"]["bytes"]) for event in copies)
    waits = sum("Synchronize" in event["name"] for event in events if event.get("cat") == "cuda_runtime")
    return f"{size / steps:.0f} bytes in {len(copies) / steps:.2f} copies, {waits / steps:.2f} waits"


def testing(asked: Asked) -> str:
    """The test pass: frames as they are, shuffled, and one repeated."""
    data, device = train_split(asked), torch.device(asked.device)
    student = fresh(asked)
    shape, here, marks = (len(data), asked.frames), data.on(device), Marks(device)
    orders = [None, shuffled_frames(*shape), still_frames(*shape)]
    for number in range(4):
        test_student(student, here, device, frames=orders)
        marks(number, number * len(orders) * len(data))
    seconds, passes, clips = marks.whole
    return f"{seconds / passes:.2f} s, {clips / seconds:.0f} clips/s"


def ahead(asked: Asked) -> str:
    """Training on clips for which there is no room, so that a thread sends batches ahead."""
    data, precision = train_split(asked, 4 * BATCH), best(torch.device(asked.device))
    seconds, steps, clips = timed(Staying(*(getattr(data, name) for name in data.__match_args__)), precision, asked)
    return f"{1000 * seconds / steps:.2f} ms, {clips / seconds:.0f} clips/s in {precision}"


def learned(precision: Precision, seed: int, asked: Asked) -> tuple[list[float], float]:
    """The losses of a training that learns what colours classes have, and the top-1 on other clips of them."""
    device, few, classes = torch.device(asked.device), min(asked.clips, 640), min(asked.classes, 10)
    train, test = (coloured(few, classes, asked.frames, asked.size, number, asked.strength) for number in (0, 1))
    student = build_student("minic3d", classes, asked.frames, asked.size, asked.width, seed=seed)
    steps = {"batch": 64, "epochs": asked.learn, "max_steps": asked.learn}
    recipe = Recipe(optimiser="adamw", lr=asked.learn_lr, precision=precision, **steps)
    losses = train_student(student, train, recipe, seed, device)
    return list(losses), top_k(test_student(student, test, device)[0], torch.from_numpy(test.labels), 1)


def agreement(asked: Asked) -> str:
    """Loss curves and top-1 of bf16 beside those of float32, each over the same seeds.

    Raises:
        ValueError: nothing was learned.
    """
    runs = {name: [learned(name, seed, asked) for seed in range(SEEDS)] for name in PAIR}
    curves = {name: np.array([losses for losses, _ in found]) for name, found in runs.items()}
    scores = {name: np.array([top1 for _, top1 in found]) for name, found in runs.items()}
    if scores["float32"].mean() < 1.5 / min(asked.classes, 10):
        raise ValueError(f"top-1 is {scores['float32'].mean():.3f} in float32, so that agreement would say nothing")
    return compared(curves, scores)


def compared(curves: dict[str, np.ndarray], scores: dict[str, np.ndarray]) -> str:
    """Whether the means of bf16 are apart from those of float32 by no more than its seeds are from each other.

    Args:
        curves: losses, ``(seeds, epochs)``.
        scores: top-1, ``(seeds,)``.
    """
    told = []
    for what, found in (("top-1", scores), ("loss", curves)):
        apart = float(np.abs(found["bf16"].mean(0) - found["float32"].mean(0)).max())
        spread = float(np.ptp(found["float32"], axis=0).max())
        verdict = "within" if apart <= spread else "beyond"
        told.append(f"{what} {apart:.3f} apart, {verdict} the seeds' {spread:.3f}")
    ends = ", ".join(
        f"{name} {values.mean():.3f}, loss {curves[name][:, -1].mean():.3f}" for name, values in scores.items()
    )
    return "; ".join([*told, f"top-1 of {ends}"])


def rows(asked: Asked) -> list[Row]:
    """All that there is to measure of it."""
    device = torch.device(asked.device)
    sets = ((one_each, asked.classes), (train_split, min(BATCH, asked.clips)))
    precisions = ("bf16", "tf32", "float32") if device.type == "cuda" else ("bf16", "float32")
    found = [
        Row("product of bfloat16 matrices", "", lambda asked: f"{matmul_rate(device) / 1e12:.2f} TFLOP/s"),
        Row("Conv3d in bf16, relative error", f"below {FARTHEST}", lambda asked: f"{bfloat16_error(device):.4f}"),
    ]
    for make, clips in sets:
        for precision in precisions:
            wanted = "0.36 of the rate" if precision == "bf16" else ""
            found.append(Row(f"training step, {clips} clips, {precision}", wanted, partial(step, make, precision)))
        free = partial(step, make, "bf16", deterministic=False)
        found.append(Row(f"training step, {clips} clips, bf16, not deterministic", "", free))
    found.append(Row(f"a network of {asked.classes} clips", "3 s", network))
    if device.type == "cuda":
        for make, clips in sets:
            found.append(Row(f"to the GPU per step, {clips} clips", "0 bytes of clips", partial(bus, make)))
    found.append(Row(f"three test passes of {clips_of_split(asked)} clips", "", testing))
    found.append(Row("bf16 against float32", "within the seeds' spread", agreement))
    found.append(Row("training step, batches sent ahead", "", ahead))
    return found
