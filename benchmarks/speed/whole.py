"""Clips per second that a MiniC3D is trained on, from a split that is too large to stay on a GPU as network input.

``gpu.py`` runs it by this code and by an earlier version's, with ``PYTHONPATH``; it prints one JSON document.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from contextlib import suppress
from pathlib import Path

import torch

sys.path.extend(str(Path(__file__).resolve().parents[2] / part) for part in ("", "methods"))

from marks import EnoughError, Marks
from noise import coloured

try:  # an earlier version first, for --base: see noise.py
    from vdbench.train import Recipe, train_student
except ImportError:
    from vdbench.evaluation.train import Recipe, train_student
import vdbench
from vdbench.experiment.worker import reproducibly
from vdbench.students import build_student


def clips_per_second(asked: argparse.Namespace) -> float:
    """Train until it was measured for long enough."""
    device, batch = torch.device(asked.device), min(asked.batch, asked.clips)
    data = coloured(asked.clips // batch * batch, asked.classes, asked.frames, asked.size)
    student = build_student("minic3d", asked.classes, asked.frames, asked.size, asked.width, seed=0)
    if "after_step" in inspect.signature(train_student).parameters:
        marks = Marks(device, max(1, min(10, asked.steps // 3)), asked.seconds)
        heard = {"after_step": marks}
    else:  # the earlier version tells of every epoch, whose batches are all full
        marks = Marks(device, most=asked.seconds)
        heard = {"report": lambda step, **_: marks(step, step * batch)}
    recipe = Recipe(batch=batch, epochs=asked.steps, max_steps=asked.steps, lr=asked.lr)
    with suppress(EnoughError), reproducibly():
        train_student(student, data, recipe, 0, device, **heard)
    return marks.whole.clips / marks.whole.seconds


def main() -> None:
    """Measure, and say by which code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--clips", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.0001)
    parser.add_argument("--steps", type=int, default=1000, help="at most")
    parser.add_argument("--seconds", type=float, default=20, help="that are measured at most, by the next epoch")
    asked = parser.parse_args()
    told = {"code": str(Path(vdbench.__file__).resolve().parents[1]), "clips_per_second": clips_per_second(asked)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
