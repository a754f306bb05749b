"""The Ray scheduler: shared assets as Ray tasks, then every trial as a Ray Tune trial with its share of the machine."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vdbench.experiment.home import Home
from vdbench.experiment.ray_places import environment, temporary_folder, token_where_none_can_be_kept
from vdbench.experiment.ray_watch import ended_with_its_node
from vdbench.experiment.result import Failure, Result
from vdbench.experiment.schedule import Listener, describe_asset, shared_assets
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.experiment.worker import blank_result, build_asset, run_trial
from vdbench.registry.methods import handed_over, receive
from vdbench.storage import files

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "auto",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "PYTHONSAFEPATH": "1",
}
"""Set before Ray is imported, here and in every worker.

No reports home, one math thread per worker, no copy of the working folder below ``uv run``, and no processes that look
for modules in the working folder. Tune runs every trial in a thread of its own, and glibc gives threads heaps of their
own, whose free memory the next trial does not get: with one heap for all, a worker does not grow from trial to trial.
"""

START_UP = 8.0
"""Seconds until Ray runs its first trial: a rough figure."""
REPORT_EVERY = 0.5
"""Seconds between two messages from a worker to the driver; each takes tens of milliseconds."""


@dataclass(frozen=True)
class RayScheduler:
    """Runs jobs on Ray.

    Attributes:
        address: of an existing cluster, or ``local`` to start one on this machine.
        cpus: cores that a local Ray may use; all of them where None.
    """

    address: str = "local"
    cpus: int | None = None

    def __call__(self, jobs: Sequence[Job], listener: Listener) -> None:
        """Run the jobs; see :data:`vdbench.experiment.schedule.Scheduler`."""
        if not jobs:
            return
        local = self.address == "local"
        wanted = QUIET | (token_where_none_can_be_kept() if local else {})
        with environment(wanted):
            self._run(jobs, listener)

    def _run(self, jobs: Sequence[Job], listener: Listener) -> None:
        import ray

        handler = signal.getsignal(signal.SIGTERM)
        self._start(Home(jobs[0].home).ray, temporary_folder() if self.address == "local" else None)
        _handle_sigterm(handler)  # Ray's own would end the driver before its trials
        try:
            cores = ray.cluster_resources().get("CPU", 1.0)  # type: ignore[no-untyped-call]
            fitting = [job.model_copy(update={"cpus": min(job.cpus, cores)}) for job in jobs]  # more would never start
            with ended_with_its_node(_node_alive(ray.get_runtime_context().get_node_id())):
                _build_shared(fitting, listener)
                _tune(fitting, listener)
        finally:
            ray.shutdown()
            _handle_sigterm(handler)  # Ray leaves none
            shutil.rmtree(Home(jobs[0].home).ray, ignore_errors=True)

    def _start(self, scratch: Path, temporary: str | None) -> None:
        import ray

        local = self.address == "local"
        scratch.mkdir(parents=True, exist_ok=True)
        with chdir(scratch):  # Ray's workers look for modules in the folder that it is started in
            ray.init(
                address=self.address,
                num_cpus=self.cpus if local else None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": QUIET},
                _temp_dir=temporary,
            )


def _node_alive(node: str) -> Callable[[], bool]:
    """Tells whether the node of this process still answers the cluster's head."""
    import ray

    return lambda: any(known["Alive"] for known in ray.nodes() if known["NodeID"] == node)  # type: ignore[no-untyped-call]


def _handle_sigterm(handler: Any) -> None:
    """Set a handler, where a thread may."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _build_shared(jobs: Sequence[Job], listener: Listener) -> None:
    """Build what several trials need before any of them occupies a place and waits for it."""
    import ray

    stop, around = StopRequest(jobs[0].home), _around(jobs)
    for wave in shared_assets(jobs):
        pending, news, what_of = [], {}, {}
        for job, folder in wave:
            news[_news(folder)] = describe_asset(job, folder)
            listener.preparing(news[_news(folder)])
            build = ray.remote(num_cpus=job.cpus, num_gpus=job.gpus)(_build_one)
            pending.append(build.remote(job.model_dump(mode="json"), str(folder), around))
            what_of[pending[-1]] = news[_news(folder)]
        while pending:
            built, pending = ray.wait(pending, timeout=1)
            _tell(news, listener)
            for one in built:
                listener.built(what_of[one])
                try:
                    ray.get(one)
                except ray.exceptions.RayError:  # its worker died; the trials that need the asset say so
                    continue
        stop.raise_if_made()


def _tell(news: Mapping[Path, str], listener: Listener) -> None:
    """Pass on how far the builders are."""
    for path, what in news.items():
        try:
            step, metrics = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # it has not begun, or is done
            continue
        listener.building(what, step, metrics)


def _news(folder: Path) -> Path:
    """Where the worker that builds an asset says how far it is."""
    return folder.with_name(f".{folder.name}.news.json")


def _build_one(job: dict[str, Any], folder: str, around: dict[str, Any]) -> None:
    path, told = _news(Path(folder)), 0.0
    _work_in(around)

    def report(step: int, **metrics: Any) -> None:
        nonlocal told
        if time.monotonic() - told > REPORT_EVERY:
            told = time.monotonic()
            files.write_json(path, [step, metrics])

    try:
        build_asset(Job.model_validate(job), Path(folder), report)
    except KeyboardInterrupt:  # asked to end; its state is kept
        return
    finally:
        path.unlink(missing_ok=True)


def _around(jobs: Sequence[Job]) -> dict[str, Any]:
    """What workers need of the driver's process: its folder, and the classes that it was handed as methods."""
    from ray import cloudpickle

    methods = {job.trial.method for job in jobs}
    handed = [entry for entry in handed_over() if entry.name in methods]
    return {"folder": str(Path.cwd()), "path": sys.path if handed else [], "handed": cloudpickle.dumps(handed)}  # type: ignore[no-untyped-call]


