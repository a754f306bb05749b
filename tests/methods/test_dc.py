"""Gradient matching: its distance against a slow one and the public numbers, its gradient, and its loops."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.formulas import sequence
from vdbench.students import build_student
from vdbench.students.student import Student
from vdbench.testing import tiny_task
from vdbench_methods import siamese
from vdbench_methods.dc import DC, DCSettings, accumulate_gradient, distance, real_gradient, train_network
from vdbench_methods.learned import RealClips, initial_clips

SHAPES = [(4, 3, 3, 3), (4,), (5, 7), (5,), (2, 3, 4)]


def network(name: str = "minic3d") -> Student:
    return build_student(name, 3, 4, 16, 4, seed=1).eval()


def tensors(shapes: list[tuple[int, ...]], first: int = 0) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The real and the learned gradient of the public example."""
    real, learned = [], []
    for k, shape in enumerate(shapes, first):
        i = sequence(int(np.prod(shape)))
        real.append(torch.sin(0.37 * i + 0.1 + k).view(shape))
        learned.append((torch.sin(0.37 * i + 0.4 + k) + 0.5 * torch.cos(0.91 * i + 0.2 * k)).view(shape))
    return real, learned


def literal(real: list[torch.Tensor], learned: list[torch.Tensor]) -> torch.Tensor:
    """Output channel by output channel."""
    total = torch.zeros((), dtype=real[0].dtype)
    for a, b in zip(real, learned, strict=True):
        for one, other in zip(a, b, strict=True) if a.ndim > 1 else ():
            dot = sum(x * y for x, y in zip(one.flatten(), other.flatten(), strict=True))
            total = total + 1 - dot / (one.square().sum().sqrt() * other.square().sum().sqrt() + 1e-6)
    return total


def test_the_distance_is_that_of_the_public_code() -> None:
    real, learned = tensors(SHAPES)
    for part in learned:
        part.requires_grad_()
    found = distance(real, learned)
    torch.autograd.backward(found)
    assert found.item() == pytest.approx(1.5927325921704791, abs=1e-12)
    norms = [0.0 if part.grad is None else float(part.grad.norm()) for part in learned]
    assert norms == pytest.approx([0.2550290497277149, 0.0, 0.5636597222808123, 0.0, 0.26907308357949283], abs=1e-12)
    for shape, expected in zip(SHAPES, [0.5901257915123175, 0, 0.7160446194802754, 0, 0.2865621811778861], strict=True):
        k = SHAPES.index(shape)
        if expected:
            assert distance(*tensors([shape], first=k)).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("along", "expected"), [("channels", 0.4313641502035893), ("kernel-rows", 5.897304706576888)])
