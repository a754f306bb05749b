"""What a Ray worker needs of the driver's process before it can work: the same code, its folder, and classes."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.errors import DependencyError
from vdbench.registry.methods import handed_over, receive
from vdbench.version import installed

if TYPE_CHECKING:
    from vdbench.experiment.trial import Job

REPORT_EVERY = 0.5
"""Seconds between two messages from a worker to the driver; each takes tens of milliseconds."""
LONGEST_PAUSE = 300.0
"""Seconds that a worker waits at most before it refuses the next trial."""
PACKAGES = ("vdbench", "vdbench_methods")
"""Whose code has to be the driver's."""


def around(jobs: Sequence[Job]) -> dict[str, Any]:
    """What workers need of the driver's process: its software, its folder, and the classes that it was handed."""
    from ray import cloudpickle

    methods = {job.trial.method for job in jobs}
    handed = [entry for entry in handed_over() if entry.name in methods]
    return {
        "software": software(),
        "folder": str(Path.cwd()),
        "path": sys.path if handed else [],
        "handed": cloudpickle.dumps(handed),  # type: ignore[no-untyped-call]
    }


def software() -> tuple[str, str]:
    """The version of vdbench in this process, and the hash of its code, which a checkout changes more often."""
    return installed(), _code()


@cache
def _code() -> str:
    whole = hashlib.sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        for root in map(Path, spec.submodule_search_locations or () if spec else ()):
            for path in sorted(root.rglob("*.py")):
                whole.update(f"{package}/{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return whole.hexdigest()


def refusal(there: dict[str, Any]) -> DependencyError | None:
    """Why nothing can be carried out here for a driver; None where it can.

    Asked before anything else of the driver is read: another version may have other fields.

    Args:
        there: :func:`around` the driver.
    """
    (version, code), (own, own_code) = there["software"], software()
    if (version, code) == (own, own_code):
        return None
    found = f"vdbench {own}, not {version}" if own != version else f"other code of vdbench {version}, not that"
    return DependencyError(
        f"a Ray worker on {platform.node()} has {found} with which the run was started; install the same vdbench on "
        "every machine of the cluster, start Ray there anew, and type the same command again"
    )


_pauses = (min(2.0**refused, LONGEST_PAUSE) for refused in count())


def pause() -> float:
    """How many seconds this worker is to wait after a refusal while others work, each time longer.

    To refuse a trial takes no time, so that one machine with other software would fail a whole run before its
    neighbours are through with their first trials.
    """
    return next(_pauses)


def work_in(there: dict[str, Any]) -> None:
    """Go to the driver's folder, which relative paths among settings start from, where this machine has it.

    Classes of modules are imported from where the driver finds them; those of scripts and notebooks come along.
    """
    from ray import cloudpickle

    if Path(there["folder"]).is_dir():
        os.chdir(there["folder"])
    sys.path += [place for place in there["path"] if place not in sys.path]
    receive(cloudpickle.loads(there["handed"]))
