"""``vdbench run --debug TRIAL``: one trial again, in the foreground, with what ends it shown as Python shows it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from vdbench.cli.output import err

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vdbench.experiment.home import Home
    from vdbench.experiment.trial import Means


def debug(named: str, place: Home, plugins: Sequence[Path], means: Means) -> int:
    """Carry a trial out in this process, and show the traceback of what ends it.

    What is stored of the trial stays, unless it ends done.

    Args:
        named: the first characters of its id, or the path of its result.
        place: the home with its result or the record of its failure.
        plugins: Python files that define its method.
        means: where to compute, and for how long.

    Returns:
        The exit code: 0 if it ended done, 1 otherwise.

    Raises:
        UsageError: no trial is called so, or this version and these plugins make another trial of it.
        KeyboardInterrupt: it was asked to end.
    """
    from vdbench.api.asking import repeated, requested
    from vdbench.cli.datasets import preparing
    from vdbench.cli.results import find_result
    from vdbench.errors import UsageError
    from vdbench.experiment.failures import sentence_of
    from vdbench.experiment.plan import make_plan
    from vdbench.experiment.worker import debugged
    from vdbench.storage import files
    from vdbench.work.reports import silent

    _, result = find_result(named, place.results)
    plan = make_plan(requested(repeated(result, None, plugins), place, means, preparing), place)
    job = next((job for job in plan.jobs if job.trial.id == result.id), None)
    if job is None:
        raise UsageError(
            f"this version and these files make another trial of {result.id}, {plan.jobs[0].trial.id}; use the version "
            "and the plugin files that it was run with"
        )
    err.print(f"{job.trial.title}; log {place.log(job.trial.id)}")
    with files.sole_user(place.root):
        try:
            debugged(job, silent)
        except Exception as error:
            traceback.print_exc()
            err.print(f"failed: {sentence_of(error)}")
            return 1
    err.print(f"done: {place.results.path(job.trial.id)}")
    return 0
