"""FRePo: its loss against a slow one, the labels it stores, and the pool that trains meanwhile."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vdbench.clips.targets import nearest_distribution
from vdbench.method import Task
from vdbench.testing import tiny_task
from vdbench_methods.frepo import FRePo, FRePoSettings
from vdbench_methods.regression import NetworkPool, centred, margin_term, regression_loss, start_labels


def pool_of(settings: FRePoSettings, task: Task) -> NetworkPool:
    return NetworkPool(settings, lambda seed: settings.fresh_student(task.train, seed, task.device), task.device, 0)


def test_the_loss_equals_ridge_regression_written_out() -> None:
    rng = np.random.default_rng(0)
    learned, labels, real = rng.normal(size=(5, 9)), rng.normal(size=(5, 3)), rng.normal(size=(7, 9))
    goal, ridge = rng.normal(size=(7, 3)), 0.3
    kernel = np.array([[sum(a * b) for b in learned] for a in learned])
    damping = ridge * sum(kernel[i, i] for i in range(5)) / 5
    inverse = np.linalg.inv(kernel + damping * np.eye(5))
    total = 0.0
    for clip, wanted in zip(real, goal, strict=True):
        predicted = np.array([sum(clip * other) for other in learned]) @ inverse @ labels
        total += sum((predicted - wanted) ** 2) / 7
    found = regression_loss(*map(torch.from_numpy, (learned, labels, real, goal)), ridge)
    assert float(found) == pytest.approx(total, rel=1e-10)


def test_similar_clips_do_not_break_the_solution() -> None:
    learned = torch.ones(6, 4)  # a kernel of rank one
    labels = centred(torch.arange(6) % 3, 3)
    assert bool(regression_loss(learned, labels, torch.ones(2, 4), centred(torch.tensor([0, 1]), 3), 1e-6).isfinite())


def test_the_margin_has_the_public_terms_and_gradient() -> None:
    labels = (0.1 * torch.sin(1.3 * torch.arange(20, dtype=torch.float64) + 0.4)).view(4, 5).requires_grad_()
    terms = [float(margin_term(row[None]).detach()) for row in labels]
    assert terms == pytest.approx([-0.060224646814, -0.036229079229, -0.010537094119, -0.015648287774], abs=1e-11)
    term = margin_term(labels)
    assert float(term.detach()) == pytest.approx(-0.030659776984, abs=1e-11)
    torch.autograd.backward(term)
    first, last = [0.25, -0.25, 0, 0, 0], [-0.25, 0.25, 0, 0, 0]
    assert labels.grad is not None and labels.grad.tolist() == [first, first, first, last]


@pytest.mark.parametrize(
    ("classes", "own", "other", "margin"),
    [
        (3, 1.21716123890, -0.60858061945, -1 / 3),
        (10, 0.9, -0.1, -0.1),
        (50, 0.438269323590, -0.00894427190999, -0.02),
        (51, 0.434124943892, -0.00868249887784, -1 / 51),
        (101, 0.311542958182, -0.00311542958182, -1 / 101),
        (400, 0.157718598301, -0.000395284707521, -0.0025),
    ],
)
def test_labels_start_as_in_the_public_code_where_that_is_asked_for(
    classes: int, own: float, other: float, margin: float
) -> None:
    start = start_labels(torch.tensor([1]), classes, "classes").double()
    assert start[0, 1].item() == pytest.approx(own, rel=1e-6) and start[0, 0].item() == pytest.approx(other, rel=1e-6)
    assert float(margin_term(start)) == pytest.approx(margin, rel=1e-6)
    assert torch.equal(start_labels(torch.tensor([1]), classes, "one"), centred(torch.tensor([1]), classes))


def test_margin_and_start_change_what_is_learned_and_no_older_identity(tmp_path: Path) -> None:
    def made(**changes: object) -> torch.Tensor:
        settings = FRePoSettings.model_validate({"iterations": 3, "width": 4, "real": 6, "networks": 2, **changes})
        return FRePo(settings).distill(tiny_task(tmp_path / str(changes), ipc=1)).tensors["targets"]

    plain = made()
    assert torch.equal(plain, made(margin=False))
    assert not torch.equal(plain, made(label_scale="classes"))
    assert not torch.equal(plain, made(schedule="cosine")) and not torch.equal(plain, made(online_schedule="warm-up"))
    assert not {"margin", "label_scale", "schedule", "online_schedule"} & FRePoSettings().identity().keys()
    assert FRePoSettings(margin=True).identity()["margin"] is True


def test_the_rates_of_what_is_learned_are_the_public_ones() -> None:
    """One floor for both, a tenth of the labels': a hundred falls further than to its own tenth."""
    settings = FRePoSettings(lr=100, lr_labels=1e-3, schedule="cosine")
    for step, pixels, labels in (
        (0, 100.0, 1e-3),
        (1, 99.9999975326, 9.99999977793e-4),
        (1000, 97.5528282619, 9.77975432333e-4),
        (5000, 50.00005, 5.5e-4),
        (7500, 14.644746296, 2.31801948466e-4),
        (9999, 0.00010246739861, 1.00000022207e-4),
    ):
        assert settings.rate(settings.lr, step, 10000) == pytest.approx(pixels, rel=1e-9)
        assert settings.rate(settings.lr_labels, step, 10000) == pytest.approx(labels, rel=1e-9)
    constant = FRePoSettings(lr=100)
    assert [constant.rate(constant.lr, step, 10000) for step in (0, 4000)] == [100, 100]


