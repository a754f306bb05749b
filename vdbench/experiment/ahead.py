"""What trials will ask for before they run: their clips, their tasks, and the shared assets that are missing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vdbench.experiment.bench import Bench, teacher_of
from vdbench.experiment.failures import failure_kind, sentence_of
from vdbench.experiment.progress import TrialProgress
from vdbench.experiment.reproducing import reproducibly
from vdbench.experiment.worker import bench_of, prepared
from vdbench.registry import Registry
from vdbench.registry.declared import needed
from vdbench.storage import files
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from vdbench.datasets.view import View
    from vdbench.experiment.trial import Job
    from vdbench.method import Method, Task
    from vdbench.work.assets import AssetSpec


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
        method, task = prepared(job, bench, TrialProgress(silent, job), self._registries[job.plugins])
        return Ahead(bench.view, method, task, task.assets.missing(_needed(job, method, task)))


def _needed(job: Job, method: Method[Any], task: Task) -> Sequence[AssetSpec[Any]]:
    """What a trial asks for: the assets of its method, and the teacher, where its protocol always has soft labels."""
    teacher = [teacher_of(job.trial.protocol, job.trial.seed)] if job.trial.protocol.taught else []
    return [*needed(method, task), *teacher]


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
            method, task = prepared(job, bench_of(job), TrialProgress(report, job))
            for _, spec in task.assets.missing(_needed(job, method, task)):
                if task.assets.folder(spec) == folder:
                    task.assets.get(spec)
    except BaseException as error:
        if failure_kind(error) == "interrupted":
            raise
        warnings.warn(f"{folder.parent.name} could not be built: {sentence_of(error)}", stacklevel=1)
