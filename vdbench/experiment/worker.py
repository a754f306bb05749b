"""Carrying out one trial: assets, distillation, evaluation, and a record of what came of it.

Both schedulers run these functions, and nothing else runs a trial.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.datasets.store import ClipStore
from vdbench.distilled.distilled_set import TENSORS
from vdbench.distilled.health import health
from vdbench.distilled.soundness import check_set
from vdbench.errors import DataError
from vdbench.evaluation.judging import random_clips
from vdbench.experiment.artefacts import make, store
from vdbench.experiment.bench import Bench
from vdbench.experiment.deadline import GRACE, deadline
from vdbench.experiment.environment import environment
from vdbench.experiment.failures import failure_of
from vdbench.experiment.home import Home
from vdbench.experiment.judged import evaluation_key, judged_once
from vdbench.experiment.progress import TrialProgress, too_late
from vdbench.experiment.reproducing import reproducibly
from vdbench.experiment.result import Failure, Result, Source, Stage
from vdbench.experiment.trial_log import TrialLog
from vdbench.extensions.kinds import use
from vdbench.records import by_condition
from vdbench.registry import Registry
from vdbench.registry.declared import answering, limits_of, needed
from vdbench.storage import files
from vdbench.work.measure import CODE

if TYPE_CHECKING:
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.experiment.artefacts import Made
    from vdbench.experiment.trial import Job, Trial
    from vdbench.method import Limits, Method, Task
    from vdbench.records import HealthMark, StudentScores
    from vdbench.work.reports import Report


def run_trial(job: Job, report: Report, late: Path | None = None) -> Result:
    """Carry out a trial and store its result, whatever comes of it.

    Args:
        job: the trial and how to carry it out.
        report: ``report(step, stage=..., **metrics)``; hears of progress.
        late: given where this process may be ended if the trial takes longer than its time limit and never looks: this
            file then says so.

    Returns:
        The result, done or failed; it is on disk when this returns.

    Raises:
        KeyboardInterrupt: after an ``interrupted`` record was stored.
    """
    started, home = datetime.now(UTC), Home(job.home)
    use(job.plugins)
    log = TrialLog(home.log(job.trial.id))
    progress = TrialProgress(report, job, log)

    def give_up() -> None:
        assert late is not None
        log(too_late(job.timeout or 0))
        failure = Failure(kind="timeout", stage=progress.stage, message=too_late(job.timeout or 0))
        home.results.write(failed(job, failure, started))
        late.touch()
        os._exit(1)

    limit = None if late is None or job.timeout is None else job.timeout + GRACE
    try:
        with log.attempt(job.trial.title), reproducibly(), deadline(limit, give_up):
            result = _carry_out(job, home, progress, started)
    except BaseException as error:
        result = failed(job, failure_of(error, progress.stage), started)
        home.results.write(result)
        if isinstance(error, KeyboardInterrupt):
            raise
        return result
    home.results.write(result)
    return result


def debugged(job: Job, report: Report) -> Result:
    """Carry out a trial in the foreground; its stored result is replaced only by one that is done.

    Raises:
        BaseException: whatever went wrong, as it was raised.
    """
    started, home = datetime.now(UTC), Home(job.home)
    use(job.plugins)
    log = TrialLog(home.log(job.trial.id))
    with log.attempt(f"{job.trial.title}, to debug it"), reproducibly():
        result = _carry_out(job, home, TrialProgress(report, job, log), started)
    home.results.write(result)
    return result


def _carry_out(job: Job, home: Home, progress: TrialProgress, started: datetime) -> Result:
    trial, bench = job.trial, bench_of(job)
    method, task = prepared(job, bench, progress)
    with answering(type(method), "limits()"):  # before hours of work, not after them
        limits = limits_of(method)
    made, distilled = _distil(job, method, task, progress)
    needs = needed(method, task)
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
        judged = by_condition(evaluation.students, evaluation.conditions)
        stages["evaluate"] = _evaluation_cost([scores for _, scores in judged])
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
            "health": _health(limits, made, bench, trial),
            "curves": made.curves,
            "artefact": artefact,
            "judged_as": judged_as,
            "stages": stages,
            "provenance": distilled.record.provenance,
        }
    )


def _health(limits: Limits, made: Made, bench: Bench, trial: Trial) -> tuple[HealthMark, ...]:
    if made.distilled.record.provenance.pool != "learned":
        return ()
    start = None if trial.ipc is None else random_clips(bench.view.train, trial.ipc, trial.seed)
    return health(made.distilled, made.curves, start, *limits)


def distil(job: Job, report: Report) -> DistilledSet:
    """Make the distilled set of a trial, or find that it was made, without judging it.

    Raises:
        VdbenchError: the method failed, or its set is not one for the task; nothing is recorded.
        KeyboardInterrupt: it was asked to end, and has kept its state.
    """
    use(job.plugins)
    progress = TrialProgress(report, job)
    with reproducibly():
        method, task = prepared(job, bench_of(job), progress)
        return _distil(job, method, task, progress)[1]


def _distil(job: Job, method: Method[Any], task: Task, progress: TrialProgress) -> tuple[Made, DistilledSet]:
    """The set as its method returned it, and as the trial stores it."""
    trial, home = job.trial, Home(job.home)
    with progress.during("assets"):
        for spec in needed(method, task):
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


def prepared(
    job: Job, bench: Bench, progress: TrialProgress, registry: Registry | None = None
) -> tuple[Method[Any], Task]:
    """The method of a trial with its settings, and what it is asked.

    Args:
        job: the trial.
        bench: its data set under its protocol.
        progress: hears of progress, and says when to keep state.
        registry: where the method is found; one of the job's plugins where left out.

    Raises:
        DataError: its plugin was edited since the plan was made, or what its data set is declared to be.
    """
    trial = job.trial
    registry = registry or Registry(job.plugins)
    method = registry.configure(trial.method, trial.pool, job.settings)
    if registry.code(trial.method) != trial.method_code:
        where = job.plugins[0] if job.plugins else trial.method
        raise DataError(f"plugin {where} was edited while this ran; type the same command again")
    given = bench.given(method, trial.draw or 0, trial.budget_bytes)
    if bench.described(given) != trial.reads:
        raise DataError(f"{trial.dataset.name} was declared anew while this ran; type the same command again")
    task = bench.task(
        trial.ipc,
        trial.distillation_seed,
        trial.draw or 0,
        job.generator if trial.pool == "generated" else None,
        progress,
        progress.due,
        bench.home.checkpoints(trial.distillation_id),
        given,
    )
    return method, task


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
        protocol=trial.protocol.judging(),
        draws=None if trial.draw is None else trial.protocol.draws,
        evaluated_on=trial.protocol.evaluate_on,
        dataset=trial.dataset,
        ipc=trial.ipc,
        budget_bytes=trial.budget_bytes,
        codec=trial.codec,
        seed=trial.seed,
        environment=environment(job.device),
        started=started,
    )


def failed(job: Job, failure: Failure, started: datetime | None = None) -> Result:
    """The record of a trial that failed, which began just now where nothing is said."""
    blank = blank_result(job, started or datetime.now(UTC))
    machine = blank.environment.model_copy(update={"flags": None})  # those of the trial are no longer set
    return blank.model_copy(update={"status": "failed", "failure": failure, "environment": machine})
