"""What every scheduler has in common: who listens to it, and how work is carried out in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vdbench.experiment.ahead import Lookout, build_asset
from vdbench.experiment.isolated import IsolatedProcess
from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.experiment.worker import run_trial
from vdbench.registry.methods import handed_over

if TYPE_CHECKING:
    from vdbench.experiment.result import Result


class Listener(Protocol):
    """Hears of a run, always in the driver's process."""

    def preparing(self, what: str) -> None:
        """Shared work is about to be done before the trials."""

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        """Shared work is at ``step`` of ``metrics['of']``."""

    def built(self, what: str) -> None:
        """One piece of shared work has ended."""

    def started(self, job: Job) -> None:
        """A trial has begun."""

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        """A trial is at ``step`` of its present stage, ``metrics['stage']``."""

    def finished(self, job: Job, result: Result) -> None:
        """A trial has a result, done or failed."""


Scheduler = Callable[[Sequence[Job], Listener], None]
"""Runs every job and tells the listener. Raises KeyboardInterrupt when the user stops it."""


def run_inline(jobs: Sequence[Job], listener: Listener, isolate: bool | None = None) -> None:
    """Run the jobs one after the other, in this process or in another one that may end without harm.

    Args:
        jobs: what to run.
        listener: hears of it.
        isolate: whether work is done in another process; where None, that of plugin files, which may do anything, and
            that with a time limit, which can only be enforced there. Classes that this process was handed stay here.
    """
    if not jobs:
        return
    stop, handed = StopRequest(jobs[0].home), {entry.name for entry in handed_over()}

    def apart(job: Job) -> bool:
        wanted = bool(job.plugins) or job.timeout is not None if isolate is None else isolate
        return wanted and job.trial.method not in handed

    with IsolatedProcess() as other:
        for job, folder in (piece for wave in shared_assets(jobs) for piece in wave):
            what = describe_asset(job, folder)
            listener.preparing(what)
            build = other.asset if apart(job) else build_asset
            build(job, folder, lambda step, what=what, **metrics: listener.building(what, step, metrics))
            listener.built(what)
            stop.raise_if_made()
        for job in jobs:
            stop.raise_if_made()
            listener.started(job)
            run = other.trial if apart(job) else run_trial
            result = run(job, lambda step, job=job, **metrics: listener.progressed(job, step, metrics))
            listener.finished(job, result)


def describe_asset(job: Job, folder: Path) -> str:
    """A shared asset in words."""
    return f"{folder.parent.name} for {job.trial.dataset.name}"


def shared_assets(jobs: Sequence[Job]) -> list[list[tuple[Job, Path]]]:
    """Each shared asset that is missing, once, in waves: a job that needs it, and where it will stand.

    The assets of one wave are made of those of earlier ones only. What cannot be found out here is left to the trial
    itself, whose record will say why.
    """
    missing: dict[Path, tuple[int, Job]] = {}
    look = Lookout()
    for job in {(job.trial.train_fingerprint, job.trial.assets): job for job in jobs}.values():
        try:
            ahead = look(job)
        except Exception:  # recorded, with its cause, by the trial
            continue
        missing |= {ahead.task.assets.folder(spec): (wave, job) for wave, spec in ahead.missing}
    waves = sorted({wave for wave, _ in missing.values()})
    return [[(job, folder) for folder, (own, job) in missing.items() if own == wave] for wave in waves]
