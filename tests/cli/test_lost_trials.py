"""Plugins that end their process or never end: the trial is recorded, and the run goes on."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, results, selector, tiny_run
from vdbench.datasets.children import Child
from vdbench.experiment import isolated
from vdbench.experiment.plan import Plan
from vdbench.experiment.trial import Job

EXIT = "os._exit(3)"
CRASH = "os.kill(os.getpid(), signal.SIGSEGV)"
SLEEP = "time.sleep(600)"


def failures(home: Path) -> dict[str, tuple[str, str]]:
    return {r.method: (r.failure.kind, r.failure.details) for r in results(home).values() if r.failure is not None}


@pytest.mark.parametrize(("does", "cause"), [(EXIT, "exit status 3"), (CRASH, "SIGSEGV")])
def test_a_plugin_that_ends_its_process_is_recorded_and_the_rest_runs(
    cli: Cli, home: Path, tmp_path: Path, does: str, cause: str
) -> None:
    run = tiny_run(home, "--seeds", 2, "--plugin", selector(tmp_path, "ends", does), methods="ends,random")
    cli(*run).ended(1)
    kind, details = failures(home)["ends"]
    assert kind == "bug" and cause in details
    assert {(r.method, r.seed) for r in results(home).values() if r.status == "done"} == {
        (method, seed) for method in ("random", "full") for seed in range(2)
    }


@pytest.mark.parametrize("scheduler", ["inline", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_trial_that_never_reports_is_ended_at_its_time_limit(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str
) -> None:
    pending = Plan.pending.fget

    def hurried(plan: Plan) -> list[Job]:
        """Only this trial has little time, so that the others end on a busy machine, too."""
        return [job.model_copy(update={"timeout": 2}) if job.trial.method == "ends" else job for job in pending(plan)]

    monkeypatch.setattr(isolated, "GRACE", 1.0)
    monkeypatch.setattr(Plan, "pending", property(hurried))
    plugin = selector(tmp_path, "ends", SLEEP)
    run = tiny_run(home, "--plugin", plugin, "--timeout", 300, "--scheduler", scheduler, methods="ends,random")
    assert cli(*run, *(["--workers", 1] if scheduler == "ray" else [])).code == 1
    assert failures(home) == {"ends": ("timeout", "")}
    assert {r.method for r in results(home).values() if r.status == "done"} == {"random", "full"}


@pytest.mark.timeout(300)
def test_a_process_that_is_killed_before_it_is_ready_costs_one_trial(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class KilledAtFirst(Child):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            started.append(self)
            if len(started) == 1:
                self.process.kill()

    monkeypatch.setattr(isolated, "Child", KilledAtFirst)
    run = tiny_run(home, "--isolate")
    assert cli(*run).code == 1
    assert [details for _, details in failures(home).values()] == ["SIGKILL"]
    assert len([r for r in results(home).values() if r.status == "done"]) == 1
    assert cli(*run).code == 0
    assert failures(home) == {}


def test_isolated_trials_are_those_of_the_same_process(cli: Cli, home: Path, tmp_path: Path) -> None:
    run = tiny_run(home, "--set", "herding.encoder.epochs=1", methods="herding")
    assert cli(*run, "--isolate").code == 0
    apart = results(home)
    for result in apart.values():
        (home / "results" / f"{result.id}.json").unlink()
    assert cli(*run, "--no-isolate").code == 0
    assert {i: r.outcome() for i, r in results(home).items()} == {i: r.outcome() for i, r in apart.items()}
    assert all(r.curves.keys() == apart[i].curves.keys() for i, r in results(home).items())


@pytest.mark.parametrize("way", ["--no-isolate", "--isolate", pytest.param("--scheduler=ray", marks=pytest.mark.slow)])
def test_a_result_that_the_disk_refuses_ends_the_run_in_a_sentence(
    cli: Cli, home: Path, tmp_path: Path, way: str
) -> None:
    results = home / "results"
    shuts = f"import pathlib, shutil; shutil.rmtree({str(results)!r}); pathlib.Path({str(results)!r}).touch()"
    ran = cli(*tiny_run(home, "--plugin", selector(tmp_path, "shuts", shuts), methods="random,shuts"), way)
    ran.ended(3)
    assert ran.err.splitlines()[-1].startswith(f"error: {results}") and "Not a directory" in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err and "bug in vdbench" not in ran.err
