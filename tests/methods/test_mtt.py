"""Trajectory matching: its gradient against plain unrolling, memory that does not grow, and what experts are."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.conftest import Watch
from vdbench.students import build_student
from vdbench.testing import tiny_task
from vdbench_methods import trajectories
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.step_size import SMALLEST_STEP
from vdbench_methods.trajectories import (
    Match,
    Matching,
    TrajectorySettings,
    graph_bytes,
    kept_graphs,
    match_trajectory,
)

SMALL = TrajectorySettings(experts=3, expert_batch=12, max_start=2, syn_steps=5, syn_batch=2)
Loss = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]


def inner_loss(dtype: torch.dtype = torch.float64) -> tuple[Loss, torch.Tensor]:
    """A small MiniC3D as a function of its weights, and some weights."""
    student = build_student("minic3d", 3, 2, 8, 2, seed=0).to(dtype).eval()
    named = dict(student.named_parameters())
    weights = torch.cat([p.detach().flatten() for p in named.values()])

    def loss(flat: torch.Tensor, clips: torch.Tensor, step: int) -> torch.Tensor:
        parts = torch.split(flat, [p.numel() for p in named.values()])
        own = {name: part.view(p.shape) for (name, p), part in zip(named.items(), parts, strict=True)}
        labels = torch.arange(len(clips)) % 3
        return cross_entropy(torch.func.functional_call(student, own, (clips,)), labels)

    return loss, weights


def world(steps: int) -> tuple[Loss, torch.Tensor, torch.Tensor, list[torch.Tensor], torch.Tensor]:
    loss, start = inner_loss()
    generator = torch.Generator().manual_seed(1)
    goal = start + 0.1 * torch.randn(start.shape, generator=generator, dtype=start.dtype)
    clips = [torch.randn(4, 3, 2, 8, 8, generator=generator, dtype=start.dtype) for _ in range(steps)]
    return loss, start, goal, clips, torch.tensor(0.3, dtype=start.dtype)


@dataclass
class Shown:
    """Steps on clips that are all there, and the gradients in them."""

    shown: list[torch.Tensor]
    labels: torch.Tensor

    def __post_init__(self) -> None:
        self.found = [torch.zeros_like(clips) for clips in self.shown]

    def __len__(self) -> int:
        return len(self.shown)

    def clips(self, step: int) -> torch.Tensor:
        return self.shown[step]

    def targets(self, step: int) -> torch.Tensor:
        return self.labels

    def add(self, step: int, gradient: torch.Tensor) -> None:
        self.found[step] += gradient


def followed(
    loss: Loss, start: torch.Tensor, goal: torch.Tensor, clips: list[torch.Tensor], size: torch.Tensor, kept: int = 0
) -> tuple[Match, list[torch.Tensor]]:
    """Ours, with the gradients in the clips of every step."""
    steps = Shown(clips, torch.empty(0))
    return match_trajectory(loss, start, goal, steps, size, kept), steps.found


def unrolled(loss: Loss, start: torch.Tensor, goal: torch.Tensor, clips: list[torch.Tensor], size: torch.Tensor):  # type: ignore[no-untyped-def]
    """The definition, with the graph of all steps in memory."""
    here = start.clone().requires_grad_()
    for step, shown in enumerate(clips):
        (slope,) = torch.autograd.grad(loss(here, shown, step), here, create_graph=True)
        here = here - size * slope
    return (here - goal).square().sum() / (start - goal).square().sum()


@pytest.mark.parametrize("kept", [0, 1, 9])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_gradient_equals_that_of_plain_unrolling(steps: int, kept: int) -> None:
    loss, start, goal, clips, size = world(steps)
    leaves = [shown.clone().requires_grad_() for shown in clips]
    learned = size.clone().requires_grad_()
    expected = unrolled(loss, start, goal, leaves, learned)
    by_size, *by_clips = torch.autograd.grad(expected, [learned, *leaves])
    match, found = followed(loss, start, goal, clips, size, kept)
    torch.testing.assert_close(match.loss, expected.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(match.step_size, by_size, rtol=1e-9, atol=1e-15)
    for mine, theirs in zip(found, by_clips, strict=True):
        assert float(theirs.abs().max()) > 0
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-14)


def test_graphs_may_take_what_a_gpu_has_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trajectories, "spare_bytes", lambda device: 2 * trajectories.GRAPH_BYTES)
    assert trajectories.graph_room(torch.device("cpu")) == trajectories.GRAPH_BYTES
    assert trajectories.graph_room(torch.device("cuda")) == 2 * trajectories.GRAPH_BYTES


@pytest.mark.parametrize("name", ["minic3d", "cnn-gru", "r2plus1d", "video-vit"])
def test_kept_graphs_give_the_bits_of_steps_that_are_taken_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    task = tiny_task(tmp_path, ipc=2)
    settings = MTTSettings(iterations=3, student=name, width=8, trajectory=SMALL)
    kept: list[int] = []

    def learned(room: int) -> torch.Tensor:
        monkeypatch.setattr(trajectories, "GRAPH_BYTES", room)
        return MTT(settings).distill(replace(task, checkpoints=tmp_path / str(room))).tensors["clips"]

    def noted(*arguments: Any) -> int:
        kept.append(kept_graphs(*arguments))
        return kept[-1]

    monkeypatch.setattr(trajectories, "kept_graphs", noted)
    none = learned(0)
    assert torch.equal(learned(1 << 25), none)
    assert torch.equal(learned(1 << 40), none)
    rounds_otherwise = name in ("cnn-gru", "r2plus1d", "video-vit")  # their norms do, with a graph: none is kept
    assert (kept[0], kept[2] > 4) == (0, not rounds_otherwise)


def test_the_bytes_of_a_graph_are_those_that_it_keeps_from_being_freed() -> None:
    loss, start, _, clips, _ = world(1)
    wide = [clips[0].repeat(8, *[1] * (clips[0].ndim - 1))]
    narrow, more = (graph_bytes(loss, start, Shown(shown, torch.empty(0)))[1] for shown in (clips, wide))
    assert narrow >= clips[0].numel() * clips[0].element_size()
    assert narrow < more


PEAK = """
import sys, torch
from vdbench.work.measure import measured
from vdbench_methods.trajectories import match_trajectory
from vdbench.students import build_student
from torch.nn.functional import cross_entropy
torch.set_num_threads(1)
student = build_student("minic3d", 8, 8, 32, 8, 0).eval()
named = dict(student.named_parameters())
start = torch.cat([p.detach().flatten() for p in named.values()])
def loss(flat, clips, step):
    parts = torch.split(flat, [p.numel() for p in named.values()])
    own = {n: part.view(p.shape) for (n, p), part in zip(named.items(), parts)}
    return cross_entropy(torch.func.functional_call(student, own, (clips,)), torch.arange(len(clips)) % 8)
