"""The Ray scheduler: shared assets as Ray tasks, then every trial as a Ray Tune trial with its share of the machine."""

from __future__ import annotations

import gc
import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vdbench.experiment.ahead import build_asset
from vdbench.experiment.home import Home
from vdbench.experiment.ray_places import environment, temporary_folder, token_where_none_can_be_kept
from vdbench.experiment.ray_trials import run_trials
from vdbench.experiment.ray_watch import check_address, ended_with_its_node, starting
from vdbench.experiment.ray_workers import REPORT_EVERY, around, refusal, work_in
from vdbench.experiment.schedule import Listener, describe_asset, shared_assets
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.storage import files

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "auto",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "PYTHONSAFEPATH": "1",
}
"""Set before Ray is imported, here and in every worker.

No reports home, no tracebacks of lost workers beside our records of them, one math thread per worker, no copy of the
working folder below ``uv run``, and no processes that look for modules in the working folder. A worker without a share
of a GPU sees none, where Ray would show it all of them. Tune runs every trial in a thread of its own, and glibc gives
threads heaps of their own, whose free memory the next trial does not get: with one heap for all, a worker does not grow
from trial to trial.
"""

START_UP = 8.0
"""Seconds until Ray runs its first trial: a rough figure."""


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
            node = ray.get_runtime_context().get_node_id()
            with ended_with_its_node(lambda: any(at["Alive"] for at in ray.nodes() if at["NodeID"] == node)):  # type: ignore[no-untyped-call]
                _build_shared(fitting, listener)
                run_trials(fitting, listener)
        finally:
            shut_down()
            _handle_sigterm(handler)  # Ray leaves none
            shutil.rmtree(Home(jobs[0].home).ray, ignore_errors=True)

    def _start(self, scratch: Path, temporary: str | None) -> None:
        import ray

        local = self.address == "local"
        scratch.mkdir(parents=True, exist_ok=True)
        check_address(self.address)
        with (
            starting(self.address),
            chdir(scratch),
        ):  # Ray's workers look for modules in the folder that it is started in
            ray.init(
                address=self.address,
                num_cpus=self.cpus if local else None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": QUIET},
                _temp_dir=temporary,
            )


def shut_down() -> None:
    """Let go of Ray, while no other thread collects garbage.

    A reference to one of Ray's objects that is collected while Ray shuts down ends the whole process with exit code 1
    and without a word (2.60.0). MLflow's records are written by a thread, in which a collection may begin at any time.
    """
    import ray

    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        if collecting:
            gc.enable()


def _handle_sigterm(handler: Any) -> None:
    """Set a handler, where a thread may."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _build_shared(jobs: Sequence[Job], listener: Listener) -> None:
    """Build what several trials need before any of them occupies a place and waits for it."""
    import ray

    stop, here = StopRequest(jobs[0].home), around(jobs)
    for wave in shared_assets(jobs):
        pending, news, what_of = [], {}, {}
        for job, folder in wave:
            news[_news(folder)] = describe_asset(job, folder)
            listener.preparing(news[_news(folder)])
            build = ray.remote(num_cpus=job.cpus, num_gpus=job.gpus)(_build_one)
            pending.append(build.remote(job.model_dump(mode="json"), str(folder), here))
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


def _build_one(job: dict[str, Any], folder: str, there: dict[str, Any]) -> None:
    if refusal(there) is not None:  # as the trials will be that need it, if they come here too
        return
    path, told = _news(Path(folder)), 0.0
    work_in(there)

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
