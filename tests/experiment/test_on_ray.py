"""What the Ray scheduler hands to Ray, and what it makes of what it hears."""

import gc
import os
import shutil
import subprocess
import sys
import threading
import weakref
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import cloudpickle, tune

from tests.experiment.test_trial import trial
from vdbench.experiment import on_ray, ray_workers
from vdbench.experiment.home import Home
from vdbench.experiment.ray_trials import packed, tune_callback, unpacked
from vdbench.experiment.ray_workers import refusal
from vdbench.experiment.result import Failure, Result
from vdbench.experiment.trial import Job
from vdbench.experiment.worker import blank_result


class Terminal:
    """A listener that holds what cannot be pickled, as a live display does."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


def test_a_listener_that_holds_a_terminal_can_be_used() -> None:
    callback = tune_callback(Terminal(), {}, set(), [])  # type: ignore[arg-type]
    assert type(cloudpickle.loads(cloudpickle.dumps(callback))) is tune.Callback


class Heard:
    def __init__(self) -> None:
        self.results: list[Result] = []

    def started(self, job: Job) -> None:
        pass

    def finished(self, job: Job, result: Result) -> None:
        self.results.append(result)


def failure(job: Job, started: datetime) -> Result:
    why = Failure(kind="bug", stage="distill", message="it broke")
    return blank_result(job, started).model_copy(update={"status": "failed", "failure": why})


@pytest.mark.parametrize("hours", [-1, 0, 1], ids=["behind", "alike", "ahead"])
@pytest.mark.parametrize("failed_before", [False, True])
def test_a_failure_counts_whatever_the_worker_s_clock_says(tmp_path: Path, hours: int, failed_before: bool) -> None:
    job = Job(trial=trial(), settings={}, home=tmp_path, store=tmp_path)
    now = datetime.now(UTC)
    if failed_before:
        Home(tmp_path).results.write(failure(job, now - timedelta(days=1)))
    heard, ended, tuned = Heard(), set[str](), SimpleNamespace(config={"job": packed(job)})
    callback: Any = tune_callback(heard, {job.trial.id: job}, ended, [])  # type: ignore[arg-type]
    callback.on_trial_start(0, [], tuned)
    callback.on_trial_complete(0, [], tuned)
    assert not heard.results, "nothing new came of it: it was asked to end, or lost"
    Home(tmp_path).results.write(failure(job, now + timedelta(hours=hours)))
    callback.on_trial_complete(0, [], tuned)
    assert [result.status for result in heard.results] == ["failed"]
    assert ended == {job.trial.id}


class Held:
    """Something in a cycle, as a failed trial's traceback holds references to Ray's objects."""

    def __init__(self) -> None:
        self.itself = self


def test_no_garbage_is_collected_while_ray_shuts_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray 2.60.0 ends the process when a reference to its objects is collected by another thread in that moment."""
    held, seen = weakref.ref(Held()), list[bool]()

    def look() -> None:
        seen.extend([held() is None, gc.isenabled()])

    monkeypatch.setattr(ray, "shutdown", look)
    on_ray.shut_down()
    assert seen == [True, False]
    assert gc.isenabled()


def test_garbage_is_collected_again_after_ray_refused_to_shut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "shutdown", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        on_ray.shut_down()
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (("99.0", "code"), "vdbench 1.2, not 99.0 with which"),
        (("1.2", "other"), "other code of vdbench 1.2, not that with which"),
        (("1.2", "code"), None),
    ],
)
def test_a_worker_with_other_software_is_refused_and_the_driver_records_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: tuple[str, str], said: str | None
) -> None:
    monkeypatch.setattr(ray_workers, "software", lambda: ("1.2", "code"))
    refused = refusal({"software": driver})
    assert (refused is None) == (said is None)
    if refused is None or said is None:
        return
    assert said in str(refused)
    job = Job(trial=trial(), settings={}, home=tmp_path, store=tmp_path)
    heard, ended, tuned = Heard(), set[str](), SimpleNamespace(config={"job": packed(job)})
    callback: Any = tune_callback(heard, {job.trial.id: job}, ended, [])  # type: ignore[arg-type]
    callback.on_trial_start(0, [], tuned)
    callback.on_trial_result(0, [], tuned, {"points": [], "refused": str(refused)})
    callback.on_trial_complete(0, [], tuned)
    stored = Home(tmp_path).results.read(job.trial.id)
    assert stored is not None and stored.failure is not None
    assert (stored.failure.kind, stored.failure.message) == ("dependency", str(refused))
    assert heard.results == [stored]
    assert ended == {job.trial.id}


def test_a_grid_of_many_jobs_is_copied_as_few_values(tmp_path: Path) -> None:
    """Ray Tune 2.60 copies the whole grid for every trial: of 10,000 jobs as mappings it took over a second each."""
    job = Job(trial=trial(), settings={"lr": 0.5}, home=tmp_path, store=tmp_path)
    assert type(packed(job)) is str
    assert unpacked(packed(job)) == job


def test_a_worker_that_refuses_waits_longer_each_time_so_that_its_neighbours_get_the_trials() -> None:
    script = "from vdbench.experiment.ray_workers import pause; print([pause() for _ in range(11)])"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert told.strip() == str([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0])


def test_software_is_told_apart_by_the_code_that_a_worker_would_import(tmp_path: Path) -> None:
    script = "from vdbench.experiment.ray_workers import software; print(software()[1])"
    packages = [Path(find_spec(name).origin).parent for name in ("vdbench", "vdbench_methods")]  # type: ignore
    copies = [shutil.copytree(package, tmp_path / package.name) for package in packages]

    def code() -> str:
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        return subprocess.check_output([sys.executable, "-c", script], env=environment, text=True).strip()

    assert code() == ray_workers.software()[1]
    with (copies[1] / "random.py").open("a") as file:
        file.write("# edited\n")
    assert code() != ray_workers.software()[1]