def test_the_distance_of_3d_kernels_by_channel_and_as_the_public_code_has_it(along: str, expected: float) -> None:
    assert distance(*tensors([(3, 2, 2, 3, 4)], first=5), along=along).item() == pytest.approx(expected, abs=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("clips_per_pass", [2, 1000])
@pytest.mark.parametrize("name", ["minic3d", "cnn-gru"])
def test_loss_and_gradient_equal_the_literal_ones(tmp_path: Path, clips_per_pass: int, name: str) -> None:
    task, student = tiny_task(tmp_path, ipc=2), network(name)
    real, settings = RealClips(task.train, task.device), DCSettings(real=5, clips_per_pass=clips_per_pass)
    start, labels = initial_clips(task, "real", 2)
    slow, fast = start.clone().requires_grad_(), start.clone().requires_grad_()
    rng, expected = np.random.default_rng(3), torch.zeros(())
    for label in range(3):
        rows = real.draw(rng, label, 5)
        sides = []
        for clips in (real.render(rows), slow[labels == label]):
            loss = cross_entropy(student(clips), torch.full((len(clips),), label))
            sides.append(torch.autograd.grad(loss, list(student.parameters()), create_graph=True))
        expected = expected + literal([part.detach() for part in sides[0]], list(sides[1]))
    torch.autograd.backward(expected, inputs=[slow])
    found = accumulate_gradient(student, real, fast, 2, settings, np.random.default_rng(3))
    torch.testing.assert_close(found, expected.detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(fast.grad, slow.grad, rtol=1e-3, atol=1e-6)
    assert all(weights.grad is None for weights in student.parameters())


def test_clips_that_are_the_class_have_no_loss(tmp_path: Path) -> None:
    task, student = tiny_task(tmp_path), network()
    real = RealClips(task.train, task.device)
    rows = real.rows[1]
    change = siamese.drawn(np.random.default_rng(0))
    once, again = (real_gradient(student, real, rows, 1, change, size) for size in (5, 99))
    assert distance(once, again).item() == pytest.approx(0, abs=1e-2)  # of some hundred rows
    assert distance(once, [-part for part in again]).item() > 10


def test_real_and_learned_clips_go_through_the_same_change(tmp_path: Path) -> None:
    """Clips that are the whole class have its gradient, however both are changed, and nothing to learn."""
    whole, student = tiny_task(tmp_path), network()
    train = whole.train.some(np.concatenate([whole.train.rows_of(label)[:4] for label in range(3)]))
    real, shown = RealClips(train, whole.device), train.render()[0]

    def slope(clips: torch.Tensor, seed: int) -> float:
        learned = clips.clone().requires_grad_()
        accumulate_gradient(student, real, learned, 4, DCSettings(augment=True), np.random.default_rng(seed))
        assert learned.grad is not None
        return float(learned.grad.norm())

    for seed in range(6):
        assert slope(shown, seed) < 0.02 * slope(shown.flip(0), seed)


def test_it_brings_gradients_closer(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    settings = DCSettings(iterations=40, width=4, lr=10, real=15, student="cnn-gru", init="noise")
    learned = DC(settings).distill(task)
    real = RealClips(task.train, task.device)

    def loss(clips: torch.Tensor) -> float:
        """Mean over networks that it did not learn through."""
        students = [build_student("cnn-gru", 3, 4, 16, 4, seed).eval() for seed in range(8)]
        shown, rng = clips.clone().requires_grad_(), np.random.default_rng(0)
        return float(np.mean([accumulate_gradient(s, real, shown, 1, settings, rng).item() for s in students]))

    assert loss(learned.render()[0]) < 0.95 * loss(initial_clips(task, "noise", 1)[0])
    assert learned.record.provenance.pool == "learned"


def test_loops_are_the_published_ones() -> None:
    published = {1: (1, 1), 5: (1, 1), 10: (10, 50), 20: (20, 25), 30: (30, 20), 40: (40, 15), 50: (50, 10)}
    assert {ipc: DCSettings().loops(ipc) for ipc in published} == published
    assert DCSettings(updates=3).loops(20) == (3, 25)


def test_the_network_learns_the_clips_between_updates(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=3)
    clips, labels = initial_clips(task, "real", 3)
    student, settings = network("cnn-gru"), DCSettings(network_lr=0.1, network_batch=4)
    before = cross_entropy(student(clips), labels).item()
    train_network(student, clips, labels, settings, 30, np.random.default_rng(0))
    assert cross_entropy(student(clips), labels).item() < 0.8 * before
    assert not student.training


def two_clips() -> torch.Tensor:
    """Two clips of noise, 3 frames of 16x16."""
    return torch.randn(2, 3, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_every_change_is_of_one_kind_and_alike_for_all_frames_and_both_sides() -> None:
    kinds, clips = set(), two_clips()
    for seed in range(60):
        change = siamese.drawn(np.random.default_rng(seed))
        assert torch.equal(change(clips), change(clips))
        still = clips[:, :, :1].expand(-1, -1, 3, -1, -1)
        changed = change(still)
        torch.testing.assert_close(changed, changed[:, :, :1].expand_as(changed))  # it moves nothing in time
        apart = torch.cat([change(clip[None]) for clip in clips])
        torch.testing.assert_close(change(clips), apart)  # no clip's change depends on the others
        values = torch.unique(change(torch.ones(1, 3, 1, 16, 16)))
        kinds.add("zeros" if 0 in values else "level")
        assert change(clips).shape == clips.shape
    assert kinds == {"zeros", "level"}


def test_changes_pass_gradients_on() -> None:
    clips = two_clips()[:, :, :1, :6, :6].clone().requires_grad_()
    for seed in range(12):
        assert torch.autograd.gradcheck(siamese.drawn(np.random.default_rng(seed)), (clips,))
