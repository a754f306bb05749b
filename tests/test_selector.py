"""The base of all selectors: budgets, chance, provenance, and what it says of a wrong select."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from vdbench.encoders import EncoderSettings
from vdbench.errors import UsageError
from vdbench.method import Card, Task
from vdbench.selector import FeatureSettings, Selector, SelectorSettings
from vdbench.testing import tiny_task
from vdbench_methods.herding import Herding
from vdbench_methods.k_means import KMeansSettings
from vdbench_methods.random import Random


def returning(picks: Any) -> Selector[SelectorSettings]:
    class Fixed(Selector[SelectorSettings]):
        name: ClassVar[str] = "fixed"
        card: ClassVar[Card] = Card("fixed")

        def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> Sequence[int]:
            chosen: Sequence[int] = picks
            return chosen

    return Fixed()


def test_provenance_names_clips_and_encoder(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2)
    chosen = Random().distill(task)
    rows = [task.train.ids.index(name) for name in chosen.record.provenance.clip_ids or ()]
    assert task.train.labels[rows].tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(chosen.tensors["clips"].numpy(), task.train.clips[rows])
    assert chosen.record.provenance.encoder is None
    assert chosen.tensors["clips"].dtype == torch.uint8
    assert (chosen.record.method, chosen.record.ipc, chosen.record.seed) == ("random", 2, 0)

    for encoder, saw in (("pixels", "train"), ("minic3d-random", "nothing")):
        herding = Herding(FeatureSettings(encoder=EncoderSettings(name=encoder)))  # type: ignore[arg-type]
        provenance = herding.distill(task).record.provenance
        assert (provenance.encoder, provenance.encoder_saw, provenance.pool) == (encoder, saw, "real")


def test_every_seed_draws_anew_and_repeatably(tmp_path: Path) -> None:
    draws = [Random().distill(tiny_task(tmp_path, 3, seed)).record.provenance.clip_ids for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_chance_does_not_depend_on_the_order_of_classes(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=3)
    train = task.train
    turned = replace(train, classes=train.classes[::-1], labels=2 - train.labels)
    one = Random().distill(task).record.provenance.clip_ids
    other = Random().distill(replace(task, train=turned)).record.provenance.clip_ids
    assert one is not None
    assert other is not None
    assert set(one) == set(other)
    assert one != other


def test_an_ipc_larger_than_a_class_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="IPC 10 is more than tiny has: class 'red' has 9 clips .*--ipc 9 or less"):
        Random().distill(tiny_task(tmp_path, ipc=10))
    assert len(Random().distill(tiny_task(tmp_path, ipc=9))) == 27
    with pytest.raises(UsageError, match="IPC 99 is more than the pool that was generated for tiny has: class 'red'"):
        Random(SelectorSettings(pool="generated")).distill(tiny_task(tmp_path, ipc=99))


@pytest.mark.parametrize("ipc", [0, -1, None])
def test_an_ipc_below_one_is_refused(tmp_path: Path, ipc: int | None) -> None:
    with pytest.raises(UsageError, match="the IPC has to be at least 1"):
        Random().distill(tiny_task(tmp_path, ipc=ipc))


@pytest.mark.parametrize("picks", [[0, 0], [0], [0, 1, 2], [0, 9], [-1, 0], [0.0, 1.0], [[0, 1]], [True, False]])
def test_wrong_picks_name_the_method_and_the_class(tmp_path: Path, picks: Any) -> None:
    with pytest.raises(ValueError, match="fixed selected .* in class red, .* 2 different positions among 9 clips"):
        returning(picks).distill(tiny_task(tmp_path, ipc=2))


def test_numpy_picks_are_fine(tmp_path: Path) -> None:
    assert len(returning(np.array([3, 1], dtype=np.int32)).distill(tiny_task(tmp_path, ipc=2))) == 6


def test_features_reach_select_class_by_class(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=1)
    settings = FeatureSettings(encoder="pixels")  # type: ignore[arg-type]
    seen: list[NDArray[np.float32]] = []

    class Looking(Selector[FeatureSettings]):
        name: ClassVar[str] = "looking"
        card: ClassVar[Card] = Card("looking")

        def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> list[int]:
            seen.append(features)
            return [0]

    Looking(settings).distill(task)
    whole = task.assets.get(settings.encoder.features())
    assert len(whole) == len(task.train)
    for label, part in enumerate(seen):
        assert np.array_equal(part, whole[task.train.rows_of(label)])


def test_the_encoder_is_part_of_the_identity() -> None:
    bare = KMeansSettings.model_validate({"encoder": "pixels"})
    assert bare.encoder == EncoderSettings(name="pixels")
    assert bare.identity()["encoder"]["name"] == "pixels"
    assert bare.identity() != KMeansSettings().identity()
    for wrong in ("pixel", {"name": "pixels", "dims": 3}, {"dim": 0}):
        with pytest.raises(ValidationError):
            KMeansSettings.model_validate({"encoder": wrong})
