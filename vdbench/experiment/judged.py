"""Equal distilled sets are judged once: a trial takes over what students made of a set like its own.

Students' seeds do not depend on the method, so equal tensors under equal protocols give equal numbers. Herding,
k-center and k-means keep the same clips at IPC 1. Trials that run at once do not wait for each other: each is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.evaluation.judging import Evaluation
from vdbench.experiment.environment import environment
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdbench.distilled.distilled_set import DistilledRecord
    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Trial
    from vdbench.outcomes import ClipList
    from vdbench.records import StudentScores

SHOWN = {"classes", "labels", "normalisation", "step_size", "form", "codec", "clip_shape"}
"""What students see of a distilled set beside its tensors."""


def evaluation_key(trial: Trial, record: DistilledRecord, artefact: str, device: str) -> str:
    """Hash of all that decides what students make of a distilled set, with this SHA-256, on this machine."""
    shown = record.model_dump(mode="json", include=SHOWN)
    machine = environment(device).model_dump(mode="json", exclude=None if device == "cuda" else {"flags"})
    return files.digest([artefact, shown, trial.ipc, trial.judging, machine])


def judged_once(home: Home, trial: Trial, key: str, judge: Callable[[], Evaluation]) -> tuple[Evaluation, str | None]:
    """The evaluation of a distilled set, from a finished trial of this home where one has it.

    Returns:
        The evaluation, and the trial that it was taken from; None where this one was judged.
    """
    path = home.judged(key)
    known = home.results.read(path.read_text(encoding="utf-8")) if path.is_file() else None
    if known is not None and known.status == "done" and known.id != trial.id and known.test_set is not None:
        return _taken_over(known, home.results.clip_lists.read(known.test_set)), known.id
    evaluation = judge()
    files.write_text(path, trial.id)  # whoever comes before the result is stored finds none, and judges
    return evaluation, None


def _taken_over(result: Result, tested: ClipList) -> Evaluation:
    """The evaluation that a result holds, without what it cost, which was paid once."""
    conditions = [way.model_copy(update={"students": _free(way.students)}) for way in result.conditions]
    return Evaluation(_free(result.students), tuple(conditions), tested)


def _free(students: Iterable[StudentScores]) -> tuple[StudentScores, ...]:
    nothing = {"train_seconds": 0.0, "test_seconds": 0.0, "peak_memory": 0}
    return tuple(scores.model_copy(update=nothing) for scores in students)
