"""A run: the plan carried out by a scheduler, under a lock, with everybody who listens told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vdbench.experiment.result import Failure
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.worker import bench_of, failed
from vdbench.storage import drafts, files

if TYPE_CHECKING:
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.result import Result
    from vdbench.experiment.schedule import Listener, Scheduler
    from vdbench.experiment.trial import Job


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        done: results of the plan that are finished, earlier runs' included.
        failed: records of trials that failed in this run.
        interrupted: whether the user stopped it, with Ctrl-C or SIGTERM.
    """

    done: tuple[Result, ...]
    failed: tuple[Result, ...]
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some trials failed, 130 interrupted."""
        return 130 if self.interrupted else int(bool(self.failed))


def carry_out(
    plan: Plan,
    home: Home,
    scheduler: Scheduler,
    listeners: Sequence[Listener],
    asked: Callable[[], None] | None = None,
    leave: Callable[[], None] | None = None,
) -> Outcome:
    """Run what is pending in a plan.

    Args:
        plan: the trials.
        home: where results go.
        scheduler: runs them.
        listeners: hear of all that happens.
        asked: told when the user asks the run to end.
        leave: ends the process where the run does not end although it was asked to; it is waited for where left out.

    Raises:
        UsageError: another run is using this home.
    """
    collected = _Collector(listeners)
    interrupted = False

    def give_up() -> None:
        try:
            collected.record_interrupted(home)
        finally:
            if leave is not None:
                leave()

    with files.sole_user(home.root):
        _sweep(home)
        try:
            with StopRequest(home.root).on_sigterm(asked, give_up if leave else None):
                _list_lost(plan, home)
                scheduler(plan.pending, collected)
        except KeyboardInterrupt:
            interrupted = True
            collected.record_interrupted(home)
    done = [*plan.done.values(), *(r for r in collected.results if r.status == "done")]
    failed = [r for r in collected.results if r.status == "failed"]
    return Outcome(tuple(done), tuple(failed), interrupted)


def _sweep(home: Home) -> None:
    """Remove what a killed run was writing."""
    results, pages = home.results, home.leaderboard.glob("**/")
    for folder in (home.root, results.folder, results.clip_lists.folder, home.judged(""), home.distilled, *pages):
        drafts.sweep(folder)


def _list_lost(plan: Plan, home: Home) -> None:
    """Write down again the test sets of finished trials that are not beside their results any more."""
    lists = home.results.clip_lists
    lost = {
        result.test_set: job
        for job in plan.jobs
        if (result := plan.done.get(job.trial.id)) and result.test_set and not lists.path(result.test_set).exists()
    }
    for job in lost.values():
        bench_of(job).list_tested()


class _Collector:
    """Passes everything on to the listeners and keeps the results."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.listeners = listeners
        self.results: list[Result] = []
        self.running: dict[str, tuple[Job, datetime]] = {}

    def record_interrupted(self, home: Home) -> None:
        """Leave a record of every trial that had begun and could not leave one itself."""
        for job, begun in self.running.values():
            stored = home.results.read(job.trial.id)
            if stored is None or stored.started < begun:
                failure = Failure(kind="interrupted", stage="distill", message="the run was asked to end")
                home.results.write(failed(job, failure, begun))

    def preparing(self, what: str) -> None:
        for listener in self.listeners:
            listener.preparing(what)

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        for listener in self.listeners:
            listener.building(what, step, metrics)

    def built(self, what: str) -> None:
        for listener in self.listeners:
            listener.built(what)

    def started(self, job: Job) -> None:
        self.running[job.trial.id] = (job, datetime.now(UTC))
        for listener in self.listeners:
            listener.started(job)

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        for listener in self.listeners:
            listener.progressed(job, step, metrics)

    def finished(self, job: Job, result: Result) -> None:
        self.results.append(result)
        self.running.pop(job.trial.id, None)
        for listener in self.listeners:
            listener.finished(job, result)
