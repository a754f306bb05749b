"""The record of a trial whose process ended before the trial did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.experiment.failures import FEWER, SMALLER
from vdbench.experiment.home import Home
from vdbench.experiment.result import Failure
from vdbench.experiment.trial_log import TrialLog, crashed
from vdbench.experiment.worker import failed

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Job

MEMORY = ("OutOfMemory", "SIGKILL")
"""What is told of a process that the system or Ray ended for want of memory."""


def lost(job: Job, cause: str) -> Result:
    """The record of a trial whose process died.

    Args:
        job: the trial.
        cause: what is known of it, such as the name of a signal.
    """
    home = Home(job.home)
    where = crashed(home.log(job.trial.id))
    memory = not where and any(sign in cause for sign in MEMORY)
    failure = Failure(
        kind="oom" if memory else "bug",
        stage="distill",
        message=f"the worker process died, most likely for want of memory; {FEWER}, or {SMALLER}"
        if memory
        else f"the worker process {'crashed' if where else 'died'}",
        details=f"{cause}\n{where}".strip(),
    )
    TrialLog(home.log(job.trial.id))(f"{failure.message}: {cause}")
    return failed(job, failure)