steps, leaf = int(sys.argv[1]), torch.randn(64, 3, 8, 32, 32)
def unrolled():
    here = start.clone().requires_grad_()
    own = leaf.clone().requires_grad_()
    for step in range(steps):
        slope, = torch.autograd.grad(loss(here, own[torch.arange(64)], step), here, create_graph=True)
        here = here - 0.01 * slope
    torch.autograd.grad(here.square().sum(), own)
class Steps:
    def __init__(self): self.gradient = torch.zeros_like(leaf)
    def __len__(self): return steps
    def clips(self, step): return leaf[torch.arange(64)]
    def add(self, step, gradient): self.gradient += gradient
def ours():
    match_trajectory(loss, start, start + 1, Steps(), torch.tensor(0.01))
with measured(torch.device("cpu")) as cost:
    unrolled() if sys.argv[2] == "unrolled" else ours()
print(cost.peak_memory)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_steps() -> None:
    def peak(steps: int, how: str) -> int:
        command = [sys.executable, "-c", PEAK, str(steps), how]
        # Freed tensors go back to the system at once: glibc's own choice of what to keep moves a peak by 20 MiB.
        system = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
        return int(subprocess.run(command, capture_output=True, text=True, check=True, env=system).stdout)

    few, many, plain = peak(2, "ours"), peak(20, "ours"), peak(20, "unrolled")
    assert many - few < 20 * 2**20
    assert plain - few > 200 * 2**20


@pytest.mark.parametrize(("clips", "batch", "steps", "epochs"), [
    (36, 12, None, 2), (36, 12, 1, 1), (36, 12, 6, 2), (36, 12, 7, 2), (36, 12, 8, 3), (36, 256, 5, 5), (76, 8, 40, 4),
    (328, 8, 40, 1), (9500, 8, 40, 1),
])  # fmt: skip
def test_a_stretch_is_whole_epochs_of_about_so_many_steps(
    clips: int, batch: int, steps: int | None, epochs: int
) -> None:
    settings = TrajectorySettings(expert_batch=batch, expert_epochs=2, expert_steps=steps)
    assert settings.stretch(clips) == epochs


def test_a_student_has_to_arrive_where_its_stretch_ends(tmp_path: Path, watched: Watch) -> None:
    task, read = tiny_task(tmp_path), watched(trajectories, "weights_at")
    settings = SMALL.model_copy(update={"syn_steps": 1, "max_start": 1, "expert_steps": 9})  # of three an epoch
    matching = Matching(settings, task, "minic3d", 4)
    clips, labels = task.train.render(torch.tensor([0, 1]))
    for number in range(8):
        matching.follow(np.random.default_rng(number), Shown([clips], labels))
    asked = [epoch for (_, epoch), _ in read.call_args_list]
    assert {(start, goal) for start, goal in zip(asked[::2], asked[1::2], strict=True)} == {(0, 3), (1, 4)}


