"""Static-dynamic distillation: what is stored, what it makes, and how its gradient reaches motions and hallucinator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vdbench.distilled import DistilledSet
from vdbench.distilled.parameterisations import hallucinate
from vdbench.errors import UsageError
from vdbench.method import Task
from vdbench.seeding import seed_of
from vdbench.students import build_student
from vdbench.testing import tiny_task
from vdbench_methods.dm import class_means, matching_loss
from vdbench_methods.experts import weights_at
from vdbench_methods.learned import RealClips, initial_clips
from vdbench_methods.motions import OnDistributions, OnTrajectories
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.static_dynamic import HALLUCINATOR, Memory, VDSDSettings, fitting_pairs
from vdbench_methods.vdsd import VDSD

QUICK = {"iterations": 3, "static_iterations": 2, "static_width": 4, "width": 4, "real": 6}


def test_the_published_memories_fit_the_published_budget() -> None:
    assert fitting_pairs(classes=50, ipc=1, frames=16, size=112) == 2
    assert np.prod(HALLUCINATOR) + HALLUCINATOR[0] == 327


@given(st.integers(2, 60), st.integers(1, 20), st.integers(2, 32), st.sampled_from([16, 32, 112]))
def test_as_many_pairs_as_fit_and_no_more(classes: int, ipc: int, frames: int, size: int) -> None:
    def floats(pairs: int) -> int:
        return classes * pairs * (3 + frames) * size**2 + 327

    pairs, allowed = fitting_pairs(classes, ipc, frames, size), classes * ipc * 3 * frames * size**2
    assert floats(pairs) <= allowed or pairs == 1
    assert floats(pairs + 1) > allowed


@pytest.mark.parametrize(("static", "dynamic", "ipc"), [(None, None, 2), (1, 3, 2), (4, 1, 1), (1, 1, 3), (2, None, 1)])
def test_any_number_of_memories_at_any_ipc(tmp_path: Path, static: int | None, dynamic: int | None, ipc: int) -> None:
    settings = VDSDSettings.model_validate({**QUICK, "static": static, "dynamic": dynamic})
    made = VDSD(settings).distill(tiny_task(tmp_path / "task", ipc=ipc))
    images = static or fitting_pairs(3, ipc, 4, 16)
    motions = dynamic or images
    assert made.tensors["static"].shape == (3 * images, 3, 16, 16)
    assert made.tensors["dynamic"].shape == (3 * motions, 4, 16, 16)
    assert made.stored_bytes == 4 * (3 * 256 * (3 * images + 4 * motions) + 327)
    assert made.render()[0].shape == (3 * ipc, 3, 4, 16, 16)
    assert made.render()[1].tolist() == [label for label in range(3) for _ in range(ipc)]
    made.save(tmp_path / "artefact")
    assert torch.equal(DistilledSet.load(tmp_path / "artefact").render()[0], made.render()[0])


def test_clips_of_a_slot_are_made_of_its_own_images_and_motions(tmp_path: Path) -> None:
    """Whoever loads the set too: clip k of a class is one of the four that its two images and two motions make."""
    settings = VDSDSettings.model_validate({**QUICK, "static": 4, "dynamic": 4, "pairing": "slots"})
    VDSD(settings).distill(tiny_task(tmp_path / "task", ipc=2)).save(tmp_path / "artefact")
    made = DistilledSet.load(tmp_path / "artefact")
    kept, seen = made.tensors, set()
    for epoch in range(40):
        clips = made.of_epoch(epoch, torch.device("cpu")).render()[0]
        for slot, clip in enumerate(clips):
            fits = [
                (image, motion)
                for image in (2 * slot, 2 * slot + 1)
                for motion in (2 * slot, 2 * slot + 1)
                if torch.allclose(
                    hallucinate(kept["static"][[image]], kept["dynamic"][[motion]], kept["weight"], kept["bias"])[0],
                    clip,
                    atol=1e-4,
                )
            ]
            assert len(fits) == 1
            seen.update(fits)
    assert len(seen) == 4 * 3 * 2


def test_memories_that_cannot_be_shared_out_are_one_sentence(tmp_path: Path) -> None:
    settings = VDSDSettings.model_validate({**QUICK, "static": 3, "dynamic": 4, "pairing": "slots"})
    with pytest.raises(UsageError, match=r"3 images and 4 motions .* among 2 clips; add --set vdsd.static=4"):
        VDSD(settings).distill(tiny_task(tmp_path, ipc=2))


def test_settings_that_came_later_leave_the_identity_of_older_results_alone() -> None:
    later = {"pairing": "slots", "static_loss": "dc", "static_real": 9}
    assert not set(later) & set(VDSDSettings().identity())
    assert later.items() <= VDSDSettings.model_validate(later).identity().items()


def test_untrained_clips_are_frames_of_real_clips_with_their_changes_of_brightness(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=1)
    settings = VDSDSettings(iterations=0, static_iterations=0, static=1)
    made = VDSD(settings).distill(task).render()[0]
    real = initial_clips(task, "real", 1)[0]
    torch.testing.assert_close(made[:, :, 2], real[:, :, 2])
    torch.testing.assert_close(made.mean(dim=1), real.mean(dim=1), rtol=1e-4, atol=1e-5)


def test_images_are_learned_first_and_then_kept(tmp_path: Path) -> None:
    def made(**changes: int) -> DistilledSet:
        settings = VDSDSettings.model_validate({**QUICK, "lr_dynamic": 1.0, "lr_hallucinator": 0.01, **changes})
        return VDSD(settings).distill(tiny_task(tmp_path / str(changes)))

    start, images, both = made(static_iterations=0, iterations=0), made(iterations=0), made()
    assert not torch.equal(start.tensors["static"], images.tensors["static"])
    assert torch.equal(images.tensors["static"], both.tensors["static"])
    for part in ("dynamic", "weight", "bias"):
        assert torch.equal(start.tensors[part], images.tensors[part])
        assert not torch.equal(images.tensors[part], both.tensors[part])


def test_the_gradient_reaches_motions_and_hallucinator_in_double_precision() -> None:
    student = build_student("minic3d", 2, 3, 8, 2, seed=0).double().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    static, dynamic, weight, bias, means = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in (
            (2, 3, 8, 8),
            (2, 3, 8, 8),
            HALLUCINATOR,
            (3,),
            (2, student.embed(torch.zeros(1, 3, 3, 8, 8).double()).shape[1]),
        )
    )
    assert torch.autograd.gradcheck(
        lambda d, w, b: matching_loss(student, means, hallucinate(static, d, w, b), 1),
        tuple(part.requires_grad_() for part in (dynamic, weight * 0.2, bias)),
    )


def gradients_of(memory: Memory) -> dict[str, torch.Tensor]:
    found = {name: part.grad.clone() for name, part in memory.tensors.items() if part.grad is not None}
    for part in memory.tensors.values():
        part.grad = None
    return found


def learning(settings: VDSDSettings, task: Task) -> Memory:
    memory = Memory(settings, task)
    for name in ("dynamic", "weight", "bias"):
        memory.tensors[name].requires_grad_()
    return memory


def test_an_iteration_on_dm_adds_the_gradient_of_its_loss(tmp_path: Path) -> None:
    settings = VDSDSettings.model_validate(QUICK)
    task = tiny_task(tmp_path, ipc=2)
    memory, real = learning(settings, task), RealClips(task.train, task.device)
    found_loss = OnDistributions(settings, real).backward(memory, np.random.default_rng(3), 0)
    found = gradients_of(memory)
    rng = np.random.default_rng(3)
    draw, seed = seed_of(rng), seed_of(rng)
    student = settings.fresh_student(task.train, seed, task.device)
    means = class_means(student, real, [real.draw(rng, label, 6) for label in range(3)], 99)
    loss = matching_loss(student, means, memory.clips(draw), 2)
    torch.autograd.backward(loss)
    torch.testing.assert_close(found_loss, loss.detach())
    assert found.keys() == {"dynamic", "weight", "bias"}
    torch.testing.assert_close(found, gradients_of(memory), rtol=1e-3, atol=1e-7)


def test_an_iteration_on_mtt_adds_the_gradient_of_its_loss(tmp_path: Path) -> None:
    """Against all steps unrolled through the clips that they are shown, which are drawn anew for every step."""
    trajectory = {"experts": 1, "expert_batch": 12, "max_start": 0, "syn_steps": 3, "syn_batch": 4, "expert_lr": 0.1}
    settings = VDSDSettings.model_validate({**QUICK, "base": "mtt", "trajectory": trajectory, "student": "cnn-gru"})
    task = tiny_task(tmp_path, ipc=2)
    memory, learner = learning(settings, task), OnTrajectories(settings, task)
    found_loss = learner.backward(memory, np.random.default_rng(3), 0)
    found, by_step_size = gradients_of(memory), learner.tensors["step_size"].grad
    rng = np.random.default_rng(3)
    batches = [(seed_of(rng), rows) for rows in learner.matching.batches(rng, 6)]
    path = task.assets.get(settings.trajectory.specs(task, "cnn-gru", 4)[0])
    start, goal = weights_at(path, 0), weights_at(path, 1)
    here, size = start.clone().requires_grad_(), torch.tensor(0.01, requires_grad=True)
    for draw, rows in batches:
        logits = learner.matching.forward(here, memory.clips(draw)[rows])
        loss = torch.nn.functional.cross_entropy(logits, memory.targets[rows])
        (slope,) = torch.autograd.grad(loss, here, create_graph=True)
        here = here - size * slope
    whole = (here - goal).square().sum() / (start - goal).square().sum()
    torch.autograd.backward(whole)
    torch.testing.assert_close(found_loss, whole.detach())
    torch.testing.assert_close(found, gradients_of(memory), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(by_step_size, size.grad, rtol=1e-3, atol=1e-5)


def test_rates_are_those_published_for_the_base() -> None:
    assert (VDSDSettings().lr_dynamic, VDSDSettings().lr_hallucinator) == (1e-4, 1e-5)
    on_mtt = VDSDSettings(base="mtt")
    assert (on_mtt.lr_dynamic, on_mtt.lr_hallucinator) == (1e4, 1e-3)
    assert VDSDSettings(base="mtt", lr_dynamic=2).lr_dynamic == 2
    assert (VDSDSettings().static_lr, VDSDSettings(static_loss="dc").static_lr) == (1, 0.1)
    assert VDSDSettings(static_loss="dc", static_lr=3).static_lr == 3


def test_it_shares_its_experts_with_mtt(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    assert VDSD().needs(task) == []
    assert VDSD(VDSDSettings(base="mtt")).needs(task) == MTT(MTTSettings()).needs(task)


def test_a_step_size_is_stored_only_where_one_is_learned(tmp_path: Path) -> None:
    trajectory = {"experts": 1, "expert_batch": 12, "max_start": 0, "syn_steps": 2, "lr_step_size": 1e-7}
    on_mtt = VDSDSettings.model_validate({**QUICK, "base": "mtt", "lr_dynamic": 1, "trajectory": trajectory})
    assert VDSD(on_mtt).distill(tiny_task(tmp_path / "a")).record.step_size == pytest.approx(0.01, abs=1e-3)
    assert VDSD(VDSDSettings.model_validate(QUICK)).distill(tiny_task(tmp_path / "b")).record.step_size is None
