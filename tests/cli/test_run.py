"""`vdbench run` from end to end, on a miniature UCF101."""

import errno
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, child, finished, linked, results, selector, tiny_run
from vdbench.distilled import DistilledSet
from vdbench.experiment.home import Home
from vdbench.storage import files


def test_a_run_leaves_results_artefacts_and_a_leaderboard(cli: Cli, home: Path) -> None:
    methods = "random,herding,k-center,k-means"
    answer = cli(*tiny_run(home, "--set", "herding.encoder=pixels", "--set", "k-center.encoder=minic3d-random",
                           "--set", "k-means.encoder=pixels", "--ipc", "1,2", methods=methods)).ended(0)  # fmt: skip
    stored = results(home)
    assert sorted((r.method, r.ipc or 0) for r in stored.values()) == sorted(
        [("full", 0), *((m, ipc) for m in methods.split(",") for ipc in (1, 2))]
    )
    for result in stored.values():
        assert result.status == "done"
        assert result.dataset.title == "ucf101, 3 of 101 classes"
        assert result.control == (result.method in ("random", "full"))
        assert (result.stages["evaluate"].seconds > 0) == (result.judged_as is None)
        assert (result.stages["evaluate"].peak_memory > 0) == (result.judged_as is None)
        clips = 3 * (result.ipc or 0) or result.dataset.train_clips
        assert (result.stored_clips, result.stored_bytes) == (clips, clips * 4 * 16 * 16 * 3)
    herding = next(r for r in stored.values() if r.method == "herding")
    assert herding.provenance is not None
    assert herding.provenance.encoder == "pixels"
    artefacts = [path for path in (home / "distilled").iterdir() if path.is_dir()]
    assert len(artefacts) == len(stored)
    for folder in artefacts:
        assert len(DistilledSet.load(folder)) > 0
        assert (folder / "preview.png").stat().st_size > 500
        assert (folder / "preview.mp4").stat().st_size > 500
    page = (home / "leaderboard" / "index.html").read_text()
    assert "3 of 101 classes" in page
    assert "leaderboard page" in answer.out


