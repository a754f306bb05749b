"""Experts: plain gradient descent on the train split, stored epoch by epoch and shared."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.testing import tiny_clips, tiny_task
from vdbench_methods.experts import Expert, weights_at
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.trajectories import TrajectorySettings

SMALL = TrajectorySettings(experts=3, expert_batch=12, max_start=2, syn_steps=5, syn_batch=2)


def test_an_expert_is_a_true_copy_of_every_epoch(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    spec = Expert(student="minic3d", width=4, epochs=4, lr=0.05, batch=12, number=1)
    path = task.assets.get(spec)
    stored = load_file(path)["epochs"]
    assert len(stored) == 5
    assert all(not torch.equal(a, b) for i, a in enumerate(stored) for b in stored[:i])
    for epoch in range(5):
        assert torch.equal(weights_at(path, epoch), stored[epoch])
    from vdbench.seeding import generator, seed_of

    seed = seed_of(generator(1, "expert"))
    student = build_student("minic3d", 3, 4, 16, 4, seed)
    assert torch.equal(stored[0], torch.nn.utils.parameters_to_vector(student.parameters()).detach())
    recipe = Recipe(lr=0.05, momentum=0, weight_decay=0, decay=1, epochs=4, batch=12)
    train_student(student, tiny_clips(), recipe, seed, task.device)
    assert torch.equal(stored[-1], torch.nn.utils.parameters_to_vector(student.parameters()).detach())


def test_experts_are_plain_gradient_descent(tmp_path: Path) -> None:
    """One epoch of one batch is one step against the gradient."""
    task = tiny_task(tmp_path)
    stored = load_file(task.assets.get(Expert(student="cnn-gru", width=4, epochs=2, lr=0.1, batch=36, number=0)))[
        "epochs"
    ]
    student = build_student("cnn-gru", 3, 4, 16, 4, 0)
    for before, after in zip(stored, stored[1:], strict=False):
        torch.nn.utils.vector_to_parameters(before, student.parameters())
        clips, labels = task.train.render()
        slopes = torch.autograd.grad(cross_entropy(student(clips), labels), list(student.parameters()))
        step = torch.cat([slope.flatten() for slope in slopes])
        torch.testing.assert_close(after, before - 0.1 * step, rtol=1e-4, atol=1e-6)


def test_only_epochs_that_are_read_are_stored_and_experts_are_shared(tmp_path: Path) -> None:
    method = MTT(MTTSettings(width=4, trajectory=SMALL))
    specs = method.needs(tiny_task(tmp_path, ipc=1, seed=0))
    assert specs == method.needs(tiny_task(tmp_path, ipc=5, seed=3))
    assert [spec.number for spec in specs] == [0, 1, 2]
    assert {spec.epochs for spec in specs} == {3}


def test_experts_on_batches_that_are_standardised_take_other_steps(tmp_path: Path) -> None:
    """One step on the whole split: against the gradient on its clips less their mean, over their deviation."""
    task = tiny_task(tmp_path)
    spec = Expert(student="cnn-gru", width=4, epochs=1, lr=0.1, batch=36, number=0, standardise="batch")
    before, after = load_file(task.assets.get(spec))["epochs"]
    student = build_student("cnn-gru", 3, 4, 16, 4, 0)
    torch.nn.utils.vector_to_parameters(before, student.parameters())
    clips, labels = task.train.render()
    shown = (clips - clips.mean()) / clips.std()
    slopes = torch.autograd.grad(cross_entropy(student(shown), labels), list(student.parameters()))
    step = torch.cat([slope.flatten() for slope in slopes])
    torch.testing.assert_close(after, before - 0.1 * step, rtol=1e-4, atol=1e-6)


def test_switches_that_came_later_leave_trials_and_experts_what_they_were(tmp_path: Path) -> None:
    later = {"expert_standardise": "batch", "batches_from": "last", "momentum_step_size": 0.9}
    assert not set(later) & set(TrajectorySettings().identity())
    assert later.items() <= TrajectorySettings.model_validate(later).identity().items()
    task = tiny_task(tmp_path)
    usual, other = (TrajectorySettings.model_validate(chosen).specs(task, "minic3d", 4)[0] for chosen in ({}, later))
    assert set(usual.identity()["fields"]) == {"student", "width", "epochs", "lr", "batch", "number"}
    assert other.identity()["fields"] == usual.identity()["fields"] | {"standardise": "batch"}
    assert task.assets.folder(usual) != task.assets.folder(other)
