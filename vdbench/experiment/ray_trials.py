"""Trials on Ray: each a Ray Tune trial with its share of the machine, in a worker that may die."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vdbench.experiment.home import Home
from vdbench.experiment.lost import lost
from vdbench.experiment.ray_workers import REPORT_EVERY, around, pause, refusal, work_in
from vdbench.experiment.result import Failure
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.experiment.trial_log import TrialLog
from vdbench.experiment.worker import failed, run_trial
from vdbench.extensions.kinds import use

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.experiment.schedule import Listener


def packed(job: Job) -> str:
    """A job as text. For each trial Tune copies the grid of all, in which nested values take far longer than texts."""
    return json.dumps(job.model_dump(mode="json"))


def unpacked(text: str) -> Job:
    """The job of a text."""
    return Job.model_validate(json.loads(text))


def _trainable(config: dict[str, Any]) -> None:
    """What runs in a Ray worker. A failure inside the trial is its result; only a lost worker escapes."""
    import ray
    from ray import tune

    if (why := refusal(config["around"])) is not None:  # the driver writes the record: this code may write another
        tune.report({"points": [], "refused": str(why)})
        if len(ray.nodes()) > 1:  # type: ignore[no-untyped-call]
            time.sleep(pause())
        return
    job = unpacked(config["job"])
    work_in(config["around"])
    use(job.plugins)  # a trial's id has the code of its students
    late = Home(job.home).ray / f"{job.trial.id}.late"
    if StopRequest(job.home).made or late.exists():  # Tune starts a trial once more whose worker ended
        return
    points: list[tuple[int, dict[str, Any]]] = []
    told = time.monotonic()

    def report(step: int, **metrics: Any) -> None:
        nonlocal told
        points.append((step, metrics))
        if time.monotonic() - told > REPORT_EVERY:
            tune.report({"points": list(points)})
            points.clear()
            told = time.monotonic()

    try:
        with TrialLog(Home(job.home).log(job.trial.id)).crashes():
            run_trial(job, report, late)
    except KeyboardInterrupt:  # asked to end; its record says so
        return
    finally:
        tune.report({"points": points})


def run_trials(jobs: Sequence[Job], listener: Listener) -> None:
    """Run trials as Ray Tune trials, on a Ray that was started.

    Raises:
        KeyboardInterrupt: it was asked to end before all of them had.
        OSError: the disk refuses a result.
    """
    from ray import tune

    by_id = {job.trial.id: job for job in jobs}
    home = Home(jobs[0].home)
    ended: set[str] = set()
    disk: list[OSError] = []
    tuner = tune.Tuner(
        tune.with_resources(_trainable, _share),
        param_space={
            "job": tune.grid_search([packed(job) for job in jobs]),
            "around": around(jobs),
        },
        tune_config=tune.TuneConfig(trial_dirname_creator=lambda trial: trial.trial_id, reuse_actors=True),
        run_config=tune.RunConfig(
            name=datetime.now(UTC).strftime("%Y%m%d-%H%M%S"),
            storage_path=str(home.ray),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=1),
            callbacks=[tune_callback(listener, by_id, ended, disk), _silence()],
        ),
    )
    try:
        tuner.fit()
    except Exception as error:  # Tune wraps what a callback raises into a text
        if disk:
            raise disk[0] from error
        raise
    if len(ended) < len(jobs) or StopRequest(home.root).made:  # Tune returns as if all were well when it is stopped
        raise KeyboardInterrupt


def _share(config: dict[str, Any]) -> Any:
    """What a trial occupies, as its method asks."""
    from ray import tune

    job = unpacked(config["job"])
    return tune.PlacementGroupFactory([{"CPU": job.cpus} | ({"GPU": job.gpus} if job.gpus else {})])


def _silence() -> Any:
    """In place of what Tune prints of trials that it stopped before they began."""
    from ray.tune.progress_reporter import TrialProgressCallback

    class Silent(TrialProgressCallback):
        def _print(self, msg: str) -> None:
            pass

    return Silent()


def tune_callback(listener: Listener, jobs: dict[str, Job], ended: set[str], disk: list[OSError]) -> Any:
    """A Tune callback, made here because its base class exists only once Ray is imported.

    It adds the ids of trials that have ended to ``ended``, and what the disk refused to ``disk``.

    Tune pickles its callbacks to resume from them, which we never do, and a listener may hold a terminal: so it is
    pickled as a callback that does nothing.
    """
    from ray import tune

    # what was there, and not when: clocks differ from machine to machine
    before = {trial: Home(job.home).results.read(trial) for trial, job in jobs.items()}
    refused: dict[str, str] = {}

    def job_of(trial: Any) -> Job:
        return jobs[unpacked(trial.config["job"]).trial.id]

    def end(job: Job, result: Result) -> None:
        try:
            Home(job.home).results.write(result)
        except OSError as error:
            disk.append(error)
            raise
        ended.add(job.trial.id)
        listener.finished(job, result)

    class Listening(tune.Callback):
        def __reduce__(self) -> tuple[Any, ...]:
            return (tune.Callback, ())

        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            listener.started(job_of(trial))

        def on_trial_result(
            self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
        ) -> None:
            job = job_of(trial)
            for step, metrics in result.get("points", ()):
                listener.progressed(job, step, metrics)
            if "refused" in result:
                refused[job.trial.id] = result["refused"]

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            job = job_of(trial)
            if job.trial.id in refused:
                end(job, failed(job, Failure(kind="dependency", stage="assets", message=refused[job.trial.id])))
                return
            result = Home(job.home).results.read(job.trial.id)
            if result is not None and (result.status == "done" or result != before[job.trial.id]):
                ended.add(job.trial.id)
                listener.finished(job, result)

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            job = job_of(trial)
            end(job, lost(job, str(trial.get_error() or "")))

    return Listening()
