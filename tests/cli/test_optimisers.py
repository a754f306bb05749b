"""`vdbench run` with methods that learn pixels: what they leave behind, and how they end and go on."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors.numpy import load

from tests.cli.conftest import Cli, child, finished, linked, results, tiny_run
from vdbench.distilled import DistilledSet

TRAJECTORY = "{experts: 2, expert_batch: 12, max_start: 1, syn_steps: 2}"
SETTINGS = {
    "dc": ["iterations={n}", "width=4", "lr=1", "real=4"],
    "dm": ["iterations={n}", "width=4", "lr=1", "real=4"],
    "mtt": ["iterations={n}", "width=4", "lr=0.1", f"trajectory={TRAJECTORY}"],
    "sfvd": ["iterations={n}", "width=4", "lr=0.1", f"trajectory={TRAJECTORY}"],
    "prism": ["iterations={n}", "width=4", "lr=1", "real=4", "insert_every=2", "threshold=1"],
    "frepo": ["iterations={n}", "width=4", "networks=2", "online_steps=5", "real=6"],
    "vdsd": [
        "iterations={n}", "static_iterations=3", "static_width=4", "width=4", "lr_dynamic=1", "real=4", "base=dm",
    ],
}  # fmt: skip


def settings(method: str, iterations: int) -> list[str]:
    """Options of one optimiser."""
    chosen = [f"{method}." + text.replace("{n}", str(iterations)) for text in SETTINGS[method]]
    return [word for text in chosen for word in ("--set", text)]


def learning(home: Path, method: str, iterations: int, *more: object) -> list[str]:
    """Arguments of a run of one optimiser."""
    return tiny_run(home, *settings(method, iterations), *more, methods=method)


def own(home: Path, method: str) -> Path:
    """The folder of a method's only artefact."""
    folders = [path for path in (home / "distilled").iterdir() if (path / "distilled.json").exists()]
    return next(path for path in folders if json.loads((path / "distilled.json").read_text())["method"] == method)


@pytest.mark.parametrize("method", SETTINGS)
def test_a_run_leaves_learned_clips_previews_and_curves(cli: Cli, home: Path, own_store: str, method: str) -> None:
    cli(*learning(home, method, 3)).ended(0)
    result = next(r for r in results(home).values() if r.method == method)
    made = DistilledSet.load(own(home, method))
    assert result.provenance is not None
    assert result.provenance.pool == "learned"
    assert result.stored_bytes == made.stored_bytes <= 4 * 3 * (3 * 4 * 16 * 16 + 3)
    assert result.step_size == made.record.step_size
    assert (result.step_size is not None) == (method in {"mtt", "sfvd"})
    names = {"mtt": ["own-random"], "sfvd": ["own-random"], "frepo": ["own-random"]}
    assert [way.name for way in result.conditions] == names.get(method, [])
    previews = sorted((own(home, method) / "previews").iterdir())
    assert [path.name for path in previews] == ["000-Archery.mp4", "001-Biking.mp4", "002-Diving.mp4"]
    assert all(path.stat().st_size > 500 for path in previews)
    client = MlflowClient(own_store)
    experiment = client.get_experiment_by_name("vdbench-quick-modified")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"params.method = '{method}'")
    curve = client.get_metric_history(run.info.run_id, "distill.loss")
    assert {point.step for point in curve} == {1, 2, 3}
    assert "distill.of" not in run.data.metrics
    logged = {file.path for file in client.list_artifacts(run.info.run_id, "distilled/previews")}
    assert logged == {f"distilled/previews/{path.name}" for path in previews}
    if method == "frepo":
        (control,) = result.conditions
        assert run.data.metrics["own-random.minic3d.top1"] == control.students[0].scores[0].top1
        assert "evaluate.own-random/minic3d/0/loss" in run.data.metrics


def test_divergence_is_recorded_with_its_step(cli: Cli, home: Path) -> None:
    cli(*learning(home, "dm", 50, "--set", "dm.lr=1e30")).ended(1)
    failed = next(r for r in results(home).values() if r.method == "dm")
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.stage) == ("diverged", "distill")
    assert "the loss of dm is not finite at step" in failed.failure.message
    assert failed.students == ()


def test_settings_that_do_not_fit_are_one_sentence(cli: Cli, home: Path) -> None:
    cli(*learning(home, "dm", 3, "--set", "dm.student=minic3")).ended(
        2, "setting dm.student='minic3' is not valid", "did you mean 'minic3d'"
    )
    cli(*learning(home, "mtt", 3, "--set", "mtt.trajectory.step=1")).ended(2, "unknown setting 'mtt.trajectory.step'")


def kept_step(home: Path) -> int:
    """The iteration of the last checkpoint; -1 where there is none."""
    for path in (home / "checkpoints").rglob("state.safetensors"):
        state = load(path.read_bytes())  # safe_open opens the path twice, and a writer may replace it between
        return int(state["step"]) + 1000 * int(state["stage"])
    return -1


def wait_for_step(home: Path, step: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while kept_step(home) < step and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, process.stderr.read() if process.stderr else ""


@pytest.mark.slow
@pytest.mark.parametrize("method", SETTINGS)
def test_a_killed_distillation_goes_on_and_ends_in_the_same_bytes(
    cli: Cli, home: Path, tmp_path: Path, method: str
) -> None:
    whole = linked(home, tmp_path / "whole")
    assert cli(*learning(whole, method, 60)).code == 0
    arguments = learning(home, method, 60, "--checkpoint-every", 0)
    process = child(arguments)
    wait_for_step(home, 1005 if method == "vdsd" else 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list((home / "distilled").glob("*/distilled.json")) or kept_step(home) > 0
    assert cli(*arguments).code == 0
    ours, theirs = own(home, method), own(whole, method)
    assert (ours / "tensors.safetensors").read_bytes() == (theirs / "tensors.safetensors").read_bytes()
    assert kept_step(home) == -1  # no longer needed


ITERATIONS = 1500


@pytest.fixture(scope="module")
def whole(prepared: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_store: str) -> Path:
    """A home in which a run of ``dm`` ended in one go."""
    folder = tmp_path_factory.mktemp("whole")
    return finished(prepared, folder, mlflow_store, *settings("dm", ITERATIONS), methods="dm")


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["inline", "ray"])
def test_sigterm_keeps_the_state_and_the_same_command_goes_on(
    cli: Cli, home: Path, whole: Path, scheduler: str
) -> None:
    pause = 3600  # so that no checkpoint is due but the one that SIGTERM asks for
    arguments = learning(home, "dm", ITERATIONS, "--checkpoint-every", pause, "--scheduler", scheduler, "--seeds", 2)
    process = child(arguments)
    deadline = time.monotonic() + 120
    while len(results(home)) < 2 and time.monotonic() < deadline:  # the controls of the first seed come before it
        time.sleep(0.05)
    time.sleep(1.5)
    assert kept_step(home) == -1
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "type the same command again" in err
    assert "Traceback" not in err
    assert 0 < kept_step(home) < ITERATIONS
    assert not (home / ".stop").exists()
    kinds = {r.failure.kind for r in results(home).values() if r.failure}
    assert kinds <= {"interrupted"}
    assert cli(*learning(home, "dm", ITERATIONS)).code == 0
    ours = {p.parent.name: p.read_bytes() for p in (home / "distilled").glob("*/tensors.safetensors")}
    theirs = {p.parent.name: p.read_bytes() for p in (whole / "distilled").glob("*/tensors.safetensors")}
    assert {name: ours[name] for name in theirs} == theirs
