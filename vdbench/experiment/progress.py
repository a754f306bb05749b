"""How far a trial is: heard, kept as curves, and where it is ended that takes too long or was asked to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from vdbench.errors import FailureKind, VdbenchError
from vdbench.experiment.curves import Curves, plain
from vdbench.experiment.stopping import StopRequest

if TYPE_CHECKING:
    from vdbench.experiment.result import Curve
    from vdbench.experiment.trial import Job
    from vdbench.experiment.trial_log import TrialLog
    from vdbench.work.reports import Report

LOOK_EVERY = 0.5
"""Seconds between two looks for a request to stop."""


class TrialTimeoutError(VdbenchError):
    """A trial took longer than it was given."""

    kind: FailureKind = "timeout"


def too_late(seconds: float) -> str:
    """What is said of a trial that took longer than it was given."""
    return f"not finished after {seconds:g} seconds; give it more with --timeout"


class TrialProgress:
    """A report that knows the stage, keeps the time limit, and ends the trial when the run was asked to end.

    A trial that has to end is told by :meth:`due` first, so that it can keep its state, and ended at a later report.

    Args:
        report: hears of every step, with the stage.
        job: the trial.
        log: hears of the stages; left out where nothing is carried out that has a log.

    Attributes:
        stage: ``assets``, ``distill`` or ``evaluate``.
    """

    def __init__(self, report: Report, job: Job, log: TrialLog | None = None) -> None:
        self.stage = "assets"
        self._curves = Curves()
        self._report, self._job, self._log = report, job, log
        self._stop, self._stopping = StopRequest(job.home), False
        self._started = self._kept = self._looked = time.monotonic()

    def __call__(self, step: int, **metrics: Any) -> None:
        """Hear of a step.

        Raises:
            TrialTimeoutError: the time is over.
            KeyboardInterrupt: the run was asked to end.
        """
        now = time.monotonic()
        if self._late(now):
            raise TrialTimeoutError(too_late(self._job.timeout or 0))
        if self._stopping:
            raise KeyboardInterrupt("the run was asked to end")
        if now - self._looked > LOOK_EVERY:
            self._looked, self._stopping = now, self._stop.made
        told = {name: plain(value) for name, value in metrics.items()}
        self._report(int(step), stage=self.stage, **told)
        self._curves.add(int(step), told)

    @property
    def curves(self) -> dict[str, Curve]:
        """What this stage reported, thinned."""
        return self._curves.thinned()

    def due(self) -> bool:
        """Whether long work should keep its state now."""
        now = time.monotonic()
        due = self._stopping or self._late(now) or now - self._kept >= self._job.checkpoint_every
        self._kept = now if due else self._kept
        return due

    def _late(self, now: float) -> bool:
        return self._job.timeout is not None and now - self._started > self._job.timeout

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """The stage that the block is; its curves begin anew."""
        self.stage, self._curves = stage, Curves()
        self(0)
        with self._log.stage(stage) if self._log else nullcontext():
            yield