def test_the_same_command_again_runs_nothing_and_a_lost_result_only_itself(cli: Cli, home: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    before = results(home)
    lost = next(r for r in before.values() if r.method == "random")
    again = cli(*tiny_run(home))
    assert "2 done already, 0 to run" in again.err
    Home(home).results.path(lost.id).unlink()
    plan = cli(*tiny_run(home, "--dry-run", "--json"))
    states = {row["trial"]: row["state"] for row in json.loads(plan.out)["trials"]}
    assert states == {trial: "to run" if trial == lost.id else "done" for trial in before}
    assert cli(*tiny_run(home)).code == 0
    after = results(home)
    assert {i: r.outcome() for i, r in after.items()} == {i: r.outcome() for i, r in before.items()}
    assert after[lost.id].started > lost.started


def test_equal_distilled_sets_are_judged_once_and_score_as_if_each_was(cli: Cli, home: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(home, tmp_path / "other"))
    options = ["--set", "herding.encoder=pixels", "--set", "k-center.encoder=pixels", "--seeds", "2"]
    assert cli(*tiny_run(home, *options, methods="herding,k-center")).code == 0
    assert cli(*tiny_run(other, *options[2:], methods="k-center")).code == 0
    stored, alone = results(home), results(other)
    assert len({r.artefact for r in stored.values() if r.method in ("herding", "k-center")}) == 1
    for result in stored.values():
        equal = [r for r in stored.values() if (r.artefact, r.seed) == (result.artefact, result.seed)]
        [first] = [r for r in equal if r.judged_as is None]
        assert {r.judged_as for r in equal} <= {None, first.id}
        assert {tuple(s.scores for s in r.students) for r in equal} == {tuple(s.scores for s in first.students)}
        assert (len(equal) > 1) or result.method in ("random", "full")
    for result in alone.values():
        assert result.outcome() == stored[result.id].outcome()
    assert sum(r.judged_as is not None for r in stored.values()) > sum(r.judged_as is not None for r in alone.values())


def test_other_students_judge_again_without_distilling_again(cli: Cli, home: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    stamps = {path: path.stat().st_mtime_ns for path in (home / "distilled").rglob("*.safetensors")}
    assert cli(*tiny_run(home, "--set", "protocol.students=[{name: cnn-gru, width: 4}]")).code == 0
    assert {path: path.stat().st_mtime_ns for path in (home / "distilled").rglob("*.safetensors")} == stamps
    assert {s.student for r in results(home).values() for s in r.students} == {"minic3d", "cnn-gru"}


def test_a_dry_run_shows_the_plan_and_runs_nothing(cli: Cli, home: Path) -> None:
    answer = cli(*tiny_run(home, "--dry-run")).ended(0)
    assert "2 trials, 0 done, 2 to run" in answer.out
    assert "of disk" in answer.out
    assert "from single steps timed here" in answer.out
    assert "not counted" not in answer.out
    assert not (home / "results").exists()


def test_evaluating_on_validation_is_another_trial(cli: Cli, home: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    assert cli(*tiny_run(home, "--set", "protocol.evaluate_on=validation")).code == 0
    assert sorted(r.evaluated_on for r in results(home).values()) == ["test", "test", "validation", "validation"]


def test_a_corrupt_result_is_set_aside_and_its_trial_runs_again(cli: Cli, home: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    path = sorted((home / "results").glob("*.json"))[0]
    path.write_text("{")
    cli(*tiny_run(home)).ended(0, f"{path.name}.corrupt")
    assert path.with_suffix(".json.corrupt").read_text() == "{"
    assert len(results(home)) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("MemoryError('no memory')", "oom"),
        ("DivergedError('the clips', 7)", "diverged"),
        ("ImportError('no such library')", "dependency"),
        ("OSError(28, 'No space left on device')", "data"),
        ("ValueError('a bug')", "bug"),
    ],
)
def test_a_failure_is_recorded_shown_and_run_again(cli: Cli, home: Path, tmp_path: Path, error: str, kind: str) -> None:
    plugin = selector(tmp_path, "failing", f"raise {error}")
    where = "--isolate" if kind == "data" else "--no-isolate"  # to start another process takes seconds
    answer = cli(*tiny_run(home, "--plugin", plugin, where, methods="failing")).ended(1)
    failed = next(r for r in results(home).values() if r.method == "failing")
    assert failed.failure is not None
    assert (failed.status, failed.failure.kind, failed.students) == ("failed", kind, ())
    assert failed.failure.stage == "distill"
    assert f"vdbench results show {failed.id}" in answer.err
    assert "Traceback" not in answer.err
    assert kind in (home / "leaderboard" / "README.md").read_text()
    plan = json.loads(cli(*tiny_run(home, "--plugin", plugin, "--dry-run", "--json", methods="failing")).out)
    assert {row["method"]: row["state"] for row in plan["trials"]} == {
        "failing": "to run", "random": "done", "full": "done",
    }  # fmt: skip


def test_a_trial_that_takes_too_long_is_given_up(cli: Cli, home: Path, tmp_path: Path) -> None:
    plugin = selector(tmp_path, "failing", "time.sleep(1.5)\ntask.report(1)\nraise ValueError('not stopped')")
    cli(*tiny_run(home, "--plugin", plugin, "--timeout", 1, methods="failing")).ended(1)
    failed = next(r for r in results(home).values() if r.method == "failing")
    assert failed.failure is not None
    assert failed.failure.kind == "timeout"


def test_two_runs_on_one_home_at_once(cli: Cli, home: Path) -> None:
    with files.sole_user(home):
        cli(*tiny_run(home)).ended(2, "another vdbench run is using")
    assert cli(*tiny_run(home)).code == 0


@pytest.mark.parametrize(
    ("number", "place", "cure"),
    [
        (errno.ENOSPC, "the home", "free some disk"),
        (errno.EFBIG, None, "mend that"),
        (errno.EROFS, None, "make it writable"),
        (errno.EACCES, None, "see to its permissions"),
    ],
)
def test_a_full_disk_is_one_sentence_and_loses_nothing(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, number: int, place: str | None, cure: str
) -> None:
    """Nor is one that refuses for another reason a bug."""
    assert cli(*tiny_run(home)).code == 0
    before = {path: path.read_bytes() for path in (home / "results").glob("*.json")}

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number), place)

    monkeypatch.setattr(os, "fsync", refuse)
    answer = cli(*tiny_run(home, "--seeds", 2)).ended(3)
    assert answer.err.strip().splitlines()[-1] == (
        f"error: the disk refuses {place or 'what was to be written'} ({os.strerror(number)}); {cure} and go on"
    )
    assert {path: path.read_bytes() for path in (home / "results").glob("*.json")} == before