def test_every_expert_and_every_start_is_used(tmp_path: Path, watched: Watch) -> None:
    read, task = watched(trajectories, "weights_at"), tiny_task(tmp_path)
    matching = Matching(SMALL.model_copy(update={"syn_steps": 1}), task, "minic3d", 4)
    clips, labels = task.train.render(torch.tensor([0, 1]))
    for number in range(60):
        matching.follow(np.random.default_rng(number), Shown([clips], labels))
    asked = [arguments for arguments, _ in read.call_args_list]
    assert len({path.parent.name for path, _ in asked}) == 3
    assert {epoch for _, epoch in asked} == {0, 1, 2, 3}


@pytest.mark.parametrize(("clips", "batch", "steps"), [(6, 2, 5), (6, 4, 5), (3, 256, 4), (7, 3, 3)])
def test_steps_go_through_the_clips_epoch_by_epoch(tmp_path: Path, clips: int, batch: int, steps: int) -> None:
    settings = SMALL.model_copy(update={"syn_batch": batch, "syn_steps": steps})
    batches = Matching(settings, tiny_task(tmp_path), "minic3d", 4).batches(np.random.default_rng(0), clips)
    assert len(batches) == steps
    per_epoch = -(-clips // min(batch, clips))
    for first in range(0, steps - per_epoch + 1, per_epoch):
        shown = torch.cat(batches[first : first + per_epoch]).tolist()
        assert sorted(shown) == list(range(clips))
    assert all(len(rows) <= batch for rows in batches)


def test_batches_are_taken_from_the_last_one_where_the_public_code_is_followed(tmp_path: Path) -> None:
    """Its loop, word by word: what is left of a random order is a list, and a step pops its last piece."""
    settings = SMALL.model_copy(update={"syn_batch": 4, "syn_steps": 7, "batches_from": "last"})
    found = Matching(settings, tiny_task(tmp_path), "minic3d", 4).batches(np.random.default_rng(0), 6)
    rng = np.random.default_rng(0)
    pieces: list[list[int]] = []
    for rows in found:
        if not pieces:
            order = rng.permutation(6).tolist()
            pieces = [order[:4], order[4:]]
        assert rows.tolist() == pieces.pop()
    assert [len(rows) for rows in found] == [2, 4, 2, 4, 2, 4, 2]


@pytest.mark.parametrize(("own", "expected"), [(None, 0.5), (0.9, 0.9), (0.0, 0.0)])
def test_the_step_size_has_a_momentum_of_its_own(tmp_path: Path, own: float | None, expected: float) -> None:
    """Two updates by the same gradient: the second is longer by the momentum."""
    settings = SMALL.model_copy(update={"momentum_step_size": own, "lr_step_size": 1e-3, "step_size": 0.5})
    matching = Matching(settings, tiny_task(tmp_path), "minic3d", 4)
    optimiser, seen = matching.step_size_descent(0.5), [0.5]
    for _ in range(2):
        matching.step_size.descend(torch.tensor(3.0))
        optimiser.step()
        seen.append(float(matching.step_size.value))
    steps = [before - after for before, after in zip(seen, seen[1:], strict=False)]
    assert steps == pytest.approx([3e-3, 3e-3 * (1 + expected)], rel=1e-3)


def test_a_student_matches_an_expert_that_trained_on_its_clips(tmp_path: Path) -> None:
    """With the expert's own clips, batch and step size one step is the expert's, and the loss is nothing."""
    task = tiny_task(tmp_path)
    settings = TrajectorySettings(experts=1, expert_lr=0.1, expert_batch=36, max_start=0, syn_steps=1, step_size=0.1)
    clips, labels = task.train.render()
    matching = Matching(settings, task, "cnn-gru", 4)  # it has no dropout
    steps = Shown([clips], labels)
    assert float(matching.follow(np.random.default_rng(0), steps).loss) < 1e-6


def test_the_step_size_is_learned_bounded_and_stored(tmp_path: Path) -> None:
    def learned(rate: float) -> float:
        trajectory = SMALL.model_copy(update={"lr_step_size": rate})
        task = tiny_task(tmp_path / str(rate))
        distilled = MTT(MTTSettings(iterations=4, width=4, lr=1, trajectory=trajectory)).distill(task)
        assert distilled.record.step_size is not None
        return distilled.record.step_size

    assert learned(0) == pytest.approx(0.01)
    assert learned(1e-3) != learned(0)
    assert learned(1e9) >= SMALLEST_STEP * (1 - 1e-6)
