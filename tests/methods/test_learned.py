"""What methods that learn pixels share: where clips start, the loop, and how it goes on after it was killed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from vdbench.errors import DivergedError, UsageError
from vdbench.method import Method, Task
from vdbench.testing import tiny_task
from vdbench_methods.dc import DC, DCSettings
from vdbench_methods.dm import DM, DMSettings
from vdbench_methods.frepo import FRePo, FRePoSettings
from vdbench_methods.learned import Loop, RealClips, Scale, budget, descent, initial_clips
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.prism import Prism, PrismSettings
from vdbench_methods.random import Random
from vdbench_methods.sfvd import SFVD
from vdbench_methods.static_dynamic import VDSDSettings
from vdbench_methods.vdsd import VDSD

TRAJECTORY = {"experts": 2, "expert_batch": 12, "max_start": 1, "syn_steps": 2, "lr_step_size": 1e-4}
RELATIVE = {"scale": "relative", "width": 4, "trajectory": TRAJECTORY | {"learns": "log", "lr_step_size": 0.1}}
SMALL: dict[str, Method[Any]] = {
    "dc": DC(DCSettings(iterations=6, width=4, lr=1, real=8, updates=2, epochs=2, augment=True)),
    "dm": DM(DMSettings(iterations=6, width=4, lr=1, real=8)),
    "mtt": MTT(MTTSettings.model_validate({"iterations": 6, "width": 4, "lr": 10, "trajectory": TRAJECTORY})),
    "mtt-relative": MTT(MTTSettings.model_validate({"iterations": 6, "lr": 0.1} | RELATIVE)),
    "sfvd": SFVD(MTTSettings.model_validate({"iterations": 6, "width": 4, "lr": 10, "trajectory": TRAJECTORY})),
    "prism-dm": Prism(PrismSettings(iterations=6, width=4, lr=1, real=8, insert_every=2, threshold=1)),
    "prism-dc": Prism(PrismSettings(loss="dc", iterations=6, width=4, lr=1, real=8, insert_every=2, threshold=1)),
    "frepo": FRePo(FRePoSettings(iterations=6, width=4, networks=2, online_steps=4, real=12)),
    "frepo-scheduled": FRePo(
        FRePoSettings(
            iterations=6,
            width=4,
            networks=2,
            online_steps=4,
            real=12,
            schedule="cosine",
            online_schedule="warm-up",
        )
    ),
    "vdsd-dm": VDSD(VDSDSettings(iterations=4, static_iterations=2, static_width=4, width=4, lr_dynamic=1, real=8)),
    "vdsd-dm-by-gradients": VDSD(
        VDSDSettings(
            iterations=4,
            static_iterations=2,
            static_width=4,
            width=4,
            lr_dynamic=1,
            real=8,
            static_loss="dc",
        )
    ),
    "vdsd-mtt": VDSD(
        VDSDSettings.model_validate(
            {"base": "mtt", "iterations": 4, "static_iterations": 2, "static_width": 4, "width": 4, "real": 8}
            | {"lr_dynamic": 1, "trajectory": TRAJECTORY}
        )
    ),
    "vdsd-frepo": VDSD(
        VDSDSettings.model_validate(
            {"base": "frepo", "iterations": 4, "static_iterations": 2, "static_width": 4, "width": 4, "real": 8}
            | {"regression": {"networks": 2, "online_steps": 2, "real": 12, "margin": True, "schedule": "cosine"}}
        )
    ),
    "vdsd-mtt-relative": VDSD(
        VDSDSettings.model_validate(
            {"base": "mtt", "iterations": 4, "static_iterations": 2, "static_width": 4, "real": 8}
            | {"lr_dynamic": 0.1, "lr_hallucinator": 0.01}
            | RELATIVE
        )
    ),
}
"""Every optimiser, small enough for the tiny world."""


@pytest.fixture(params=SMALL)
def method(request: pytest.FixtureRequest) -> Method[Any]:
    return SMALL[request.param]


class KilledError(BaseException):
    """Stands for a killed process."""


def dying_at(number: int, counter: Iterator[int]) -> Any:
    def report(step: int, **metrics: Any) -> None:
        if next(counter) == number:
            raise KilledError

    return report


def bits(method: Method[Any], task: Task) -> dict[str, bytes]:
    return {name: part.numpy().tobytes() for name, part in method.distill(task).tensors.items()}


@pytest.mark.parametrize("killed_at", [0, 2, 3, 5])
@pytest.mark.parametrize("kept_every", [1, 2])
def test_a_killed_distillation_ends_in_the_same_bits(
    method: Method[Any], tmp_path: Path, killed_at: int, kept_every: int
) -> None:
    whole = bits(method, tiny_task(tmp_path / "whole", ipc=2))
    asked = iter(range(100))
    task = replace(tiny_task(tmp_path / "killed", ipc=2), due=lambda: next(asked) % kept_every == kept_every - 1)
    for spec in method.needs(task):
        task.assets.get(spec)
    with pytest.raises(KilledError):
        method.distill(replace(task, report=dying_at(killed_at, iter(range(100)))))
    steps: list[int] = []
    assert bits(method, replace(task, report=lambda step, **_: steps.append(step))) == whole
    assert len(steps) < 6 or killed_at + 1 < kept_every  # it went on, and did not start again


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(method: Method[Any], tmp_path: Path) -> None:
    assert bits(method, tiny_task(tmp_path / "a")) == bits(method, tiny_task(tmp_path / "b"))
    assert bits(method, tiny_task(tmp_path / "a")) != bits(method, tiny_task(tmp_path / "c", seed=1))


@pytest.mark.parametrize("name", SMALL)
def test_every_step_is_reported_with_its_loss_and_how_many_there_are(name: str, tmp_path: Path) -> None:
    logged: list[tuple[int, dict[str, Any]]] = []
    SMALL[name].distill(tiny_task(tmp_path, report=lambda step, **metrics: logged.append((step, metrics))))
    own = [(step, metrics) for step, metrics in logged if "of" in metrics]  # experts report in their own way
    expected = [*range(1, 3), *range(1, 5)] if name.startswith("vdsd") else list(range(1, 7))
    assert [step for step, _ in own] == expected
    assert all(np.isfinite(metrics["loss"]) for _, metrics in own)
    assert [metrics["of"] for _, metrics in own][-1] == expected[-1]
    assert ("step_size" in own[-1][1]) == name.startswith(("mtt", "sfvd", "vdsd-mtt"))


@pytest.mark.parametrize(("name", "settings"), [
    ("dc", {"lr": 1e30}), ("dm", {"lr": 1e30}), ("mtt", {"lr": 1e30}), ("sfvd", {"lr": 1e30}),
    ("prism-dm", {"lr": 1e30}), ("prism-dc", {"lr": 1e30}), ("frepo", {"lr": 1e30}),
    ("vdsd-dm", {"lr_dynamic": 1e30}), ("vdsd-mtt", {"lr_dynamic": 1e30}), ("vdsd-frepo", {"lr_dynamic": 1e30}),
    ("vdsd-dm", {"static_lr": 1e30, "static_iterations": 4}),
])  # fmt: skip
def test_a_loss_that_is_no_longer_finite_names_its_step(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    method = type(SMALL[name])(SMALL[name].settings.model_copy(update=settings))
    with pytest.raises(DivergedError, match=r"is not finite at step [0-6]; lower its learning rate"):
        method.distill(tiny_task(tmp_path))


def moved(scale: Scale, gradients: list[torch.Tensor], lr: float = 0.1) -> list[torch.Tensor]:
    """By how much one step changes what is learned."""
    tensors = [torch.zeros_like(gradient).requires_grad_() for gradient in gradients]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = gradient.clone()
    descent(tensors, lr, 0.5, scale).step()
    return [tensor.detach() for tensor in tensors]


@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("hidden", [0, 3])
def test_a_relative_rate_is_the_change_of_what_has_a_gradient(factor: float, hidden: int) -> None:
    """However large the gradient is, of however many tensors, and however many clips are not shown."""
    generator = torch.Generator().manual_seed(0)
    shown, other = (torch.randn(4, 5, generator=generator) for _ in range(2))
    clips = torch.cat([shown, torch.zeros(hidden, 5)])
    first, second = moved("relative", [factor * clips, factor * other])
    assert first[4:].count_nonzero() == 0
    both = torch.cat([first[:4], second])
    torch.testing.assert_close(both.square().mean().sqrt(), torch.tensor(0.1))
    torch.testing.assert_close(both / both[0, 0], torch.cat([shown, other]) / shown[0, 0])  # along the gradient


def test_without_a_gradient_nothing_moves_and_a_plain_rate_is_that_of_the_gradient() -> None:
    assert moved("relative", [torch.zeros(3)])[0].count_nonzero() == 0
    assert torch.equal(moved("plain", [torch.full((3,), 7.0)])[0], torch.full((3,), -0.7))


def test_clips_that_break_in_the_very_last_step_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(DivergedError) as caught:
        clips = torch.zeros(3)
        for _ in (loop := Loop(tiny_task(tmp_path), "test", 1, {"clips": clips}, {})):
            loop.log(clips.sum())
            clips[1] = torch.inf
    assert caught.value.step == 1


def test_learned_clips_start_from_those_that_random_picks(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2, seed=5)
    clips, labels = initial_clips(task, "real", 2)
    picked, targets = Random().distill(task).render()
    assert torch.equal(clips, picked)
    assert torch.equal(labels, targets)
    untouched = DM(DMSettings(iterations=0)).distill(task)
    assert torch.equal(untouched.render()[0], picked)


def test_noise_has_the_statistics_of_normalised_clips(tmp_path: Path) -> None:
    clips, labels = initial_clips(tiny_task(tmp_path), "noise", 3)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert abs(float(clips.mean())) < 0.02
    assert abs(float(clips.std()) - 1) < 0.02


def test_more_clips_than_a_class_has_are_its_clips_over_again(tmp_path: Path) -> None:
    clips, _ = initial_clips(tiny_task(tmp_path), "real", 20)
    reds = clips[:20].flatten(1)
    assert len(torch.unique(reds[:9], dim=0)) == 9
    assert torch.equal(reds[9:18], reds[:9])


def test_an_ipc_that_no_class_can_give_is_refused(method: Method[Any], tmp_path: Path) -> None:
    for ipc, words in ((10, "ask for --ipc 9 or less"), (0, "at least 1, not 0"), (None, "at least 1, not None")):
        with pytest.raises(UsageError, match=words):
            method.distill(tiny_task(tmp_path, ipc=ipc))
    assert budget(tiny_task(tmp_path, ipc=9)) == 9


def test_an_unknown_student_is_refused_by_the_settings() -> None:
    with pytest.raises(ValidationError, match="did you mean 'minic3d'"):
        DMSettings(student="minic3")


@settings(max_examples=30)
@given(st.lists(st.integers(0, 35), min_size=1, max_size=8))
def test_real_clips_are_rendered_as_the_train_split_renders_them(rows: list[int]) -> None:
    task = tiny_task(Path("unused"))
    real, index = RealClips(task.train, task.device), np.array(rows, dtype=np.int64)
    expected = task.train.render(torch.from_numpy(index))[0]
    assert torch.equal(real.render(index), expected)
    times = np.arange(len(rows)) % task.train.frames
    frames = torch.stack([expected[i, :, t] for i, t in enumerate(times)])
    torch.testing.assert_close(real.frames(index, times), frames)


def test_learned_clips_and_single_frames_lie_in_the_order_of_their_axes(tmp_path: Path) -> None:
    """On a CPU with torch 2.13.0, means over channels and 2D convolutions round otherwise where channels are last in
    memory; 300 iterations later another set is learned, whatever the layout was chosen for."""
    task = tiny_task(tmp_path)
    assert initial_clips(task, "real", 1)[0].is_contiguous()
    rows, times = np.array([0, 2]), np.array([1, 0])
    frames = RealClips(task.train, task.device).frames(rows, times)
    assert frames.is_contiguous()
    assert torch.equal(frames, task.train.render(torch.from_numpy(rows))[0][[0, 1], :, times])


def test_a_loop_keeps_optimisers_whose_state_grows(tmp_path: Path) -> None:
    """Adam has no state before its first step; what was kept later has to come back into a fresh one."""

    def run(task: Task, stop: int | None) -> torch.Tensor:
        weight = torch.ones(3, requires_grad=True)
        optimiser = torch.optim.Adam([weight], lr=0.1)
        for step in (loop := Loop(task, "test", 5, {"weight": weight}, {"adam": optimiser})):
            if step == stop:
                raise KilledError
            optimiser.zero_grad()
            loss = ((weight - step) ** 2).sum()
            torch.autograd.backward(loss)
            optimiser.step()
            loop.log(loss)
        return weight.detach()

    whole = run(tiny_task(tmp_path / "whole"), None)
    for stop in range(1, 5):
        task = tiny_task(tmp_path / str(stop))
        with pytest.raises(KilledError):
            run(task, stop)
        assert torch.equal(run(task, None), whole)
