"""The MLflow mirror: every trial as a run, written by the driver alone. The result files stay the truth."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from filelock import FileLock

from vdbench.records import by_condition
from vdbench.storage.drafts import draft_of, sweep

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Job

MOST_ARTIFACT = 64 * 2**20
"""Bytes of a file that is copied into the store; a whole train split stays where it is."""
GENERATOR_EXPERIMENT = "vdbench-generator"
"""The experiment of generators and their pools."""
MOST_PARAM = 500
"""Characters that MLflow keeps of a parameter's value."""


@dataclass(frozen=True)
class SharedWork:
    """Work that trials share, as a run: a generator that was trained, a pool that was sampled or scored.

    Attributes:
        asset: what it is found again by.
        title: of the run.
        params: for the run's parameters.
        numbers: for its metrics.
        curves: steps and values of metrics that change.
        files: that are copied into the store.
    """

    asset: str
    title: str
    params: Mapping[str, Any]
    numbers: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    files: Sequence[Path] = ()


def tracking_uri(home: Home) -> str:
    """Where the mirror is: ``MLFLOW_TRACKING_URI``, or SQLite in the home."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _sqlite_uri(mirror_file(home))


def mirror_file(home: Home) -> Path:
    """The SQLite file in the home that holds the mirror, unless ``MLFLOW_TRACKING_URI`` names another place."""
    return home.mlflow / "mlflow.db"


def _sqlite_uri(path: Path) -> str:
    """What MLflow opens this very file by.

    A ``?`` would begin the URI's query, and a ``%`` a character in hexadecimal, so SQLite gets such a path as a URI of
    its own, which names the driver: MLflow makes the parent folder of what follows a bare ``sqlite:///``, another one.
    """
    if not {"?", "%"} & set(str(path)):
        return f"sqlite:///{path}"
    from sqlalchemy import URL

    uri = URL.create("sqlite+pysqlite", database=f"file:{quote(str(path))}", query={"uri": "true"})
    return uri.render_as_string(hide_password=False)


class MlflowMirror:
    """A listener that writes into MLflow. If the store cannot be reached, it warns once and the run goes on.

    All that is done with the store is done by one thread, so that no trial waits for it.

    Args:
        home: whose artefacts are logged.
        title: of the parent run that holds the trials of this run.
    """

    def __init__(self, home: Home, title: str) -> None:
        self._home = home
        self._title = title
        self._client: MlflowClient | None = None
        self._parents: dict[str, str] = {}
        self._curves: dict[str, list[tuple[str, float, int, int]]] = {}
        self._asked: deque[Future[None]] = deque()
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        with suppress(ImportError):  # the thread says why; two that import the same at once may find half of it
            import mlflow  # noqa: F401
        self._thread = ThreadPoolExecutor(1, "mlflow")
        self._thread.submit(self._attempt, self._connect)

    @property
    def recording(self) -> bool:
        """Whether the store could be reached until now."""
        self._guarded(lambda: None).result()
        return self._client is not None

    def preparing(self, what: str) -> None:
        """Nothing to record: assets are not runs."""

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        """Nothing to record."""

    def built(self, what: str) -> None:
        """Nothing to record."""

    def started(self, job: Job) -> None:
        """Forget the curves of an attempt that was lost."""
        self._curves[job.trial.id] = []

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        """Keep the numbers of a curve until the trial ends; ``of``, the number of all steps, makes none."""
        now = int(time.time() * 1000)
        stage = metrics.get("stage", "")
        curves = self._curves.setdefault(job.trial.id, [])
        for key, value in metrics.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and key != "of":
                name = re.sub(r"[^\w\-. :/]", "_", f"{stage}.{key}")  # MLflow refuses other characters
                curves.append((name, float(value), now, step))

    def finished(self, job: Job, result: Result) -> None:
        """Write the trial: parameters, scores, costs, curves, the artefact and its preview."""
        artefact, curves = self._home.artefact(job.trial.distillation_id), self._curves.pop(result.id, [])
        self._asked.append(self._guarded(lambda: self._record(result, curves, artefact)))

    def record(self, result: Result) -> None:
        """Write a stored result, without curves: for rebuilding the mirror."""
        self._guarded(lambda: self._record(result, [], None)).result()

    def record_work(self, work: SharedWork) -> None:
        """Write shared work as a run of the experiment ``vdbench-generator``, in place of what was written of it."""
        self._guarded(lambda: self._record_work(work)).result()

    @property
    def behind(self) -> int:
        """How many trials have ended that are still to be written."""
        while self._asked and self._asked[0].done():
            self._asked.popleft()
        return len(self._asked)

    def close(self) -> None:
        """Write what is still to be written, unless Ctrl-C forgoes it, and end the parent runs."""
        try:
            self._guarded(self._end_parents).result()
        except KeyboardInterrupt:
            self._thread.shutdown(wait=False, cancel_futures=True)
            raise

    def _end_parents(self) -> None:
        for run in self._parents.values():
            if self._client is not None:
                self._client.set_terminated(run)

    def _guarded(self, action: Callable[[], Any]) -> Future[None]:
        """Do something with the store after all that was asked before, unless it was given up by then."""
        return self._thread.submit(lambda: self._attempt(action) if self._client is not None else None)

    def _attempt(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except Exception as error:  # a mirror must not stop the work
            self._client = None
            reason = " ".join(str(error).split())[:300]
            warnings.warn(f"MLflow at {tracking_uri(self._home)} is not recording: {reason}", stacklevel=2)

    def _connect(self) -> None:
        import logging

        from mlflow import MlflowClient

        for noisy in ("alembic", "mlflow"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)  # their errors are tracebacks; ours is the warning
        self._home.mlflow.mkdir(parents=True, exist_ok=True)
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            _make_store(mirror_file(self._home), MlflowClient)
        client = MlflowClient(tracking_uri(self._home))
        client.search_experiments(max_results=1)
        self._client = client

    def _experiment(self, client: MlflowClient, name: str) -> str:
        """The id of an experiment, which is made if there is none."""
        experiment = client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        local = tracking_uri(self._home).startswith("sqlite")
        location = (self._home.mlflow / "artifacts").as_uri() if local else None
        return str(client.create_experiment(name, artifact_location=location))

    def _parent(self, client: MlflowClient, suite: str) -> tuple[str, str]:
        experiment_id = self._experiment(client, f"vdbench-{suite}")
        if suite not in self._parents:
            self._parents[suite] = client.create_run(experiment_id, run_name=self._title).info.run_id
        return experiment_id, self._parents[suite]

    def _record(self, result: Result, curves: list[tuple[str, float, int, int]], artefact: Path | None) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client = self._client
        if client is None:
            return
        experiment, parent = self._parent(client, result.suite)
        for old in client.search_runs([experiment], f"tags.trial = '{result.id}'"):  # of a failure, or of a rebuild
            client.delete_run(old.info.run_id)
        name = f"{result.label} {result.dataset.name} ipc {result.ipc or 'all'} seed {result.seed}"
        run = client.create_run(experiment, run_name=name, tags={"mlflow.parentRunId": parent}).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in _numbers(result).items()]
        metrics += [Metric(*point) for point in curves]
        params = [Param(key, str(value)[:MOST_PARAM]) for key, value in _params(result).items()]
        tags = [RunTag("trial", result.id), RunTag("status", result.status), RunTag("dataset", result.dataset.title)]
        _log(client, run, metrics, params, tags)
        if (stored := self._home.results.path(result.id)).is_file():  # log_dict's temporary folder outlives a kill
            client.log_artifact(run, str(stored))
        if artefact is not None and artefact.is_dir() and result.status == "done":
            for path in sorted(artefact.rglob("*")):
                if path.is_file() and path.stat().st_size <= MOST_ARTIFACT:
                    place = Path("distilled", path.relative_to(artefact).parent)
                    client.log_artifact(run, str(path), place.as_posix())
        client.set_terminated(run, "FINISHED" if result.status == "done" else "FAILED")

    def _record_work(self, work: SharedWork) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client = self._client
        if client is None:
            return
        experiment = self._experiment(client, GENERATOR_EXPERIMENT)
        for old in client.search_runs([experiment], f"tags.asset = '{work.asset}'"):
            client.delete_run(old.info.run_id)
        run = client.create_run(experiment, run_name=work.title).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in work.numbers.items()]
        metrics += [Metric(key, value, now, step) for key, curve in work.curves.items() for step, value in curve]
        params = [Param(key, str(value)[:MOST_PARAM]) for key, value in work.params.items()]
        _log(client, run, metrics, params, [RunTag("asset", work.asset)])
        for path in work.files:
            client.log_artifact(run, str(path))
        client.set_terminated(run, "FINISHED")


def _make_store(path: Path, client: type[MlflowClient]) -> None:
    """Make an empty store, whole or not at all: one that a kill left with half of its tables would never open."""
    with FileLock(path.with_name(f".{path.name}.lock")):
        sweep(path.parent)
        if not path.exists():
            draft = draft_of(path)
            client(_sqlite_uri(draft)).search_experiments(max_results=1)  # which makes the tables
            draft.replace(path)


def _log(
    client: MlflowClient, run: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
) -> None:
    """Write a run in batches no larger than MLflow takes."""
    for start in range(0, max(len(metrics), 1), 900):
        first = start == 0
        batch = metrics[start : start + 900]
        client.log_batch(run, metrics=batch, params=params if first else (), tags=tags if first else ())


def _params(result: Result) -> dict[str, Any]:
    return {
        "method": result.label,
        "dataset": result.dataset.name,
        "ipc": result.ipc,
        "seed": result.seed,
        "suite": result.suite,
        **{f"set.{key}": value for key, value in result.settings.items()},
    }


def _numbers(result: Result) -> dict[str, float]:
    numbers = {"stored_bytes": float(result.stored_bytes)}
    for stage, cost in result.stages.items():
        numbers |= {f"{stage}.seconds": cost.seconds, f"{stage}.peak_memory": float(cost.peak_memory)}
    if result.step_size is not None:
        numbers["step_size"] = result.step_size
    for name, student in by_condition(result.students, result.conditions):
        prefix = "" if name == "own" else f"{name}."
        for score in ("top1", "top5", "macro"):
            values = [getattr(s, score) for s in student.scores]
            numbers[f"{prefix}{student.student}.{score}"] = sum(values) / len(values)
    return numbers
