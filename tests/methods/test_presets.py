"""The presets of the suite ``quick`` on clips that they were not chosen on: planted worlds of few and more classes."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vdbench.clips.clipset import ClipSet, pixel_statistics
from vdbench.experiment.suite import load_suite, merged
from vdbench.method import Task
from vdbench.registry import Registry
from vdbench.work.assets import Assets
from vdbench_methods.step_size import SMALLEST_STEP


def planted(classes: int, per_class: int = 40, frames: int = 4, size: int = 16) -> ClipSet:
    """Clips of a smooth texture per class that drifts, under another texture of each clip's own and some noise."""
    rng = np.random.default_rng(classes)
    of_class = _textures(rng, classes, size)
    labels = np.repeat(np.arange(classes), per_class)
    own = _textures(rng, len(labels), size)
    drift = rng.integers(-2, 3, len(labels))
    clips = np.empty((len(labels), frames, size, size, 3), dtype=np.uint8)
    for number, label in enumerate(labels):
        for time in range(frames):
            shown = np.roll(of_class[label], drift[number] * time, axis=1) + 0.7 * own[number]
            noisy = 120 + 45 * shown + rng.normal(0, 8, shown.shape)
            clips[number, time] = noisy.clip(0, 255)
    names = tuple(f"class-{label}" for label in range(classes))
    ids = tuple(f"clip-{number}" for number in range(len(labels)))
    fingerprint = hashlib.sha256(clips.tobytes()).hexdigest()[:16]
    return ClipSet(clips, labels, names, ids, ids, pixel_statistics(clips), fingerprint)


def _textures(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Smooth noise of unit variance, ``(count, size, size, 3)``."""
    rough = gaussian_filter(rng.standard_normal((count, size, size, 3)), (0, 2, 2, 0), mode="wrap")
    return rough / rough.std(axis=(1, 2, 3), keepdims=True)


def learned(method: str, train: ClipSet, ipc: int, folder: Path, **changes: Any) -> tuple[list[float], float]:
    """The matching losses, and the step size in the end."""
    chosen = {"base": "mtt"} if method == "vdsd" else {}
    settings = merged(load_suite("quick").prescribed(method, "of-my-own", ipc, chosen), chosen | changes)
    losses: list[float] = []

    def report(step: int, **numbers: float) -> None:
        if "step_size" in numbers:
            losses.append(numbers["loss"])

    device = torch.device("cpu")
    task = Task("of-my-own", train, ipc, 0, device, Assets(folder, train, device), report, folder / "checkpoints")
    step_size = Registry().configure(method, None, settings).distill(task).record.step_size
    assert step_size is not None
    return losses, step_size


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mtt", "vdsd"])
@pytest.mark.parametrize(("classes", "ipc"), [(2, 1), (2, 5), (8, 1), (2, 50)])
def test_students_come_nearer_to_their_goal_and_the_step_size_is_off_its_bound(
    tmp_path: Path, method: str, classes: int, ipc: int
) -> None:
    losses, step_size = learned(method, planted(classes, max(40, ipc + 10)), ipc, tmp_path)
    last = losses[-len(losses) // 4 :]
    assert sum(last) / len(last) < 1
    assert step_size > 2 * SMALLEST_STEP
