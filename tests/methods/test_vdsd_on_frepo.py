"""Static-dynamic distillation on FRePo: its gradient written out, its rates, its labels, and what it stores."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.formulas import sequence
from vdbench.distilled import DistilledSet
from vdbench.distilled.parameterisations import hallucinate
from vdbench.errors import UsageError
from vdbench.method import Task
from vdbench.testing import tiny_task
from vdbench_methods.learned import RealClips
from vdbench_methods.motions import OnRegression
from vdbench_methods.regression import NetworkPool, centred, margin_term, regression_loss
from vdbench_methods.static_dynamic import HALLUCINATOR, Memory, VDSDSettings
from vdbench_methods.vdsd import VDSD

QUICK: dict[str, Any] = {"base": "frepo", "iterations": 4, "static_iterations": 2, "static_width": 4, "width": 4}


def settings(**changes: Any) -> VDSDSettings:
    return VDSDSettings.model_validate({**QUICK, **changes})


def composed(static: np.ndarray, dynamic: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Clip i of image i and motion i, number by number: zeros beyond the borders, no activation."""
    count, frames, height, width = dynamic.shape
    clips = np.zeros((count, 3, frames, height, width))
    for i, c, t, y, x in np.ndindex(clips.shape):
        total = bias[c]
        for dt, dy, dx in np.ndindex(3, 3, 3):
            at = (t + dt - 1, y + dy - 1, x + dx - 1)
            if 0 <= at[0] < frames and 0 <= at[1] < height and 0 <= at[2] < width:
                for channel in range(3):
                    total += weight[c, channel, dt, dy, dx] * static[i, channel, at[1], at[2]]
                total += weight[c, 3, dt, dy, dx] * dynamic[i, at[0], at[1], at[2]]
        clips[i, c, t, y, x] = total
    return clips


def literal_loss(
    parts: dict[str, np.ndarray], network: np.ndarray, real: np.ndarray, goal: np.ndarray, ridge: float
) -> float:
    """An iteration's loss in plain NumPy: clips, features ``tanh(W z)``, kernels, ridge regression, margin."""
    clips = composed(parts["static"], parts["dynamic"], parts["weight"], parts["bias"])
    features = [np.tanh(network @ clip.flatten()) for clip in clips]
    kernel = np.array([[sum(a * b) for b in features] for a in features])
    count = len(features)
    damped = kernel + ridge * sum(kernel[i, i] for i in range(count)) / count * np.eye(count)
    inverse = np.linalg.inv(damped)
    total = 0.0
    for clip, wanted in zip(real, goal, strict=True):
        seen = np.tanh(network @ clip.flatten())
        predicted = np.array([sum(seen * own) for own in features]) @ inverse @ parts["labels"]
        total += sum((predicted - wanted) ** 2) / len(real)
    for row in parts["labels"]:
        first, second = sorted(row)[:-3:-1]
        total -= min(first - second, 1 / len(row)) / count
    return float(total)


