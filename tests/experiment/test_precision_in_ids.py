"""What a GPU makes in bfloat16 is told from what is made in float32, and ids of what a CPU makes are as they were."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vdbench.encoders.settings import EncoderSettings
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.precision import products
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe
from vdbench.method import Method, Settings
from vdbench.registry.declared import made_from
from vdbench.testing import tiny_clips, tiny_task
from vdbench.work.assets import Assets, AssetSpec
from vdbench_methods.dm import DM, DMSettings
from vdbench_methods.experts import Expert
from vdbench_methods.frepo import FRePo, FRePoSettings
from vdbench_methods.mtt import MTT, MTTSettings
from vdbench_methods.prism import Prism, PrismSettings
from vdbench_methods.static_dynamic import VDSDSettings
from vdbench_methods.trajectories import TrajectorySettings
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


def test_an_asset_says_that_it_was_made_in_bfloat16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {}
    for kind in ("cpu", "cuda"):
        monkeypatch.setattr(Expert, "build", lambda spec, assets, folder: None)
        monkeypatch.setattr(Expert, "load", lambda spec, folder: folder)
        folder = Assets(tmp_path, tiny_clips(), torch.device(kind)).get(TRAINED["expert"])
        made[kind] = json.loads((folder / "asset.json").read_text())
    assert made["cuda"]["precision"] == "bf16" and "precision" not in made["cpu"]
    assert made["cuda"]["spec"] == made["cpu"]["spec"]


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
    [
        (VDSD, VDSDSettings(), VDSDSettings(base="mtt")),
        (VDSD, VDSDSettings(base="frepo"), VDSDSettings(base="mtt")),
        (Prism, PrismSettings(), PrismSettings(loss="dc")),
    ],
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


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        (FRePo, FRePoSettings(iterations=2, width=4, real=6, networks=2)),
        (MTT, MTTSettings(iterations=2, width=4, trajectory=TrajectorySettings(experts=1, max_start=0, syn_steps=2))),
    ],
)
def test_tf32_is_identity_where_it_is_chosen_and_is_computed_in_from_first_to_last(
    method: type[FRePo | MTT], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU, which has none, the same pixels come out."""
    nested = settings.model_copy(
        update={"tf32": True}
        if method is FRePo
        else {"trajectory": settings.trajectory.model_copy(update={"tf32": True})}
    )
    told = [one.identity() if method is FRePo else one.identity()["trajectory"] for one in (settings, nested)]
    assert "tf32" not in told[0] and told[1] == told[0] | {"tf32": True}
    seen: set[str] = set()
    convolve = torch.nn.functional.conv3d

    def noted(*given: Any, **how: Any) -> torch.Tensor:
        seen.add(torch.backends.cudnn.conv.fp32_precision)  # type: ignore[attr-defined]
        return convolve(*given, **how)

    task = replace(tiny_task(tmp_path), checkpoints=None)
    for spec in method(settings).needs(task):
        task.assets.get(spec)
    pixels = []
    for chosen, expected in ((settings, "ieee"), (nested, "tf32")):
        seen.clear()
        with products(tf32=False), monkeypatch.context() as patch:
            patch.setattr(torch.nn.functional, "conv3d", noted)
            pixels.append(method(chosen).distill(task).tensors["clips"])
        assert seen == {expected}
    assert torch.equal(*pixels)
