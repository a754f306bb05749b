"""What every scheduler has in common: who listens to it, and how work is carried out in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vdbench.experiment.stopping import StopRequest
from vdbench.experiment.trial import Job
from vdbench.experiment.worker import build_asset, needed_assets, run_trial

if TYPE_CHECKING:
    from vdbench.experiment.result import Result


class Listener(Protocol):
    """Hears of a run, always in the driver's process."""

    def preparing(self, what: str) -> None:
        """Shared work is about to be done before the trials."""

    def started(self, job: Job) -> None:
        """A trial has begun."""

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        """A trial is at ``step`` of its present stage, ``metrics['stage']``."""

    def finished(self, job: Job, result: Result) -> None:
        """A trial has a result, done or failed."""


Scheduler = Callable[[Sequence[Job], Listener], None]
"""Runs every job and tells the listener. Raises KeyboardInterrupt when the user stops it."""


def run_inline(jobs: Sequence[Job], listener: Listener) -> None:
    """Run the jobs one after the other in this process."""
    if not jobs:
        return
    stop = StopRequest(jobs[0].home)
    for job, folder in shared_assets(jobs):
        listener.preparing(f"{folder.parent.name} for {job.trial.dataset.name}")
        build_asset(job, folder)
        stop.raise_if_made()
    for job in jobs:
        stop.raise_if_made()
        listener.started(job)
        result = run_trial(job, lambda step, job=job, **metrics: listener.progressed(job, step, metrics))
        listener.finished(job, result)


def shared_assets(jobs: Sequence[Job]) -> list[tuple[Job, Path]]:
    """Each shared asset that is missing, once: a job that needs it, and where it will stand.

    What cannot be found out here is left to the trial itself, whose record will say why.
    """
    missing: dict[Path, Job] = {}
    for job in {(job.trial.train_fingerprint, job.trial.assets): job for job in jobs}.values():
        try:
            needed = needed_assets(job)
        except Exception:  # recorded, with its cause, by the trial
            continue
        missing |= {folder: job for folder in needed if not folder.is_dir()}
    return [(job, folder) for folder, job in missing.items()]