def test_a_network_of_the_pool_has_the_public_rates_by_its_own_steps(tmp_path: Path) -> None:
    """One that is replaced sooner than after all its steps begins at the beginning, too, and so does who follows it."""
    public = {
        0: 1e-6, 1: 1.19795114948e-6, 10: 2.93859949965e-6, 25: 5.29327195157e-6, 43: 6.38072890604e-6,
        50: 6.18997183872e-6, 75: 3.42694356562e-6, 99: 1.01156794479e-6,
    }  # fmt: skip
    task = tiny_task(tmp_path)
    settings = FRePoSettings(width=2, networks=2, online_lr=1e-4, online_schedule="warm-up")
    pool, rng = pool_of(settings, task), np.random.default_rng(0)
    clips, labels = task.train.render(torch.arange(3))[0], centred(torch.arange(3), 3)
    found = []
    for _ in range(151):
        pool.train(1, clips, labels, rng)
        found.append(pool.optimisers()["pool-1"].param_groups[0]["lr"])
    assert max(found[:50]) == found[43]
    assert found[:50] == found[50:100], "its age began at 50 of 100"
    assert {step: found[50 + step] for step in public} == pytest.approx(public, rel=1e-9)
    assert found[150] == found[0]


def test_labels_that_were_not_moved_are_one_hot() -> None:
    classes = torch.tensor([2, 0, 1])
    one_hot = torch.nn.functional.one_hot(classes, 3).float()
    torch.testing.assert_close(nearest_distribution(centred(classes, 3)), one_hot, rtol=0, atol=1e-6)


def test_labels_are_learned_only_if_asked(tmp_path: Path) -> None:
    settings = FRePoSettings(iterations=3, width=4, networks=2, real=12)
    soft = FRePo(settings).distill(tiny_task(tmp_path / "soft"))
    hard = FRePo(settings.model_copy(update={"learn_labels": False})).distill(tiny_task(tmp_path / "hard"))
    assert (soft.record.labels, hard.record.labels) == ("soft", "hard")
    assert torch.allclose(soft.tensors["targets"].sum(dim=1), torch.ones(3))
    assert soft.stored_bytes == hard.stored_bytes + 4 * 9
    assert hard.tensors["targets"].tolist() == [0, 1, 2]


def test_clips_predict_real_labels_better_and_better(tmp_path: Path) -> None:
    losses: list[float] = []
    settings = FRePoSettings(iterations=80, width=8, networks=3, online_steps=20, lr=0.03, real=36, init="noise")
    FRePo(settings).distill(tiny_task(tmp_path, report=lambda step, **metrics: losses.append(metrics["loss"])))
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])


def test_networks_of_the_pool_age_and_are_replaced(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    pool = pool_of(FRePoSettings(width=4, networks=2, online_steps=4), task)
    ages, rng = pool.tensors()["pool.ages"], np.random.default_rng(0)
    assert ages.tolist() == [0, 2]  # spread out
    clips, labels = task.train.render(torch.arange(3))[0], centred(torch.arange(3), 3)
    first = pool.tensors()["pool.1.classifier.weight"].clone()
    pool.train(1, clips, labels, rng)
    trained = pool.tensors()["pool.1.classifier.weight"].clone()
    assert not torch.equal(first, trained)
    assert ages.tolist() == [0, 3]
    pool.train(1, clips, labels, rng)
    assert ages.tolist() == [0, 0]
    assert pool.optimisers()["pool-1"].state_dict()["state"] == {}
    fresh = pool.tensors()["pool.1.classifier.weight"]
    assert float((fresh - trained).abs().mean()) > 10 * float((trained - first).abs().mean())
