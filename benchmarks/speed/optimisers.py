"""How fast the methods that learn pixels are, and how much memory they take, against their definitions written out.

Each method's iteration stands against a literal one: DM, FRePo and the images of VDSD class by class or clip by clip,
MTT and VDSD on MTT with the graph of all steps in memory. Every variant runs in a process of its own, one after the
other; the script ends with an error where their losses differ. Run it with ``python benchmarks/speed/optimisers.py``;
``--device cuda`` where there is a GPU, ``--only mtt`` for one method.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from noise import noise
from torch.nn.functional import cross_entropy

from vdbench.method import Task
from vdbench.seeding import seed_of
from vdbench.work.assets import Assets
from vdbench.work.measure import measured
from vdbench_methods.dm import DMSettings, accumulate_gradient, class_means
from vdbench_methods.experts import weights_at
from vdbench_methods.learned import LearnedSettings, RealClips, initial_clips
from vdbench_methods.motions import OnDistributions
from vdbench_methods.mtt import Rows
from vdbench_methods.regression import centred, regression_loss
from vdbench_methods.static_dynamic import Memory, VDSDSettings
from vdbench_methods.trajectories import Matching, TrajectorySettings

Iteration = Callable[[int], float]
"""One iteration, by its number; its loss."""


def dm(asked: argparse.Namespace, task: Task, literal: bool) -> Iteration:
    """All classes in one pass each, or class by class."""
    settings, real = DMSettings(width=asked.width), RealClips(task.train, task.device)
    clips = initial_clips(task, "real", asked.ipc)[0].to(task.device).requires_grad_()

    def iteration(step: int) -> float:
        student = settings.fresh_student(task.train, step, task.device).requires_grad_(False)
        clips.grad = None
        if not literal:
            return float(
                accumulate_gradient(student, class_means(student, real, real.rows, 256), clips, asked.ipc, 256)
            )
        loss = torch.zeros((), device=task.device)
        for label, rows in enumerate(real.rows):
            with torch.no_grad():
                mean = student.embed(real.render(rows)).mean(dim=0)
            loss = loss + (mean - student.embed(clips[label * asked.ipc :][: asked.ipc]).mean(dim=0)).square().sum()
        torch.autograd.backward(loss)
        return float(loss.detach())

    return iteration


def mtt(asked: argparse.Namespace, task: Task, literal: bool) -> Iteration:
    """One step's graph at a time, or that of all steps."""
    settings = TrajectorySettings(experts=1, max_start=0, syn_steps=asked.steps, expert_batch=32)
    matching = Matching(settings, task, "minic3d", asked.width)
    clips, labels = (part.to(task.device) for part in initial_clips(task, "real", asked.ipc))
    path = task.assets.get(settings.specs(task, "minic3d", asked.width)[0])
    matching.student.eval()  # without dropout, so that both take the same steps

    def iteration(step: int) -> float:
        rng = np.random.default_rng(step)
        batches = matching.batches(rng, len(clips))
        if not literal:
            return float(matching.follow(rng, Rows(clips, torch.zeros_like(clips), labels, batches)).loss)
        start, goal = (weights_at(path, epoch).to(task.device) for epoch in (0, 1))
        here, shown = start.clone().requires_grad_(), clips.clone().requires_grad_()
        size = torch.tensor(settings.step_size, device=task.device, requires_grad=True)
        for rows in batches:
            inner = cross_entropy(matching.forward(here, shown[rows]), labels[rows])
            (slope,) = torch.autograd.grad(inner, here, create_graph=True)
            here = here - size * slope
        loss = (here - goal).square().sum() / (start - goal).square().sum()
        torch.autograd.grad(loss, (shown, size))
        return float(loss.detach())

    return iteration


def frepo(asked: argparse.Namespace, task: Task, literal: bool) -> Iteration:
    """The kernel as one product, or entry by entry; features in batches, or clip by clip."""
    settings, real = LearnedSettings(width=asked.width), RealClips(task.train, task.device)
    start, classes = initial_clips(task, "real", asked.ipc)
    clips = start.to(task.device).requires_grad_()
    labels = centred(classes, asked.classes).to(task.device).requires_grad_()
    rows = np.arange(len(task.train))
    goal = centred(torch.from_numpy(task.train.labels), asked.classes).to(task.device)

    def iteration(step: int) -> float:
        student = settings.fresh_student(task.train, step, task.device).requires_grad_(False)
        clips.grad = labels.grad = None
        if literal:
            with torch.no_grad():
                features = torch.cat([student.embed(real.render(rows[i : i + 1])) for i in rows]).double()
            own = torch.cat([student.embed(clip[None]) for clip in clips]).double()
            kernel = torch.stack([torch.stack([a @ b for b in own]) for a in own])
            damped = kernel + 1e-6 * kernel.trace() / len(own) * torch.eye(len(own), dtype=own.dtype, device=own.device)
            weights = torch.linalg.inv(damped) @ labels.double()
            errors = [
                (torch.stack([f @ b for b in own]) @ weights - y.double()) for f, y in zip(features, goal, strict=True)
            ]
            loss = torch.stack(errors).square().sum(dim=1).mean()
        else:
            with torch.no_grad():
                features = student.embed(real.render(rows))
            loss = regression_loss(student.embed(clips), labels, features, goal, 1e-6)
        torch.autograd.backward(loss)
        return float(loss.detach())

    return iteration