@pytest.mark.parametrize("store", ["/proc/nowhere/mlflow.db", "damaged.db"])
def test_mlflow_that_cannot_be_reached_or_is_damaged_does_not_stop_a_run(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    (tmp_path / "damaged.db").write_bytes(b"this is no database " * 300)
    uri = f"sqlite:///{tmp_path / store}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.warns(UserWarning, match=f"MLflow at {uri} is not recording"):
        answer = cli(*tiny_run(home)).ended(0)
    assert "Traceback" not in answer.err
    assert len(results(home)) == 2


def test_mlflow_holds_every_trial(cli: Cli, home: Path, own_store: str) -> None:
    from mlflow import MlflowClient

    assert cli(*tiny_run(home)).code == 0
    client = MlflowClient(own_store)
    experiment = client.get_experiment_by_name("vdbench-quick-modified")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    children = {run.data.tags["trial"]: run for run in runs if "trial" in run.data.tags}
    assert set(children) == set(results(home))
    for trial, run in children.items():
        result = results(home)[trial]
        assert run.data.metrics["minic3d.top1"] == pytest.approx(result.students[0].scores[0].top1)
        assert run.data.params["method"] == result.method
        assert run.info.status == "FINISHED"
        assert "evaluate.minic3d/0/loss" in run.data.metrics
        assert f"{trial}.json" in {artifact.path for artifact in client.list_artifacts(run.info.run_id)}


THREE_SEEDS = ["--seeds", "3", "--set", "herding.encoder=pixels"]


@pytest.fixture(scope="module")
def whole(prepared: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_store: str) -> Path:
    """A home in which a run of three seeds ended in one go."""
    return finished(prepared, tmp_path_factory.mktemp("whole"), mlflow_store, *THREE_SEEDS, methods="herding")


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["inline", "ray"])
def test_a_killed_run_ends_as_one_that_was_not_killed(cli: Cli, home: Path, whole: Path, scheduler: str) -> None:
    arguments = [*THREE_SEEDS, "--scheduler", scheduler]
    process = child(tiny_run(home, *arguments, methods="herding"))
    deadline = time.monotonic() + 120
    while not results(home) and time.monotonic() < deadline:  # a draft that is not renamed yet is none
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 0 < len(results(home)) < 9
    time.sleep(2 if scheduler == "ray" else 0)  # Ray's own processes notice that their driver is gone
    assert cli(*tiny_run(home, *arguments, methods="herding")).code == 0
    assert {i: r.outcome() for i, r in results(home).items()} == {i: r.outcome() for i, r in results(whole).items()}
    for artefact in (home / "distilled").rglob("*.safetensors"):
        assert artefact.read_bytes() == (whole / artefact.relative_to(home)).read_bytes()


@pytest.mark.slow
def test_ray_and_inline_give_the_same_results(cli: Cli, home: Path, tmp_path: Path) -> None:
    other = linked(home, tmp_path / "other")
    arguments = ["--ipc", "1,2", "--set", "k-means.encoder=minic3d-random"]
    assert cli(*tiny_run(home, *arguments, methods="k-means")).code == 0
    cli(*tiny_run(other, *arguments, "--scheduler", "ray", methods="k-means")).ended(0)
    assert {i: r.outcome() for i, r in results(other).items()} == {i: r.outcome() for i, r in results(home).items()}


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["inline", "ray"])
def test_ctrl_c_stops_with_130_and_the_next_run_goes_on(home: Path, cli: Cli, scheduler: str) -> None:
    process = child(tiny_run(home, "--seeds", "40", "--scheduler", scheduler))
    deadline = time.monotonic() + 120
    while not results(home) and time.monotonic() < deadline:  # a draft that is not renamed yet is none
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "type the same command again" in err
    assert "Traceback" not in err
    statuses = {r.failure.kind if r.failure else r.status for r in results(home).values()}
    assert statuses <= {"done", "interrupted"}
    assert cli(*tiny_run(home, "--seeds", "1")).code == 0


def test_a_damaged_artefact_is_made_again(cli: Cli, home: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    before = results(home)
    for tensors in (home / "distilled").rglob("*.safetensors"):
        tensors.write_bytes(b"damaged")
    for path in (home / "results").glob("*.json"):
        path.unlink()
    assert cli(*tiny_run(home)).code == 0
    assert {i: r.outcome() for i, r in results(home).items()} == {i: r.outcome() for i, r in before.items()}


@pytest.mark.slow
def test_a_worker_that_dies_leaves_a_record_and_the_rest_goes_on(cli: Cli, home: Path, tmp_path: Path) -> None:
    plugin = selector(tmp_path, "failing", "os.kill(os.getpid(), 9)")
    answer = cli(*tiny_run(home, "--plugin", plugin, "--scheduler", "ray", methods="failing")).ended(1)
    kinds = {r.method: r.failure.kind if r.failure else r.status for r in results(home).values()}
    assert kinds["random"] == kinds["full"] == "done"
    assert kinds["failing"] in ("bug", "oom")
    assert "the worker process died" in answer.err
