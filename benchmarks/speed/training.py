"""Training steps per second of the students, through the loop that every trial uses.

Run it with ``python benchmarks/speed/training.py``; ``--device cuda`` where there is a GPU, ``--default-allocation`` to
leave freed memory to the C library, as no trial does.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from vdbench.clips.clipset import ClipSet, Normalisation
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student, student_names
from vdbench.work.allocation import keep_freed_memory


def noise(clips: int, frames: int, size: int, classes: int) -> ClipSet:
    """Random clips: how fast training is does not depend on what it sees."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (clips, frames, size, size, 3), dtype=np.uint8)
    names = tuple(str(number) for number in range(clips))
    statistics = Normalisation((0.5, 0.5, 0.5), (0.3, 0.3, 0.3))
    return ClipSet(
        pixels, np.arange(clips) % classes, tuple(map(str, range(classes))), names, names, statistics, "noise"
    )


def main() -> None:
    """Time every student and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=32, help="of the set, and of a batch")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--default-allocation", action="store_true", help="let freed memory go back to the system")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if not asked.default_allocation:
        keep_freed_memory()
    device, data = torch.device(asked.device), noise(asked.clips, asked.frames, asked.size, 8)
    recipe = Recipe(batch=asked.clips, epochs=asked.steps + 2)
    print(f"batches of {asked.clips} clips of {asked.frames}x{asked.size}x{asked.size}, {asked.threads} thread(s)")
    print(f"{'student':9} {'width':>5} {'parameters':>10} {'steps/s':>8} {'best':>8} {'clips/s':>8}")
    for name in student_names():
        for width in asked.widths:
            student = build_student(name, 8, asked.frames, asked.size, width, seed=0)
            marks: list[float] = []
            train_student(student, data, recipe, 0, device, lambda step, **_: marks.append(time.perf_counter()))  # noqa: B023
            spans = np.diff(marks)[1:]
            rate = 1 / np.median(spans)
            row = f"{name:9} {width:5} {student.parameter_count():10} {rate:8.1f} {1 / spans.min():8.1f}"
            print(f"{row} {rate * asked.clips:8.0f}")


if __name__ == "__main__":
    main()
