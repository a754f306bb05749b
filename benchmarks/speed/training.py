"""Training steps per second of the students, through the loop that every trial uses.

Run it with ``python benchmarks/speed/training.py``; ``--device cuda`` where there is a GPU, ``--default-allocation`` to
leave freed memory to the C library, as no trial does. ``--base COMMIT`` compares processor time with an earlier
version's on a CPU instead: both take turns in processes of their own, and each counts with its fastest step.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from noise import noise

from vdbench.students import build_student, student_names

try:
    from vdbench.evaluation.train import Recipe, train_student
    from vdbench.work.allocation import keep_freed_memory
except ImportError:  # an earlier version, for --base
    from vdbench.train import Recipe, train_student

    def keep_freed_memory() -> None:
        """Versions that came before it left freed memory to the C library."""


COMPARED = {"minic3d": (16, None), "cnn-gru": (16, None), "cnn-lstm": (16, None), "video-vit": (48, 2)}
"""Widths and depths of the students that are compared with an earlier version."""
ROOT = Path(__file__).parents[2]
Clock = Callable[[], float]


def spans(
    name: str, width: int, depth: int | None, asked: argparse.Namespace, clock: Callable[[], float]
) -> list[float]:
    """Seconds of every training step but the first two, by some clock, with the student's parameters in front."""
    data = noise(asked.clips, 8, asked.frames, asked.size)
    recipe = Recipe(batch=asked.clips, epochs=asked.steps + 2)
    marks: list[float] = []
    student = build_student(name, 8, asked.frames, asked.size, width, seed=0, depth=depth)
    train_student(student, data, recipe, 0, torch.device(asked.device), lambda step, **_: marks.append(clock()))
    return [sum(p.numel() for p in student.parameters()), *np.diff(marks)[1:]]


def speeds(asked: argparse.Namespace) -> None:
    """Time every student and print a table."""
    print(f"batches of {asked.clips} clips of {asked.frames}x{asked.size}x{asked.size}, {asked.threads} thread(s)")
    print(f"{'student':9} {'width':>5} {'parameters':>10} {'steps/s':>8} {'best':>8} {'clips/s':>8}")
    for name in student_names():
        for width in asked.widths:
            parameters, *taken = spans(name, width, None, asked, time.perf_counter)
            rate = 1 / np.median(taken)
            row = f"{name:9} {width:5} {parameters:10} {rate:8.1f} {1 / min(taken):8.1f}"
            print(f"{row} {rate * asked.clips:8.0f}")


def fastest(asked: argparse.Namespace) -> dict[str, float]:
    """Processor seconds of each compared student's fastest step."""
    return {name: min(spans(name, *size, asked, time.process_time)[1:]) for name, size in COMPARED.items()}


def compare(asked: argparse.Namespace) -> None:
    """Time the compared students by the code of a commit and by this one, in turns, and print a table."""
    words = [f"--{name}={getattr(asked, name)}" for name in ("clips", "frames", "size", "steps", "threads")]
    best: dict[str, dict[str, float]] = {"before": {}, "now": {}}
    with TemporaryDirectory() as folder:
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", folder, asked.base], check=True)
        try:
            for _ in range(asked.rounds):
                for side, root in (("before", folder), ("now", str(ROOT))):
                    told = subprocess.run(
                        [sys.executable, __file__, "--fastest", *words],
                        env=os.environ | {"PYTHONPATH": root}, stdout=subprocess.PIPE, check=True,
                    )  # fmt: skip
                    for name, seconds in json.loads(told.stdout).items():
                        best[side][name] = min(seconds, best[side].get(name, seconds))
        finally:
            subprocess.run([*git, "remove", "--force", folder], check=True)
    print("| student | width | before | now | |\n|---|---|---|---|---|")
    for name, (width, _) in COMPARED.items():
        before, now = best["before"][name], best["now"][name]
        print(f"| {name} | {width} | {1000 * before:.1f} ms | {1000 * now:.1f} ms | {before / now:.2f}x |")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=32, help="of the set, and of a batch")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--default-allocation", action="store_true", help="let freed memory go back to the system")
    parser.add_argument("--base", metavar="COMMIT", help="compare with an earlier version")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each version")
    parser.add_argument("--fastest", action="store_true", help="print processor seconds as JSON, and no more")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if not asked.default_allocation:
        keep_freed_memory()
    if asked.fastest:
        print(json.dumps(fastest(asked)))
    elif asked.base:
        compare(asked)
    else:
        speeds(asked)


if __name__ == "__main__":
    main()
