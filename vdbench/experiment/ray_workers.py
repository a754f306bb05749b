"""What a Ray worker needs of the driver's process before it can work: its folder, and classes that it was handed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.registry.methods import handed_over, receive

if TYPE_CHECKING:
    from vdbench.experiment.trial import Job

REPORT_EVERY = 0.5
"""Seconds between two messages from a worker to the driver; each takes tens of milliseconds."""


def around(jobs: Sequence[Job]) -> dict[str, Any]:
    """What workers need of the driver's process: its folder, and the classes that it was handed as methods."""
    from ray import cloudpickle

    methods = {job.trial.method for job in jobs}
    handed = [entry for entry in handed_over() if entry.name in methods]
    return {"folder": str(Path.cwd()), "path": sys.path if handed else [], "handed": cloudpickle.dumps(handed)}  # type: ignore[no-untyped-call]


def work_in(there: dict[str, Any]) -> None:
    """Go to the driver's folder, which relative paths among settings start from, where this machine has it.

    Classes of modules are imported from where the driver finds them; those of scripts and notebooks come along.
    """
    from ray import cloudpickle

    if Path(there["folder"]).is_dir():
        os.chdir(there["folder"])
    sys.path += [place for place in there["path"] if place not in sys.path]
    receive(cloudpickle.loads(there["handed"]))