def test_the_gradient_is_that_of_the_loss_written_out_in_double_precision() -> None:
    """Against differences of the plain loss, in every part that is learned and in images, which are not."""
    classes, frames, size = 3, 2, 3
    shapes = {"static": (3, 3, size, size), "dynamic": (3, frames, size, size), "weight": HALLUCINATOR, "bias": (3,)}
    parts = {
        name: (scale * torch.sin(step * sequence(int(np.prod(shape))) + 0.3)).view(shape)
        for (name, shape), scale, step in zip(shapes.items(), (1, 1, 0.3, 0.1), (1.1, 0.9, 0.37, 2), strict=True)
    }
    near = 0.1 * torch.sin(1.3 * sequence(9) + 0.4).view(3, 3)  # so near each other that the margin has a gradient
    parts["labels"] = near
    inputs = 3 * frames * size * size
    network = 0.3 * torch.sin(0.77 * sequence(4 * inputs) + 0.2).view(4, inputs)
    real, ridge = torch.cos(0.31 * sequence(5 * inputs)).view(5, 3, frames, size, size), 0.01
    goal = centred(torch.tensor([0, 1, 2, 0, 1]), classes).double()
    for part in parts.values():
        part.requires_grad_()

    def embed(clips: torch.Tensor) -> torch.Tensor:
        return torch.tanh(clips.flatten(1) @ network.T)

    made = hallucinate(parts["static"], parts["dynamic"], parts["weight"], parts["bias"])
    loss = regression_loss(embed(made), parts["labels"], embed(real), goal, ridge) + margin_term(parts["labels"])
    torch.autograd.backward(loss)

    plain = {name: part.detach().numpy().copy() for name, part in parts.items()}
    rest = network.numpy(), real.numpy(), goal.numpy(), ridge
    assert float(loss.detach()) == pytest.approx(literal_loss(plain, *rest), rel=1e-12)
    for name, part in parts.items():
        assert part.grad is not None
        for place in (0, part.numel() // 2, part.numel() - 1):
            ends = []
            for change in (1e-5, -1e-5):
                moved = {key: value.copy() for key, value in plain.items()}
                moved[name].flat[place] += change
                ends.append(literal_loss(moved, *rest))
            assert float(part.grad.flatten()[place]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-9)


def begun(chosen: VDSDSettings, task: Task) -> tuple[Memory, OnRegression]:
    memory = Memory(chosen, task)
    for name in ("dynamic", "weight", "bias"):
        memory.tensors[name].requires_grad_()
    return memory, OnRegression(chosen, task, RealClips(task.train, task.device), memory)


@pytest.mark.parametrize("margin", [False, True])
def test_an_iteration_finds_that_gradient_in_all_that_is_learned(tmp_path: Path, margin: bool) -> None:
    """Through one of its networks, on the real clips that it draws."""
    chosen = settings(regression={"networks": 3, "real": 7, "margin": margin, "ridge": 1e-3})
    task = tiny_task(tmp_path, ipc=2)
    memory, learner = begun(chosen, task)
    learner.optimisers(memory)
    labels = learner.tensors["labels"]
    with torch.no_grad():
        labels.copy_(0.1 * torch.sin(1.3 * sequence(labels.numel())).view_as(labels))
    learned = {name: memory.tensors[name] for name in ("dynamic", "weight", "bias")} | {"labels": labels}
    found_loss = learner.backward(memory, np.random.default_rng(3), 0)
    found = {name: part.grad.clone() for name, part in learned.items() if part.grad is not None}
    for part in learned.values():
        part.grad = None
    rng = np.random.default_rng(3)
    student = chosen.fresh_student(task.train, 0, task.device).double().requires_grad_(False)
    number = int(rng.integers(3))
    names = (f"pool.{number}.{name}" for name in student.state_dict())
    student.load_state_dict(dict(zip(student.state_dict(), (learner.tensors[name] for name in names), strict=True)))
    rows = rng.permutation(len(task.train))[:7]
    real = student.embed(task.train.render(torch.from_numpy(rows))[0].double())
    goal = centred(torch.from_numpy(task.train.labels[rows]), 3)
    kept = memory.tensors
    clips = [
        hallucinate(kept["static"][[row]], kept["dynamic"][[row]], kept["weight"], kept["bias"]) for row in range(6)
    ]
    loss = regression_loss(student.embed(torch.cat(clips).double()), labels, real, goal, 1e-3)
    if margin:
        loss = loss + margin_term(labels)
    torch.autograd.backward(loss)
    torch.testing.assert_close(found_loss.detach().double(), loss.detach(), rtol=1e-4, atol=1e-6)
    assert found.keys() == learned.keys()
    for name, part in learned.items():
        assert part.grad is not None
        torch.testing.assert_close(found[name], part.grad, rtol=5e-3, atol=1e-3 * float(part.grad.abs().max()))


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_every_update_has_the_rates_of_its_step(tmp_path: Path, schedule: str) -> None:
    regression = {"schedule": schedule, "networks": 2}
    chosen = settings(iterations=8, lr_dynamic=0.5, lr_hallucinator=0.02, regression=regression)
    task = tiny_task(tmp_path)
    memory, learner = begun(chosen, task)
    (adam,) = learner.optimisers(memory).values()
    for step in (0, 4, 7):
        learner.backward(memory, np.random.default_rng(step), step)
        expected = [chosen.regression.rate(first, step, 8) for first in (0.5, 0.02, 0.003)]
        assert [group["lr"] for group in adam.param_groups] == expected
    assert [len(group["params"]) for group in adam.param_groups] == [1, 2, 1]
    assert schedule == "constant" or expected[0] < 0.05


def test_labels_are_learned_and_stored_only_if_asked(tmp_path: Path) -> None:
    soft, hard = settings(), settings(regression={"learn_labels": False})
    sets = [VDSD(one).distill(tiny_task(tmp_path / str(number), ipc=2)) for number, one in enumerate((soft, hard))]
    assert [made.record.labels for made in sets] == ["soft", "hard"]
    assert [VDSD(chosen).learns_labels() for chosen in (soft, hard)] == [True, False]
    assert sets[0].stored_bytes == sets[1].stored_bytes + 4 * 3 * 3 * 2
    assert sets[0].stored_bytes == 4 * (3 * 2 * (3 + 4) * 256 + 327) + 4 * 3 * 3 * 2
    assert torch.allclose(sets[0].tensors["targets"].sum(dim=1), torch.ones(6))
    assert sets[1].tensors["targets"].tolist() == [0, 0, 1, 1, 2, 2]
    sets[0].save(tmp_path / "artefact")
    loaded = DistilledSet.load(tmp_path / "artefact")
    assert loaded.record.form == "static-dynamic-fixed"
    assert torch.equal(loaded.render()[0], sets[0].render()[0])


def test_other_bases_learn_no_labels_and_keep_their_identity() -> None:
    """A trial of a method that learns labels has a draw of networks in its id."""
    for base in ("dm", "mtt"):
        other = VDSD(VDSDSettings.model_validate({"base": base}))
        assert not other.learns_labels()
        assert not {"regression", "pairing"} & other.settings.identity().keys()
    told = settings(regression={"margin": True}).identity()
    assert told["pairing"] == "fixed" and told["regression"]["margin"] is True


def test_every_clip_has_one_image_and_one_motion(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="which takes pairing=fixed"):
        settings(pairing="any")
    with pytest.raises(UsageError, match=r"2 images and 2 motions .* are not one of each for 1 clips"):
        VDSD(settings(static=2)).distill(tiny_task(tmp_path))
    on_dm = VDSDSettings.model_validate({**QUICK, "base": "dm", "pairing": "fixed"})
    made = VDSD(on_dm).distill(tiny_task(tmp_path / "dm", ipc=2))
    assert (len(made.tensors["static"]), made.record.form) == (6, "static-dynamic-fixed")


def test_motions_predict_real_labels_better_and_better(tmp_path: Path) -> None:
    losses: list[float] = []

    def report(step: int, **metrics: float) -> None:
        losses.append(metrics["loss"])

    chosen = settings(
        iterations=80,
        static_iterations=0,
        width=8,
        lr_dynamic=0.03,
        lr_hallucinator=0.01,
        init="noise",
        regression={"networks": 3, "online_steps": 20, "real": 36},
    )
    VDSD(chosen).distill(tiny_task(tmp_path, report=report))
    assert len(losses) == 80
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_networks_train_on_the_clips_after_an_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    train: Callable[..., None] = NetworkPool.train

    def noted(pool: NetworkPool, number: int, clips: torch.Tensor, labels: torch.Tensor, rng: Any) -> None:
        seen.append((clips.clone(), labels.clone()))
        train(pool, number, clips, labels, rng)

    monkeypatch.setattr(NetworkPool, "train", noted)
    task = replace(tiny_task(tmp_path), checkpoints=None)
    made = VDSD(settings(lr_dynamic=0.1, lr_hallucinator=0.01)).distill(task)
    assert len(seen) == 4 and not torch.equal(seen[0][0], seen[1][0]) and not torch.equal(seen[0][1], seen[1][1])
    torch.testing.assert_close(made.render()[0], seen[-1][0])
