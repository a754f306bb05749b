"""Distribution matching: its loss against one written out class by class, its gradient, and what it does to clips."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import Watch
from vdbench.students import build_student
from vdbench.students.student import Student
from vdbench.testing import tiny_task
from vdbench_methods.dm import DM, DMSettings, accumulate_gradient, class_means, matching_loss
from vdbench_methods.learned import RealClips, initial_clips


def network(name: str = "minic3d") -> Student:
    return build_student(name, 3, 4, 16, 4, seed=1).eval().requires_grad_(False)


def literal(student: Student, real: list[torch.Tensor], clips: torch.Tensor, ipc: int) -> torch.Tensor:
    """Class by class, clip by clip."""
    total = torch.zeros((), dtype=clips.dtype)
    for label, own in enumerate(real):
        wanted = sum(student.embed(clip[None])[0] for clip in own) / len(own)
        learned = sum(student.embed(clip[None])[0] for clip in clips[label * ipc : (label + 1) * ipc]) / ipc
        for a, b in zip(wanted, learned, strict=True):
            total = total + (a - b) ** 2
    return total


@pytest.mark.parametrize("clips_per_pass", [1, 2, 5, 7, 1000])
@pytest.mark.parametrize("name", ["minic3d", "cnn-gru"])
def test_batched_loss_and_gradient_equal_the_literal_ones(tmp_path: Path, clips_per_pass: int, name: str) -> None:
    task, ipc, student = tiny_task(tmp_path, ipc=2), 2, network(name)
    real = RealClips(task.train, task.device)
    rows = [real.rows[0][:5], real.rows[1][2:4], real.rows[2]]  # classes of different size
    start = initial_clips(task, "real", ipc)[0]
    slow = start.clone().requires_grad_()
    expected = literal(student, [real.render(some) for some in rows], slow, ipc)
    torch.autograd.backward(expected)
    fast = start.clone().requires_grad_()
    means = class_means(student, real, rows, clips_per_pass)
    found = accumulate_gradient(student, means, fast, ipc, clips_per_pass)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(fast.grad, slow.grad, rtol=1e-3, atol=1e-7)


def test_a_set_that_is_the_class_has_no_loss(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    real, student = RealClips(task.train, task.device), network()
    rows = [some[:9] for some in real.rows]
    clips = real.render(np.concatenate(rows))
    assert float(matching_loss(student, class_means(student, real, rows, 7), clips, 9)) < 1e-10


def test_it_brings_the_clips_closer_to_their_classes(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    learned = DM(DMSettings(iterations=100, width=8, lr=100, real=15, student="cnn-gru")).distill(task)
    real = RealClips(task.train, task.device)

    def loss(clips: torch.Tensor) -> float:
        """Mean over networks that it did not learn through."""
        students = [build_student("cnn-gru", 3, 4, 16, 8, seed) for seed in range(20)]
        means = [class_means(student, real, real.rows, 99) for student in students]
        found = [float(matching_loss(s, m, clips, 1).detach()) for s, m in zip(students, means, strict=True)]
        return float(np.mean(found))

    assert loss(learned.render()[0]) < 0.9 * loss(initial_clips(task, "real", 1)[0])
    assert learned.record.provenance.pool == "learned"
    assert learned.render()[0].dtype == torch.float32


def test_every_iteration_sees_a_fresh_network(tmp_path: Path, watched: Watch) -> None:
    fresh = watched(DMSettings, "fresh_student")
    DM(DMSettings(iterations=5, width=4)).distill(tiny_task(tmp_path))
    assert len({seed for (_, _, seed, _), _ in fresh.call_args_list}) == fresh.call_count == 5
