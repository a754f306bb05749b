"""Single frames learned on trajectories: what is shown, what is stored, and the gradient that reaches a frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from vdbench.seeding import seed_of
from vdbench.students import build_student
from vdbench.testing import tiny_task
from vdbench_methods.experts import weights_at
from vdbench_methods.learned import initial_clips
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.sfvd import SFVD, Stills
from vdbench_methods.trajectories import Matching

FEW = {"experts": 2, "expert_batch": 12, "max_start": 1, "syn_steps": 3, "syn_batch": 4, "lr_step_size": 1e-4}


def settings(**changes: Any) -> MTTSettings:
    return MTTSettings.model_validate({"iterations": 3, "width": 4, "lr": 10, "trajectory": FEW, **changes})


def test_untrained_clips_show_the_first_frames_of_those_that_random_picks(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2)
    made = SFVD(settings(iterations=0)).distill(task)
    first = initial_clips(task, "real", 2)[0][:, :, :1]
    assert torch.equal(made.render()[0], first.expand(-1, -1, 4, -1, -1))
    assert made.record.provenance.reconstruction


def test_one_frame_per_clip_is_learned_and_stored(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2)
    made = SFVD(settings()).distill(task)
    assert made.tensors["frames"].shape == (6, 3, 16, 16)
    assert made.stored_bytes == 6 * (4 * 3 * 16 * 16 + 4) == SFVD(settings()).stored_bytes(task)
    clips, start = made.render()[0], initial_clips(task, "real", 2)[0]
    assert all(torch.equal(clips[:, :, t], clips[:, :, 0]) for t in range(4))
    assert all(not torch.equal(clip[:, 0], begun[:, 0]) for clip, begun in zip(clips, start, strict=True))
    assert made.record.step_size != 0.01


def test_its_experts_are_those_of_mtt(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    assert SFVD(settings()).needs(task) == MTT(settings()).needs(task)


def test_the_gradient_in_frames_and_step_size_is_that_of_plain_unrolling(tmp_path: Path) -> None:
    """All steps in one graph, from one frame of each clip to the expert's weights an epoch later."""
    task = tiny_task(tmp_path, ipc=2)
    frames, labels = initial_clips(task, "noise", 2)[0][:, :, 0].contiguous(), torch.arange(3).repeat_interleave(2)
    chosen = settings(student="cnn-gru").trajectory
    matching = Matching(chosen, task, "cnn-gru", 4)
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    found = torch.zeros_like(frames)
    batches = matching.batches(rng, 6)
    match = matching.follow(rng, Stills(frames, found, labels, batches, times=4))

    rows = Matching(chosen, task, "cnn-gru", 4).batches(again, 6)
    path = task.assets.get(chosen.specs(task, "cnn-gru", 4)[int(again.integers(2))])
    epoch = int(again.integers(2))
    seed_of(again)
    start, goal = weights_at(path, epoch), weights_at(path, epoch + 1)
    student = build_student("cnn-gru", 3, 4, 16, 4, 0)
    shapes = {name: weights.shape for name, weights in student.named_parameters()}
    leaf, step_size, here = frames.clone().requires_grad_(), torch.tensor(0.01, requires_grad=True), start.clone()
    here.requires_grad_()
    for some in rows:
        parts = torch.split(here, [shape.numel() for shape in shapes.values()])
        named = {name: part.view(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}
        clips = torch.stack([leaf[some]] * 4, dim=2)
        loss = cross_entropy(torch.func.functional_call(student, named, (clips,)), labels[some])
        (slope,) = torch.autograd.grad(loss, here, create_graph=True)
        here = here - step_size * slope
    expected = (here - goal).square().sum() / (start - goal).square().sum()
    by_frames, by_step_size = torch.autograd.grad(expected, (leaf, step_size))
    assert float(match.loss) == pytest.approx(float(expected.detach()), rel=1e-4)
    torch.testing.assert_close(match.step_size, by_step_size, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found, by_frames, rtol=1e-2, atol=1e-3 * float(by_frames.abs().max()))
