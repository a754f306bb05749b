"""A learning rate that was learned with clips: used, left out on demand, or refused, and never in silence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.distilled.outside.conftest import LABELS, Heard, Load, Save, pixels, same
from vdbench.errors import DataError, UsageError


@pytest.mark.parametrize("name", ["lr", "syn_lr", "LR"])
@pytest.mark.parametrize("rate", [0.0314, torch.tensor(0.0314), torch.tensor([0.0314]), np.float64(0.0314)])
def test_students_get_the_learned_rate_and_a_warning_says_so(heard: Heard, save: Save, name: str, rate: object) -> None:
    made, said = heard(save({"image": pixels(), "label": LABELS, name: rate}))
    assert same(made)
    assert made.record.step_size == pytest.approx(0.0314)
    assert "trained with the learning rate 0.0314" in said[0]
    assert "on the scale of its maker" in said[0]
    assert "--lr none leaves it out" in said[0]


def test_every_kind_of_file_may_hold_one(heard: Heard, tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", clips=pixels().numpy(), labels=LABELS.numpy(), lr=0.02)
    save_file({"clips": pixels(), "labels": LABELS}, tmp_path / "set.safetensors", metadata={"lr": "2e-2", "by": "me"})
    (tmp_path / "logged").mkdir()
    for name, value in {"images_best": pixels(), "labels_best": LABELS, "lr_best": torch.tensor(0.02)}.items():
        torch.save(value, tmp_path / "logged" / f"{name}.pt")
    for path in ("set.npz", "set.safetensors", "logged"):
        made, said = heard(tmp_path / path)
        assert same(made)
        assert (made.record.step_size, len(said)) == (pytest.approx(0.02), 1)


def test_what_is_typed_wins(load: Load, save: Save) -> None:
    path = save({"image": pixels(), "label": LABELS, "lr": 0.5})
    assert load(path, lr="none").record.step_size is None
    assert load(path, lr="0.02").record.step_size == 0.02
    assert load(save((pixels(), LABELS)), lr="0.02").record.step_size == 0.02
    for typed in ("0", "-1", "nan", "inf", "fast"):
        with pytest.raises(UsageError, match=f"--lr {typed} is no learning rate"):
            load(path, lr=typed)


@pytest.mark.parametrize("rate", [0.0, -0.01, float("nan"), float("inf")])
def test_a_rate_that_nobody_can_train_with_is_refused(load: Load, save: Save, rate: float) -> None:
    with pytest.raises(DataError, match=r"holds the learning rate \S+ \(lr\); leave it out with --lr none"):
        load(save({"image": pixels(), "label": LABELS, "lr": torch.tensor(rate)}))


@pytest.mark.parametrize(
    ("rate", "what"),
    [
        (torch.ones(6), "6 learning rates (lr), and students take one number for all steps"),
        ("cosine", "a learning rate that is no number (lr)"),
        (True, "a learning rate that is no number (lr)"),
    ],
)
def test_what_is_not_one_rate_is_not_used_and_is_no_label(heard: Heard, save: Save, rate: object, what: str) -> None:
    made, said = heard(save({"image": pixels(), "label": LABELS, "lr": rate}))
    assert same(made)
    assert made.record.step_size is None
    assert what in said[0]
    assert "it is not used, and --lr NUMBER gives one" in said[0]


def test_the_rate_of_an_experiment_is_its_own_and_that_of_an_optimiser_is_nobodys(heard: Heard, save: Save) -> None:
    data = [{"image": pixels(), "label": LABELS, "lr": rate} for rate in (0.1, 0.2)]
    made, _ = heard(save(data), clips="1")
    assert made.record.step_size == pytest.approx(0.2)
    optimiser = {"param_groups": [{"lr": 1000.0, "momentum": 0.5}]}
    made, said = heard(save({"image": pixels(), "label": LABELS, "optimiser": optimiser}))
    assert made.record.step_size is None
    assert "optimiser.param_groups.0.lr of" in said[0]
    assert "is not beside its clips; it is not used" in said[0]


def test_two_rates_in_one_place_are_ambiguous(load: Load, save: Save) -> None:
    with pytest.raises(DataError, match="more than one learning rate, lr and syn_lr; choose one with --lr NUMBER"):
        load(save({"image": pixels(), "label": LABELS, "lr": 0.1, "syn_lr": 0.2}))
