"""What a GPU makes of clips at the field's size, 16x112x112 and full width: speed, memory, and whether numbers agree.

Run it with ``python benchmarks/speed/gpu.py`` where there is a GPU, torch, and what ``import vdbench`` takes; neither
Ray nor MLflow is needed. It takes less than nine minutes and ends with a table, to be kept in ``docs/performance.md``
with the card's name. ``--base FOLDER`` trains on all clips by the code of an earlier version as well, a checkout or the
output of ``git archive``. ``--device cpu --clips 8 --size 16 --frames 4 --width 4 --steps 2`` tries all of it on a CPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from noise import ClipSet, noise

try:
    from vdbench.evaluation.train import Recipe, train_student
except ImportError:  # an earlier version, for --base
    from vdbench.train import Recipe, train_student
from vdbench.students import build_student

Row = tuple[str, str, str]
"""What was measured, the value, and what is wanted."""


def one_each(asked: argparse.Namespace) -> ClipSet:
    """A clip of every class."""
    return noise(asked.classes, asked.classes, asked.frames, asked.size)


def whole_train(asked: argparse.Namespace) -> ClipSet:
    """A train split, as many clips of every class."""
    return noise(asked.classes * max(1, asked.clips // asked.classes), asked.classes, asked.frames, asked.size)


def seconds(step: Callable[[], object], device: torch.device, times: int, warm_up: int = 2) -> float:
    """Median wall-clock seconds of a step, the device waited for."""
    taken = []
    for number in range(warm_up + times):
        started = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= warm_up:
            taken.append(time.perf_counter() - started)
    return median(taken)


def matmul_rate(device: torch.device) -> float:
    """Operations per second of a large bfloat16 product of random matrices: the ceiling of all that follows."""
    side = 8192 if device.type == "cuda" else 512
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, device, 10)


def operations(asked: argparse.Namespace, classes: int) -> float:
    """Operations of one clip's training step, forward and backward, counted on tensors without content."""
    from torch.utils.flop_counter import FlopCounterMode

    student = build_student("minic3d", classes, asked.frames, asked.size, asked.width).to("meta")
    with FlopCounterMode(display=False) as counter:
        logits = student(torch.empty(1, 3, asked.frames, asked.size, asked.size, device="meta"))
        torch.autograd.backward(logits.sum())
    return float(counter.get_total_flops())