def _work_in(around: dict[str, Any]) -> None:
    """Go to the driver's folder, which relative paths among settings start from, where this machine has it.

    Classes of modules are imported from where the driver finds them; those of scripts and notebooks come along.
    """
    from ray import cloudpickle

    if Path(around["folder"]).is_dir():
        os.chdir(around["folder"])
    sys.path += [place for place in around["path"] if place not in sys.path]
    receive(cloudpickle.loads(around["handed"]))


def _trainable(config: dict[str, Any]) -> None:
    """What runs in a Ray worker. A failure inside the trial is its result; only a lost worker escapes."""
    from ray import tune

    job = Job.model_validate(config["job"])
    if StopRequest(job.home).made:
        return
    _work_in(config["around"])
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
        run_trial(job, report)
    except KeyboardInterrupt:  # asked to end; its record says so
        return
    finally:
        tune.report({"points": points})


def _tune(jobs: Sequence[Job], listener: Listener) -> None:
    from ray import tune

    by_id = {job.trial.id: job for job in jobs}
    home = Home(jobs[0].home)
    ended: set[str] = set()
    tuner = tune.Tuner(
        tune.with_resources(_trainable, _share),
        param_space={
            "job": tune.grid_search([job.model_dump(mode="json") for job in jobs]),
            "around": _around(jobs),
        },
        tune_config=tune.TuneConfig(trial_dirname_creator=lambda trial: trial.trial_id, reuse_actors=True),
        run_config=tune.RunConfig(
            name=datetime.now(UTC).strftime("%Y%m%d-%H%M%S"),
            storage_path=str(home.ray),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=1),
            callbacks=[tune_callback(listener, by_id, ended)],
        ),
    )
    tuner.fit()
    if len(ended) < len(jobs) or StopRequest(home.root).made:  # Tune returns as if all were well when it is stopped
        raise KeyboardInterrupt


def _share(config: dict[str, Any]) -> Any:
    """What a trial occupies, as its method asks."""
    from ray import tune

    job = config["job"]
    return tune.PlacementGroupFactory([{"CPU": job["cpus"]} | ({"GPU": job["gpus"]} if job["gpus"] else {})])


def tune_callback(listener: Listener, jobs: dict[str, Job], ended: set[str]) -> Any:
    """A Tune callback, made here because its base class exists only once Ray is imported.

    Tune pickles its callbacks to resume from them, which we never do, and a listener may hold a terminal: so it is
    pickled as a callback that does nothing.
    """
    from ray import tune

    # what was there, and not when: clocks differ from machine to machine
    before = {trial: Home(job.home).results.read(trial) for trial, job in jobs.items()}

    def job_of(trial: Any) -> Job:
        return jobs[Job.model_validate(trial.config["job"]).trial.id]

    class Listening(tune.Callback):
        def __reduce__(self) -> tuple[Any, ...]:
            return (tune.Callback, ())

        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            listener.started(job_of(trial))

        def on_trial_result(
            self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
        ) -> None:
            for step, metrics in result.get("points", ()):
                listener.progressed(job_of(trial), step, metrics)

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            job = job_of(trial)
            result = Home(job.home).results.read(job.trial.id)
            if result is not None and (result.status == "done" or result != before[job.trial.id]):
                ended.add(job.trial.id)
                listener.finished(job, result)

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            job = job_of(trial)
            result = _lost(job, trial)
            Home(job.home).results.write(result)
            ended.add(job.trial.id)
            listener.finished(job, result)

    return Listening()


def _lost(job: Job, trial: Any) -> Result:
    """The record of a trial whose worker died, twice."""
    cause = str(trial.get_error() or "")
    memory = "OutOfMemory" in cause or "SIGKILL" in cause
    failure = Failure(
        kind="oom" if memory else "bug",
        stage="distill",
        message="the worker process died" + (", most likely for want of memory" if memory else ""),
        details=cause,
    )
    return blank_result(job, datetime.now(UTC)).model_copy(update={"status": "failed", "failure": failure})