def vdsd(asked: argparse.Namespace, task: Task, literal: bool) -> Iteration:
    """Clips composed in one pass, or one by one; the loss as in DM."""
    settings = VDSDSettings(width=asked.width, real=asked.real)
    real, memory = RealClips(task.train, task.device), Memory(settings, task)
    parts = [memory.tensors[name].requires_grad_() for name in ("dynamic", "weight", "bias")]
    learner = OnDistributions(settings, real)

    def iteration(step: int) -> float:
        rng = np.random.default_rng(step)
        for part in parts:
            part.grad = None
        if not literal:
            return float(learner.backward(memory, rng, step))
        draw = seed_of(rng)
        student = settings.fresh_student(task.train, seed_of(rng), task.device).requires_grad_(False)
        chosen = [real.draw(rng, label, asked.real) for label in range(asked.classes)]
        loss = torch.zeros((), device=task.device)
        for label, rows in enumerate(chosen):
            with torch.no_grad():
                mean = student.embed(real.render(rows)).mean(dim=0)
            own = [
                student.embed(memory.clips(draw)[i][None])[0] for i in range(label * asked.ipc, (label + 1) * asked.ipc)
            ]
            loss = loss + (mean - torch.stack(own).mean(dim=0)).square().sum()
        torch.autograd.backward(loss)
        return float(loss.detach())

    return iteration


METHODS = {"dm": dm, "mtt": mtt, "frepo": frepo, "vdsd": vdsd}


def measure(asked: argparse.Namespace, name: str, literal: bool) -> dict[str, object]:
    """Rate, peak memory and losses of one variant, in this process."""
    torch.set_num_threads(asked.threads)
    device, train = (
        torch.device(asked.device),
        noise(asked.classes * asked.real, asked.classes, asked.frames, asked.size),
    )
    with TemporaryDirectory() as folder:
        task = Task("noise", train, asked.ipc, 0, device, Assets(Path(folder), train, device))
        iteration = METHODS[name](asked, task, literal)
        losses, marks = [iteration(0)], [time.perf_counter()]
        with measured(device) as cost:
            for step in range(1, asked.iterations + 1):
                losses.append(iteration(step))
                marks.append(time.perf_counter())
    return {"seconds": float(np.median(np.diff(marks))), "memory": cost.peak_memory, "losses": losses}


def main() -> None:
    """Measure every variant in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=8)
    parser.add_argument("--real", type=int, default=24, help="real clips per class")
    parser.add_argument("--ipc", type=int, default=5)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10, help="mtt: unrolled steps")
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=METHODS)
    parser.add_argument("--variant", choices=["literal", "ours"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.variant:
        print(json.dumps(measure(asked, asked.only, asked.variant == "literal")))
        return
    clips = f"{asked.frames}x{asked.size}x{asked.size}"
    print(
        f"{asked.classes} classes, IPC {asked.ipc}, {asked.real} real clips per class of {clips}, width {asked.width}"
    )
    print(f"{'':6} {'variant':8} {'iterations/s':>12} {'peak memory':>12}")
    for name in [asked.only] if asked.only else METHODS:
        found = {}
        for variant in ("literal", "ours"):
            command = [sys.executable, __file__, *sys.argv[1:], "--only", name, "--variant", variant]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[variant] = json.loads(answer.splitlines()[-1])
            memory = f"{found[variant]['memory'] / 2**20:.0f} MiB"
            print(f"{name:6} {variant:8} {1 / found[variant]['seconds']:12.2f} {memory:>12}")
        if not np.allclose(found["literal"]["losses"], found["ours"]["losses"], rtol=1e-3):
            raise SystemExit(f"{name} differs from its definition")
        faster = found["literal"]["seconds"] / found["ours"]["seconds"]
        print(f"{name:6} {'':8} {faster:11.1f}x {found['ours']['memory'] / found['literal']['memory']:11.2f}x")


if __name__ == "__main__":
    main()
