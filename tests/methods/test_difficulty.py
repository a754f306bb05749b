"""Coresets by difficulty: scores against closed forms, and worlds in which a clip is known to be hard."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vdbench.clips.clipset import ClipSet
from vdbench.method import Method, Task
from vdbench.testing import check_method, tiny_task
from vdbench.work.assets import Assets
from vdbench_methods.difficulty import EL2N, Difficulty, Forgetting
from vdbench_methods.judges import ErrorNorms, ForgettingEvents, TeacherLosses, error_norms, forgetting_events
from vdbench_methods.moderate import Moderate

ENCODER = {"name": "minic3d-trained", "width": 4, "epochs": 8}
SMALL: dict[str, Method[Any]] = {
    "moderate": Moderate(Moderate.Settings.model_validate({"encoder": ENCODER})),
    "el2n": EL2N(EL2N.Settings.model_validate({"encoder": ENCODER, "networks": 2})),
    "forgetting": Forgetting(Forgetting.Settings.model_validate({"encoder": ENCODER, "networks": 2})),
    "difficulty": Difficulty(Difficulty.Settings.model_validate({"encoder": ENCODER})),
}


@pytest.mark.parametrize("pool", ["real", "generated"])
@pytest.mark.parametrize("name", SMALL)
def test_they_conform_on_both_pools(name: str, pool: str) -> None:
    method = SMALL[name]
    settings = method.Settings.model_validate(method.settings.model_dump() | {"pool": pool})
    assert check_method(type(method)(settings)) == []


@given(st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=9), st.data())
def test_moderate_equals_brute_force(rows: list[list[int]], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(rows)))
    features = np.array(rows, dtype=np.float32)
    picks = Moderate().select(features, k, np.random.default_rng(0), None)  # type: ignore[arg-type]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    away = [sum((a - b) ** 2 for a, b in zip(row, mean, strict=True)) ** 0.5 for row in rows]
    middle = (sorted(away)[(len(rows) - 1) // 2] + sorted(away)[len(rows) // 2]) / 2
    gaps = sorted(abs(value - middle) for value in away)
    assert sorted(abs(away[i] - middle) for i in picks) == pytest.approx(gaps[:k], abs=1e-9)
    assert len(set(picks.tolist())) == k


def test_moderate_keeps_neither_the_nearest_nor_the_farthest() -> None:
    features = np.array([[0], [1], [-1], [4], [-4], [9], [-9]], dtype=np.float32)
    assert set(Moderate().select(features, 2, np.random.default_rng(0), None)) == {3, 4}  # type: ignore[arg-type]


def test_error_norms_are_those_written_out() -> None:
    logits = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0], [0.0, np.log(3.0)]])
    found = error_norms(logits, torch.tensor([0, 0, 0]))
    assert found.tolist() == pytest.approx([0.5 * 2**0.5, 0.25 * 2**0.5, 0.75 * 2**0.5])


def test_forgetting_counts_falls_from_right_to_wrong() -> None:
    paths = {"never right": "0000", "never wrong": "1111", "learned": "0011", "lost": "1100", "twice": "1010"}
    correct = torch.tensor([[step == "1" for step in path] for path in paths.values()]).T
    events = dict(zip(paths, forgetting_events(correct).tolist(), strict=True))
    assert events == {"never right": 4, "never wrong": 0, "learned": 0, "lost": 1, "twice": 2}


def planted(folder: Path, ipc: int = 1, seed: int = 0, wrong: Sequence[int] = (2,)) -> Task:
    """The tiny world, in which some clips of every class, or one, show another class's colour."""
    task = tiny_task(folder, ipc, seed)
    clips = task.train.clips.copy()
    for label in range(3):
        clips[task.train.rows_of(label)[list(wrong)]] = task.train.clips[task.train.rows_of((label + 1) % 3)[0]]
    train = replace(task.train, clips=clips, fingerprint="planted")
    return replace(task, train=train, assets=Assets(task.assets.root, train, task.device))


def wrong_clips(train: ClipSet) -> set[str]:
    return {train.ids[train.rows_of(label)[2]] for label in range(3)}


JUDGE = {"name": "minic3d-trained", "width": 16, "epochs": 40}
"""It learns the colours, but not the clips by heart."""


def kept(method: Method[Any], task: Task, **changes: Any) -> set[str]:
    settings = method.Settings.model_validate(method.settings.model_dump() | {"encoder": JUDGE} | changes)
    ids = type(method)(settings).distill(task).record.provenance.clip_ids
    assert ids is not None
    return set(ids)


@pytest.mark.parametrize("name", ["el2n", "forgetting"])
def test_the_hardest_clip_is_the_one_with_a_wrong_label(name: str, tmp_path: Path) -> None:
    task = planted(tmp_path)
    assert kept(SMALL[name], task) == wrong_clips(task.train)
    most = replace(task, ipc=8)  # all but one of the smallest class
    easy = kept(SMALL[name], most, keep="easy")
    assert not easy & wrong_clips(task.train)


def test_clips_with_a_wrong_label_are_in_the_hard_half_alone(tmp_path: Path) -> None:
    tasks = [planted(tmp_path, ipc=4, seed=seed) for seed in range(3)]
    easy = [kept(SMALL["difficulty"], task) for task in tasks]
    wrong = wrong_clips(tasks[0].train)
    assert not any(ids & wrong for ids in easy)
    assert easy[0] != easy[1]  # it draws
    halves = [kept(SMALL["difficulty"], task, keep="hard") for task in tasks]
    assert any(ids & wrong for ids in halves)
    assert wrong <= kept(SMALL["difficulty"], replace(tasks[0], ipc=1), keep="hard", share=0.01)


def test_generated_clips_are_judged_by_the_class_that_they_were_asked_to_be(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    assert task.pool is not None
    clips = task.assets.get(task.pool).clips
    mislabelled = replace(clips, labels=(clips.labels + 1) % 3)
    settings = EL2N.Settings.model_validate({"encoder": JUDGE})
    for spec in (
        ErrorNorms(students=settings.judges(2)),
        TeacherLosses(student=settings.judges()[0]),
        ForgettingEvents(students=settings.judges(1)),
    ):
        right, wrong = (spec.encode(task.assets, shown) for shown in (clips, mislabelled))
        assert right.shape == wrong.shape == (len(clips), 1)
        assert right.mean() < 0.5 * wrong.mean()


def test_equally_forgotten_clips_are_drawn_by_chance(tmp_path: Path) -> None:
    scores, method = np.array([[0], [3], [0], [0]], dtype=np.float32), Forgetting()
    picks = [method.select(scores, 2, np.random.default_rng(seed), None) for seed in range(20)]  # type: ignore[arg-type]
    assert all(first == 1 for first, _ in picks)
    assert {int(second) for _, second in picks} == {0, 2, 3}


def test_an_encoder_that_does_not_classify_is_refused() -> None:
    with pytest.raises(ValidationError, match="pixels gives no logits to judge clips by; use minic3d-trained"):
        EL2N.Settings.model_validate({"encoder": "pixels"})


def test_the_teacher_is_the_network_that_selectors_by_features_share() -> None:
    teacher = Difficulty().features().parts()[0]
    features = Moderate().features()
    assert features is not None
    assert [spec.identity() for spec in features.parts()] == [teacher.identity()]
