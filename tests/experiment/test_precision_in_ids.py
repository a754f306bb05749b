"""What a GPU makes in bfloat16 is told from what is made in float32, and ids of what a CPU makes are as they were."""

from pathlib import Path
from typing import Any

import pytest
import torch

from vdbench.encoders.settings import EncoderSettings
from vdbench.evaluation.evaluate import StudentSpec
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe
from vdbench.method import Method, Settings
from vdbench.registry.declared import made_from
from vdbench.testing import tiny_clips, tiny_task
from vdbench.work.assets import Assets, AssetSpec
from vdbench_methods.dm import DM, DMSettings
from vdbench_methods.experts import Expert
from vdbench_methods.frepo import FRePo, FRePoSettings
from vdbench_methods.prism import Prism, PrismSettings
from vdbench_methods.static_dynamic import VDSDSettings
from vdbench_methods.vdsd import VDSD

STUDENT = StudentSpec(name="minic3d", width=8)
TRAINED: dict[str, AssetSpec[Any]] = {
    "expert": Expert(student="minic3d", width=8, epochs=1, lr=0.1, batch=8, number=0),
    "encoder": EncoderSettings().features().parts()[0],
    "features": EncoderSettings().features(),
    "features of frames": EncoderSettings(name="cnn-gru").features(),
    "teacher": TrainedTeacher(student=STUDENT, recipe=Recipe()),
}


def folders(spec: AssetSpec[Any], tmp_path: Path) -> list[Path]:
    return [Assets(tmp_path, tiny_clips(), torch.device(kind)).folder(spec) for kind in ("cpu", "cuda")]


@pytest.mark.parametrize("name", list(TRAINED))
def test_what_is_trained_in_bfloat16_on_a_gpu_is_another_asset(name: str, tmp_path: Path) -> None:
    spec = TRAINED[name]
    assert spec.identity_on("cpu") == spec.identity()
    on_cpu, on_gpu = folders(spec, tmp_path)
    assert on_cpu != on_gpu


@pytest.mark.parametrize(
    "spec",
    [
        EncoderSettings(name="pixels").features(),
        EncoderSettings(name="minic3d-random").features(),
        TrainedTeacher(student=STUDENT, recipe=Recipe(precision="float32")),
        TrainedTeacher(student=STUDENT, recipe=Recipe(precision="bf16")),
    ],
)
def test_what_no_device_trains_in_another_precision_is_the_same_asset(spec: AssetSpec[Any], tmp_path: Path) -> None:
    on_cpu, on_gpu = folders(spec, tmp_path)
    assert on_cpu == on_gpu


@pytest.mark.parametrize(("method", "settings"), [(DM, DMSettings), (FRePo, FRePoSettings)])
def test_a_method_that_embeds_in_bfloat16_makes_other_sets_there(
    method: type[Method[Any]], settings: type[DMSettings | FRePoSettings], tmp_path: Path
) -> None:
    task = tiny_task(tmp_path)
    in_float32 = made_from(method(settings(bf16=False)), task, "cuda")
    assert in_float32 == made_from(method(settings()), task, "cpu") == ()
    assert made_from(method(settings()), task, "cuda") == ("bf16",)


@pytest.mark.parametrize(
    ("method", "on_distributions", "otherwise"),
    [(VDSD, VDSDSettings(), VDSDSettings(base="mtt")), (Prism, PrismSettings(), PrismSettings(loss="dc"))],
)
def test_precision_enters_only_where_it_is_computed_in(
    method: type[Method[Any]], on_distributions: Settings, otherwise: Settings, tmp_path: Path
) -> None:
    task = tiny_task(tmp_path)
    assert "bf16" in made_from(method(on_distributions), task, "cuda")
    assert "bf16" not in made_from(method(otherwise), task, "cuda")


@pytest.mark.parametrize("settings", [DMSettings, FRePoSettings, VDSDSettings])
def test_the_precision_of_a_method_is_identity_where_it_is_not_as_it_was(
    settings: type[DMSettings | FRePoSettings | VDSDSettings],
) -> None:
    assert "bf16" not in settings().identity()
    assert settings(bf16=False).identity()["bf16"] is False
