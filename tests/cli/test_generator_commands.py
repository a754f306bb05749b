"""``vdbench generator``: train, sample, score and show, each of which goes on where another one ended."""

import errno
import json
import os
import re
import shlex
import signal
from pathlib import Path
from unittest.mock import Mock

import mlflow
import pytest
import torch

from tests.cli.conftest import TINY_GENERATOR, Cli
from tests.conftest import Digits
from vdbench.generator import sheet
from vdbench.generator.fitting import Fit

SMALL = [
    "--set", "protocol.frames=4", "--set", "protocol.size=16", "--set", "protocol.validation=0.4",
    *TINY_GENERATOR,
]  # fmt: skip


def command(verb: str, home: Path, *more: object) -> list[object]:
    return ["generator", verb, "ucf101", "--partial", "--home", home, *SMALL, *more]


def runs(asset: str) -> list[mlflow.entities.Run]:
    client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    experiment = client.get_experiment_by_name("vdbench-generator")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"tags.asset = '{asset}'"))


def test_a_generator_is_trained_once_sampled_once_and_scored(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = cli(*command("show", home)).ended(3)
    advised = nothing.err.split("holds no such pool of ucf101; type: vdbench ")[1]
    assert sorted(shlex.split(advised)) == sorted(map(str, command("sample", home)))

    trained = cli(*command("train", home, "--to", tmp_path / "shipped")).ended(0, "building generators for ucf101")
    assert re.search(r"final losses +denoiser loss \d+\.\d{4}, autoencoder loss \d+\.\d{4}\s*\n", trained.out)
    assert (tmp_path / "shipped" / "ucf101-4x16" / "generator.json").is_file()

    (tmp_path / "taken" / "ucf101-4x16").mkdir(parents=True)
    cli(*command("train", home, "--to", tmp_path / "taken")).ended(2, "is no generator, so it is not replaced")

    (sampled,) = json.loads(cli(*command("sample", home, "--json")).out)
    assert (sampled["clips"], sampled["per_class"], sampled["saw"], sampled["steps"]) == (9, 3, "train", 2)
    assert sampled["dataset"] == "ucf101, 3 of 101 classes"
    assert Path(sampled["sheet"]).is_file()
    assert not list(Path(sampled["folder"]).glob("*.png"))

    scored = cli(*command("score", home)).ended(0, "building minic3d")
    assert "building pools" not in scored.err
    assert "held-out against train" in scored.out
    folder = Path(sampled["sheet"]).parent
    assert {path.name for path in folder.iterdir()} == {"sheet.png", "pairs.png", "scores.json"}

    (folder / "sheet.png").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(sheet, "class_sheet", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied")))
        unwritten = cli(*command("show", home, "--json")).ended(0, "no contact sheet is written")
    assert json.loads(unwritten.out)[0]["sheet"] is None
    (shown,) = json.loads(cli(*command("show", home, "--json")).out)
    assert (folder / "sheet.png").is_file()
    assert shown["weights"] == sampled["weights"]
    assert shown["scores"] == json.loads((folder / "scores.json").read_text())
    assert shown["scores"]["held_out"] == "validation"
    assert [c["name"] for c in shown["scores"]["classes"]] == ["Archery", "Biking", "Diving"]
    assert "all" in cli(*command("show", home)).out

    (pool,) = runs(Path(sampled["folder"]).name)  # scoring wrote it anew
    assert "accuracy" in pool.data.metrics
    assert pool.data.params["saw"] == "train"
    client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    assert {file.path for file in client.list_artifacts(pool.info.run_id)} == {"sheet.png", "pairs.png"}
    assert [point.step for point in client.get_metric_history(pool.info.run_id, "denoiser loss")] == [20, 40]

    (folder / "scores.json").write_text("{}")
    said = "scores.json cannot be read; type: vdbench generator score ucf101 --set protocol.frames=4 "
    cli(*command("show", home)).ended(3, said)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "ucf101"], 3, "ucf101, 3 of 101 classes is all that is there; add --partial"),
        (["sample", "ucf100"], 2, "unknown data set 'ucf100'; did you mean 'ucf101'"),
        (["score", "ucf101", "--set", "dm.lr=1"], 2, "--set dm... has no effect here; only generator.* and protocol.*"),
        (["show", "ucf101", "--set", "generator.smpling.steps=3"], 2, "unknown setting 'generator.smpling'"),
        (["train", "ucf101", "--suite", "qick"], 2, "unknown suite 'qick'"),
        (["train", "hmdb51", "--data-root", "/videos"], 3, "vdbench datasets prepare hmdb51"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    cli: Cli, home: Path, arguments: list[str], code: int, sentence: str
) -> None:
    answer = cli("generator", *arguments, "--home", home)
    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.err
    assert len(answer.err.strip().splitlines()) == 1


@pytest.mark.slow  # the embedded data set is rendered and decoded
def test_what_ships_is_found_and_not_copied(cli: Cli, tmp_path: Path, digits: Digits) -> None:
    arguments = ["generator", "train", "motion-digits", "--home", digits(tmp_path / "home")]
    told = cli(*arguments).ended(0)
    assert "ships with vdbench: motion-digits-8x32" in told.out
    assert "--set generator.source=trained" in told.out
    cli(*arguments, "--to", tmp_path / "copy").ended(2, "only a generator that was trained here can be copied")


def test_stopped_it_keeps_its_state_and_goes_on(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes in the 50th step of the denoiser; the loop looks up at the 60th, and later does the other 40."""
    advance, steps = Fit.advance, []

    def terminated(self: Fit, value: torch.Tensor) -> torch.Tensor:
        steps.append(self.name)
        if steps.count("denoiser") == 50:
            os.kill(os.getpid(), signal.SIGTERM)
        return advance(self, value)

    monkeypatch.setattr(Fit, "advance", terminated)
    arguments = command("train", home, "--set", "generator.training.steps=100")
    cli(*arguments).ended(130, "type the same command again to go on")
    assert list(home.glob("assets/generators/.*.state/state.safetensors"))
    assert cli(*arguments).code == 0
    assert (steps.count("autoencoder"), steps.count("denoiser")) == (20, 100)
    assert not list(home.glob("assets/generators/.*.state"))