@contextmanager
def peak(device: torch.device, found: list[float]) -> Iterator[None]:
    """Append the most memory that was in use on a GPU, in GiB."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield
    found.append(torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0)


def trained(data: ClipSet, batch: int, steps: int, precision: str, asked: argparse.Namespace) -> tuple[float, Any]:
    """Seconds per step, from trainings of so many steps and of twice as many, and the losses of the longer one."""
    device, taken, losses = torch.device(asked.device), [], ()
    fields = {"precision": precision} if "precision" in Recipe.model_fields else {}
    for count in (2, steps, 2 * steps):
        student = build_student("minic3d", len(data.classes), asked.frames, asked.size, asked.width, seed=0)
        recipe = Recipe(batch=batch, epochs=count, max_steps=count, **fields)
        started = time.perf_counter()
        losses = train_student(student, data, recipe, 0, device)
        taken.append(time.perf_counter() - started)
    return (taken[2] - taken[1]) / steps, losses


def training(asked: argparse.Namespace, rate: float) -> Iterator[Row]:
    """Steps of MiniC3D on a set of one clip per class, and on a large batch, in every precision."""
    one, many = one_each(asked), whole_train(asked)
    each, device = operations(asked, asked.classes), torch.device(asked.device)
    precisions = ["bf16", "tf32", "float32"] if device.type == "cuda" else ["bf16", "float32"]
    for data in (one, many):
        batch = min(len(data), 256)
        curves, best = {}, 0.0
        for precision in precisions:
            memory: list[float] = []
            steps = asked.steps if data is one else max(1, asked.steps // 5)
            with peak(device, memory):
                step, curves[precision] = trained(data, batch, steps, precision, asked)
            share = batch * each / step / rate
            wanted = "at least 0.36 of the rate" if precision == "bf16" else ""
            best = step if precision == "bf16" else best
            value = f"{1000 * step:.2f} ms, {share:.2f} of the rate, {memory[0]:.1f} GiB"
            yield f"training step, {batch} clips, {precision}", value, wanted
        apart = np.abs(np.array(curves["bf16"]) - np.array(curves["float32"])).max()
        yield f"bf16 from float32, {batch} clips: largest difference of an epoch's loss", f"{apart:.3f}", "small"
        if data is one:
            yield f"a network of {batch} clips and 500 steps", f"{500 * best:.1f} s", "3 s"


def bus(asked: argparse.Namespace) -> Iterator[Row]:
    """Bytes that cross to the GPU per step, once everything lies there."""
    from torch.profiler import ProfilerActivity, profile

    data = one_each(asked)
    sent = []
    for steps in (asked.steps, 2 * asked.steps):
        with profile(activities=[ProfilerActivity.CUDA]) as found:
            trained(data, len(data), steps, "bf16", asked)
        copies = [e for e in found.events() or () if "HtoD" in e.name]
        sent.append(len(copies))
    per_step = (sent[1] - sent[0]) / asked.steps
    yield "copies to the GPU per step after the first", f"{per_step:.2f}", "none of clips; one of row numbers an epoch"


def testing(asked: argparse.Namespace) -> Iterator[Row]:
    """The test pass: frames as they are, shuffled, and one repeated."""
    from vdbench.evaluation.evaluate import shuffled_frames, still_frames, test_student

    data, device = whole_train(asked), torch.device(asked.device)
    student = build_student("minic3d", asked.classes, asked.frames, asked.size, asked.width, seed=0)
    shape, here = (len(data), asked.frames), data.on(device)
    orders = [None, shuffled_frames(*shape), still_frames(*shape)]
    taken = seconds(lambda: test_student(student, here, device, frames=orders), device, 3, 1)
    yield f"three test passes of {len(data)} clips", f"{taken:.2f} s, {3 * len(data) / taken:.0f} clips/s", ""


def matching(asked: argparse.Namespace) -> Iterator[Row]:
    """An iteration of DM, and one of MTT with ten inner steps."""
    from vdbench.method import Task
    from vdbench.work.assets import Assets
    from vdbench_methods.dm import DMSettings, accumulate_gradient, class_means
    from vdbench_methods.experts import Expert
    from vdbench_methods.learned import RealClips, initial_clips
    from vdbench_methods.mtt import Rows
    from vdbench_methods.trajectories import Matching, TrajectorySettings

    device = torch.device(asked.device)
    data = whole_train(asked)
    with TemporaryDirectory() as folder:
        task = Task("noise", data, 1, 0, device, Assets(Path(folder), data, device))
        clips, labels = (part.to(device) for part in initial_clips(task, "real", 1))
        settings, real = DMSettings(width=asked.width), RealClips(data, device)
        learned, memory = clips.clone().requires_grad_(), []

        def dm() -> None:
            student = settings.fresh_student(data, 0, device).requires_grad_(False)
            with torch.autocast(device.type, torch.bfloat16, device.type == "cuda"):
                means = class_means(student, real, real.rows, settings.clips_per_pass)
                accumulate_gradient(student, means, learned, 1, settings.clips_per_pass)

        with peak(device, memory):
            taken = seconds(dm, device, 5)
        yield f"DM iteration, {asked.classes} classes x {len(real.rows[0])}", _cost(taken, memory), "0.15 s"
        chosen = TrajectorySettings(experts=1, max_start=0)
        follower = Matching(chosen, task, "minic3d", asked.width)
        assert isinstance(chosen.specs(task, "minic3d", asked.width)[0], Expert)

        def mtt() -> None:
            rng = np.random.default_rng(0)
            follower.follow(rng, Rows(clips, torch.zeros_like(clips), labels, follower.batches(rng, len(clips))))

        for precision, wanted in (("float32", "1.2 s"), ("tf32", "0.4 s")):
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            with peak(device, memory):
                taken = seconds(mtt, device, 3, 1)
            yield f"MTT outer step of {chosen.syn_steps}, {precision}", _cost(taken, memory), wanted


def _cost(taken: float, memory: list[float]) -> str:
    return f"{taken:.3f} s, {memory[-1]:.1f} GiB"


def whole_split(asked: argparse.Namespace) -> float:
    """Seconds per step of training on all clips."""
    data = whole_train(asked)
    return trained(data, 256, min(asked.steps, 20), "bf16", asked)[0]


def against(asked: argparse.Namespace) -> Iterator[Row]:
    """Training on all clips, by this code and by an earlier version's, one after the other."""
    root = Path(asked.base).resolve()
    places = [root, *(root / part for part in ("methods", "benchmarks", "leaderboard"))]
    path = os.pathsep.join([*map(str, places), os.environ.get("PYTHONPATH", "")])
    words = [f"--{name}={getattr(asked, name)}" for name in ("device", "classes", "clips", "frames", "size", "width")]
    command = [sys.executable, __file__, "--whole-split", f"--steps={asked.steps}", *words]
    told = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    before, now = float(told.stdout.split()[-1]), whole_split(asked)
    yield "training on all clips, against the earlier version", f"{before / now:.1f} times as fast", "20"


def machine(device: torch.device) -> str:
    """The card and the versions, for the table."""
    from vdbench.experiment.environment import environment

    here = environment(device.type)
    return ", ".join(f"{name} {value}" for name, value in here.model_dump(exclude={"platform"}).items() if value)


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--clips", type=int, default=3200, help="of the train split")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--base", help="folder of an earlier version's sources")
    parser.add_argument("--whole-split", action="store_true", help="print seconds per step on all clips, and no more")
    asked = parser.parse_args()
    asked.classes = min(asked.classes, asked.clips)
    device = torch.device(asked.device)
    if asked.whole_split:
        print(whole_split(asked))
        return
    print(machine(device), flush=True)
    rate = matmul_rate(device)
    rows: list[Row] = [("product of bfloat16 matrices", f"{rate / 1e12:.1f} TFLOP/s", "")]
    parts = [training(asked, rate), testing(asked), matching(asked)]
    parts += [bus(asked)] if device.type == "cuda" else []
    parts += [against(asked)] if asked.base else []
    for part in parts:
        for row in part:
            rows.append(row)
            print("  ".join(row), file=sys.stderr, flush=True)
    print("| what | measured | wanted |\n|---|---|---|")
    print("\n".join(f"| {what} | {value} | {wanted} |" for what, value, wanted in rows))


if __name__ == "__main__":
    main()
