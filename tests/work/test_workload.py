"""How long work takes, told from a few tries."""

import time
from pathlib import Path

import pytest
import torch

from vdbench.extensions import kinds
from vdbench.testing import tiny_clips
from vdbench.work.workload import Work, seconds_of, training

DEPTHWISE = """
import torch
from vdbench.students.student import Student

class Depthwise(Student):
    name = "depthwise"
    default_width = 64
    def __init__(self, num_classes, frames, size, width):
        super().__init__(num_classes, frames, size, width)
        self.stem = torch.nn.Conv3d(3, width, 1)
        self.blocks = torch.nn.Conv3d(width, width, 3, padding=1, groups=width)
        self.classifier = torch.nn.Linear(width, num_classes)
    def embed(self, clips):
        return self.blocks(self.stem(clips)).mean(dim=(2, 3, 4))
    def forward(self, clips):
        return self.classifier(self.embed(clips))
"""

CPU = torch.device("cpu")


def test_the_first_try_and_the_batch_do_not_mislead() -> None:
    tries: list[int] = []

    def spin(items: int) -> None:
        tries.append(items)
        end = time.process_time() + 0.002 * items + (0.05 if len(tries) == 1 else 0)
        while time.process_time() < end:
            pass

    assert 0.02 <= seconds_of(Work(("spin",), lambda: spin, 10, 5), CPU) < 0.045
    assert tries == [1, 1, 10]


def test_what_would_take_long_is_counted_and_not_done() -> None:
    def never(items: int) -> None:
        raise AssertionError("it was tried")

    assert seconds_of(Work(("huge",), lambda: never, 2, 1, lambda: 1e12), CPU) > 1


def test_a_step_of_a_network_with_grouped_convolutions_takes_at_most_three_times_its_forward_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FlopCounterMode of torch 2.13.0 counts each of their weights' gradients as often as there are groups."""
    monkeypatch.setattr(kinds, "in_use", {})
    (tmp_path / "depthwise.py").write_text(DEPTHWISE)
    kinds.use([tmp_path / "depthwise.py"])
    clips = tiny_clips(frames=8, size=64)
    operations = training(clips, "depthwise", None, 4, 1, CPU).operations
    assert operations is not None
    forward = 2 * 64 * (8 * 64 * 64 * (3 + 27) + len(clips.classes))
    assert 2 * forward <= operations() <= 3 * forward
