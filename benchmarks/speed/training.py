"""Arithmetic on a CPU beside that of an earlier version: clips into a network, training steps, iterations of ``mtt``.

Run it with ``python benchmarks/speed/training.py --base COMMIT``. Both versions take turns, in processes of their own,
and each counts with the least processor time of what it did, so that a busy machine shows little. Steps in bf16, which
earlier versions lack, stand beside their steps in float32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from earlier import ROOT, by_code_of, sources
from noise import noise

from vdbench.method import Task
from vdbench.students import build_student
from vdbench_methods.mtt import MTT, MTTSettings

try:  # an earlier version first: see noise.py
    from vdbench.assets import Assets
    from vdbench.train import Recipe, on_device, train_student

    def keep_freed_memory() -> None:
        """Versions that came before it left freed memory to the C library."""

    def processor_has_bfloat16() -> bool:
        """Versions that came before it computed in float32."""
        return True

except ImportError:
    from vdbench.clips.clipset import on_device
    from vdbench.evaluation.precision import processor_has_bfloat16
    from vdbench.evaluation.train import Recipe, train_student
    from vdbench.work.assets import Assets

    try:
        from vdbench.work.allocation import keep_freed_memory
    except ImportError:
        from vdbench.storage.allocation import keep_freed_memory


CPU, CLASSES, FRAMES, SIZE = torch.device("cpu"), 8, 8, 32
STUDENTS = {"minic3d": (16, None), "r2plus1d": (16, None), "cnn-gru": (16, None), "cnn-lstm": (16, None),
            "video-vit": (48, 2)}  # fmt: skip
"""Widths and depths of the students that are trained."""
IN_BF16 = ("minic3d", "r2plus1d", "cnn-gru")


def of_input() -> float:
    """Turning 24 stored clips of 16x112x112 into what a network takes."""
    data = noise(24, CLASSES, 16, 112)
    began = time.process_time()
    on_device(data.render()[0], CPU)
    return time.process_time() - began


def of_step(name: str, clips: int, steps: int, **precision: str) -> float:
    """A training step, the least of some, through the loop of every trial."""
    width, depth = STUDENTS[name]
    data, marks = noise(clips, CLASSES, FRAMES, SIZE), []
    student = build_student(name, CLASSES, FRAMES, SIZE, width, seed=0, depth=depth)
    recipe = Recipe(batch=clips, epochs=steps + 2, **precision)
    train_student(student, data, recipe, 0, CPU, lambda step, **_: marks.append(time.process_time()))
    return float(np.diff(marks)[1:].min())


def of_iteration(clips: int, iterations: int) -> float:
    """An iteration of ``mtt`` at IPC 1, the least of some."""
    path = {"experts": 1, "max_start": 0, "syn_steps": 10, "expert_batch": clips}
    settings = MTTSettings(iterations=iterations + 2, width=16, lr=1e-6, trajectory=path)
    train, marks = noise(3 * clips // 4 * CLASSES, CLASSES, FRAMES, SIZE), []
    with TemporaryDirectory() as folder:
        task = Task("noise", train, 1, 0, CPU, Assets(Path(folder), train, CPU), due=lambda: False,
                    report=lambda step, **_: marks.append(time.process_time()))  # fmt: skip
        MTT(settings).distill(task)
    return float(np.diff(marks)[1:].min())


def measured(clips: int, steps: int) -> dict[str, float]:
    """Processor seconds of everything, by this process's code."""
    has_precision = "precision" in Recipe.model_fields
    found = {f"training step of {name}": of_step(name, clips, steps) for name in STUDENTS}
    if processor_has_bfloat16():
        for name in IN_BF16:
            slow = has_precision and name != "cnn-gru"  # torch's own kernels: see vdbench.evaluation.precision
            how = {"precision": "bf16"} if has_precision else {}
            found[f"the same of {name}, in bf16"] = of_step(name, clips, 2 if slow else steps, **how)
    found["iteration of mtt, 8 classes, IPC 1"] = of_iteration(clips, max(2, steps // 4))
    return found | {"uint8 to input, 24 clips of 16x112x112": min(of_input() for _ in range(3))}  # the largest, last


def main() -> None:
    """Measure both versions in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=32, help="of a batch")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--base", metavar="COMMIT", default="5eb3ef8", help="or a folder of its sources")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each version")
    parser.add_argument("--here", action="store_true", help="print processor seconds of one version as JSON")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.here:
        keep_freed_memory()
        print(json.dumps(measured(asked.clips, asked.steps)))
        return
    best: dict[str, dict[str, float]] = {"before": {}, "now": {}}
    with sources(asked.base) as folder:
        for side, root in asked.rounds * (("before", folder), ("now", ROOT)):
            command = [sys.executable, __file__, "--here", f"--clips={asked.clips}", f"--steps={asked.steps}"]
            told = subprocess.run(command, env=by_code_of(root), stdout=subprocess.PIPE, check=True)
            for name, seconds in json.loads(told.stdout.splitlines()[-1]).items():
                best[side][name] = min(seconds, best[side].get(name, seconds))
    print("| work | before | now | |\n|---|---|---|---|")
    for name, now in best["now"].items():
        before = best["before"][name]
        print(f"| {name} | {1000 * before:.1f} ms | {1000 * now:.1f} ms | {before / now:.2f}x |")


if __name__ == "__main__":
    main()
