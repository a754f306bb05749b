"""Carrying out one trial: assets, distillation, evaluation, and a record of what came of it.

Both schedulers run these functions, and nothing else runs a trial.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from threadpoolctl import threadpool_limits

from vdbench.datasets.store import ClipStore
from vdbench.distilled.distilled_set import TENSORS
from vdbench.distilled.soundness import check_set
from vdbench.errors import DataError
from vdbench.experiment.artefacts import make, store
from vdbench.experiment.bench import Bench, teacher_of
from vdbench.experiment.environment import environment
from vdbench.experiment.failures import failure_kind, failure_of, sentence_of
from vdbench.experiment.home import Home
from vdbench.experiment.judged import evaluation_key, judged_once
from vdbench.experiment.progress import TrialProgress
from vdbench.experiment.result import Result, Source, Stage
from vdbench.extensions.kinds import use
from vdbench.registry import Registry
from vdbench.storage import files
from vdbench.work.allocation import keep_freed_memory
from vdbench.work.measure import CODE
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from vdbench.datasets.view import View
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.experiment.artefacts import Made
    from vdbench.experiment.trial import Job
    from vdbench.method import Method, Task
    from vdbench.records import StudentScores
    from vdbench.work.assets import AssetSpec


def run_trial(job: Job, report: Report) -> Result:
    """Carry out a trial and store its result, whatever comes of it.

    Args:
        job: the trial and how to carry it out.
        report: ``report(step, stage=..., **metrics)``; hears of progress.

    Returns:
        The result, done or failed; it is on disk when this returns.

    Raises:
        KeyboardInterrupt: after an ``interrupted`` record was stored.
    """
    started = datetime.now(UTC)
    use(job.plugins)
    progress = TrialProgress(report, job)
    home = Home(job.home)
    try:
        with reproducibly():
            result = _carry_out(job, home, progress, started)
    except BaseException as error:
        failure = failure_of(error, progress.stage)
        result = blank_result(job, started).model_copy(update={"status": "failed", "failure": failure})
        home.results.write(result)
        if isinstance(error, KeyboardInterrupt):
            raise
        return result
    home.results.write(result)
    return result


@contextmanager
def reproducibly() -> Iterator[None]:
    """One math thread, since sums of several depend on how many there are, and exact float32 where it is asked for.

    On a CPU this makes outcomes equal to the bit; on a GPU some backward passes have no deterministic kernel.
    """
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = torch.get_num_threads(), cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32
    torch.set_num_threads(1)
    keep_freed_memory()
    cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = True, False, False
    try:
        with threadpool_limits(1):
            yield
    finally:
        threads, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = before
        torch.set_num_threads(threads)


def _carry_out(job: Job, home: Home, progress: TrialProgress, started: datetime) -> Result:
    trial, bench = job.trial, bench_of(job)
    method, task = _prepare(job, bench, progress)
    made, distilled = _distil(job, method, task, progress)
    needs = method.needs(task)
    shared = Stage(seconds=task.assets.seconds(needs), code=task.assets.code(needs))
    stages = {"assets": shared, "distill": made.cost}
    artefact = files.file_sha256(home.artefact(trial.storage_id) / TENSORS)
    bench.list_tested()
    with progress.during("evaluate"):
        evaluation, judged_as = judged_once(
            home,
            trial,
            evaluation_key(trial, distilled.record, artefact, job.device),
            lambda: bench.judge(
                distilled, trial.ipc, trial.seed, trial.evaluation_seeds(), progress, assets=task.assets
            ),
        )
        judged = [*evaluation.students, *(scores for setting in evaluation.conditions for scores in setting.students)]
        stages["evaluate"] = _evaluation_cost(judged)
    return blank_result(job, started).model_copy(
        update={
            "reconstruction": method.card.reconstruction,
            "source": Source(title=method.card.title, paper=method.card.paper, bibtex=method.card.bibtex),
            "labels": distilled.record.labels,
            "students": evaluation.students,
            "conditions": evaluation.conditions,
            "test_set": evaluation.tested.fingerprint,
            "step_size": distilled.record.step_size,
            "stored_clips": len(distilled),
            "stored_bytes": distilled.stored_bytes,
            "stored_as": distilled.record.codec,
            "distilled": trial.storage_id,
            "curves": made.curves,
            "artefact": artefact,
            "judged_as": judged_as,
            "stages": stages,
            "provenance": distilled.record.provenance,
        }
    )


def distil(job: Job, report: Report) -> DistilledSet:
    """Make the distilled set of a trial, or find that it was made, without judging it.

    Args:
        job: the trial and how to carry it out.
        report: as for :func:`run_trial`.

    Raises:
        VdbenchError: the method failed, or its set is not one for the task; nothing is recorded.
        KeyboardInterrupt: it was asked to end, and has kept its state.
    """
    use(job.plugins)
    progress = TrialProgress(report, job)
    with reproducibly():
        method, task = _prepare(job, bench_of(job), progress)
        return _distil(job, method, task, progress)[1]


def _distil(job: Job, method: Method[Any], task: Task, progress: TrialProgress) -> tuple[Made, DistilledSet]:
    """The set as its method returned it, and as the trial stores it."""
    trial, home = job.trial, Home(job.home)
    with progress.during("assets"):
        for spec in method.needs(task):
            task.assets.get(spec)
    with progress.during("distill"):
        made = make(trial, home, method, task, lambda: progress.curves)
        distilled = store(trial, home, made.distilled)
        check_set(distilled, task.train, trial.ipc, method.name)  # it may be one that an earlier version stored
    return made, distilled


def bench_of(job: Job) -> Bench:
    """The data set of a trial under its protocol.

    Raises:
        DataError: the store was prepared anew since the plan was made, and holds other clips.
    """
    bench = Bench.of(ClipStore.open(job.store), job.trial.protocol, Home(job.home), job.device)
    if bench.view.facts.fingerprint != job.trial.dataset.fingerprint:
        raise DataError(f"{job.trial.dataset.name} was prepared anew while this ran; type the same command again")
    return bench


def _prepare(
    job: Job, bench: Bench, progress: TrialProgress, registry: Registry | None = None
) -> tuple[Method[Any], Task]:
    trial = job.trial
    registry = registry or Registry(job.plugins)
    method = registry.configure(trial.method, trial.pool, job.settings)
    if registry.code(trial.method) != trial.method_code:
        where = job.plugins[0] if job.plugins else trial.method
        raise DataError(f"plugin {where} was edited while this ran; type the same command again")
    task = bench.task(
        trial.ipc,
        trial.distillation_seed,
        job.generator if trial.pool == "generated" else None,
        progress,
        progress.due,
        bench.home.checkpoints(trial.distillation_id),
    )
    return method, task


class Ahead(NamedTuple):
    """What a trial will do.

    Attributes:
        view: the clips.
        method: with its settings.
        task: what the method will be asked.
        missing: the shared assets that it asks for and their parts, as far as they do not exist, each after what it is
            made of, with its wave: those of one wave can be built beside each other.
    """

    view: View
    method: Method[Any]
    task: Task
    missing: list[tuple[int, AssetSpec[Any]]]


class Lookout:
    """Looks at what trials will do, and does nothing. Each data set is opened once, and methods are found once."""

    def __init__(self) -> None:
        self._benches: dict[str, Bench] = {}
        self._registries: dict[tuple[Path, ...], Registry] = {}

    def __call__(self, job: Job) -> Ahead:
        """What a trial will do. Raises what the trial itself would fail with at its start."""
        protocol = job.trial.protocol.model_dump(mode="json")
        place = files.digest([str(job.home), str(job.store), protocol, job.trial.dataset.fingerprint, job.device])
        if place not in self._benches:
            self._benches[place] = bench_of(job)
        if job.plugins not in self._registries:
            self._registries[job.plugins] = Registry(job.plugins)
        bench = self._benches[place]
        method, task = _prepare(job, bench, TrialProgress(silent, job), self._registries[job.plugins])
        return Ahead(bench.view, method, task, task.assets.missing(_needed(job, method, task)))


def _needed(job: Job, method: Method[Any], task: Task) -> Sequence[AssetSpec[Any]]:
    """What a trial asks for: the assets of its method, and the teacher, where its protocol always has soft labels."""
    teacher = [teacher_of(job.trial.protocol)] if job.trial.protocol.taught else []
    return [*method.needs(task), *teacher]


def build_asset(job: Job, folder: Path, report: Report) -> None:
    """Build one shared asset of a trial. A failure is left to the trials that need it, which record it.

    Args:
        job: a trial that needs it.
        folder: where it will stand, as :class:`Ahead` names it.
        report: hears of progress.

    Raises:
        KeyboardInterrupt: the run was asked to end; long work has kept its state.
    """
    try:
        with reproducibly():
            method, task = _prepare(job, bench_of(job), TrialProgress(report, job))
            for _, spec in task.assets.missing(_needed(job, method, task)):
                if task.assets.folder(spec) == folder:
                    task.assets.get(spec)
    except BaseException as error:
        if failure_kind(error) == "interrupted":
            raise
        warnings.warn(f"{folder.parent.name} could not be built: {sentence_of(error)}", stacklevel=1)


def _evaluation_cost(scores: Sequence[StudentScores]) -> Stage:
    return Stage(
        seconds=sum(s.train_seconds + s.test_seconds for s in scores),
        peak_memory=max(s.peak_memory for s in scores),
        code=CODE,
    )


def blank_result(job: Job, started: datetime) -> Result:
    """The record of a trial before anything came of it."""
    trial = job.trial
    return Result(
        id=trial.id,
        status="done",
        method=trial.method,
        method_version=trial.method_version,
        pool=trial.pool,
        control=trial.control,
        settings=trial.settings,
        prescribed=trial.prescribed,
        suite=trial.suite,
        protocol=trial.protocol.model_dump(mode="json"),
        evaluated_on=trial.protocol.evaluate_on,
        dataset=trial.dataset,
        ipc=trial.ipc,
        budget_bytes=trial.budget_bytes,
        codec=trial.codec,
        seed=trial.seed,
        environment=environment(job.device),
        started=started,
    )
