"""Trained students as shared assets: homes of earlier versions hold them under these addresses."""

from pathlib import Path
from typing import Any

import pytest
import torch

from vdbench.encoders.trained import TrainedCnnGru, TrainedMiniC3D
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe
from vdbench.evaluation.trained import TrainedStudent
from vdbench.students.minic3d import MiniC3D
from vdbench.testing import tiny_task
from vdbench.work.assets import AssetSpec
from vdbench_methods.experts import Expert

FIELDS = {"width": 4, "seed": 3, "epochs": 2, "max_steps": 9}


@pytest.mark.parametrize(
    ("spec", "folder"),
    [
        (TrainedMiniC3D(**FIELDS), "minic3d/acf080d8e37e1735"),
        (TrainedCnnGru(**FIELDS), "cnn-gru/1ed2f5cf0cd63432"),
        (
            TrainedTeacher(student=StudentSpec(name="minic3d", width=4), recipe=Recipe(epochs=2, batch=8)),
            "teacher/c9e5efc52a937a9f",
        ),
    ],
)
def test_its_address_and_its_weights(spec: TrainedStudent, folder: str, tmp_path: Path) -> None:
    assets = tiny_task(tmp_path).assets
    assert assets.folder(spec) == assets.root / folder
    fresh: dict[str, Any] = spec.fresh(assets.train).state_dict()
    trained = spec.trained(assets).state_dict()
    assert trained.keys() == fresh.keys()
    assert not torch.equal(next(iter(trained.values())), next(iter(fresh.values())))
    assert all(torch.equal(trained[name], kept) for name, kept in assets.get(spec).items())


@pytest.mark.parametrize(
    "spec",
    [
        TrainedMiniC3D(**FIELDS),
        TrainedTeacher(student=StudentSpec(name="minic3d", width=4), recipe=Recipe(epochs=2, batch=8)),
        Expert(student="minic3d", width=4, epochs=1, lr=0.1, batch=8, number=0),
    ],
    ids=lambda spec: spec.kind,
)
def test_weights_of_another_version_of_the_student_are_other_assets(
    spec: AssetSpec[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tiny_task(tmp_path).assets
    before = assets.folder(spec)
    monkeypatch.setattr(MiniC3D, "version", MiniC3D.version + 1)
    assert assets.folder(spec) != before
