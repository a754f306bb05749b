"""What a run will take: from trials like it that are done, else from training steps timed here and now.

Where steps are timed only judging is counted, so that the time is a lower bound: what a method does before it hands
over its clips, and the encoders, experts and generators behind it, cannot be known beforehand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import open_view
from vdbench.files import digest
from vdbench.judging import ways
from vdbench.students import build_student

if TYPE_CHECKING:
    from vdbench.clipset import ClipSet
    from vdbench.evaluate import StudentSpec
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Job
    from vdbench.records import DatasetRecord

START_UP = 3.0
"""Seconds that a trial takes beside its stages, measured on 2 cores."""
TIMED_CLIPS = 8
"""Clips in the batch that is timed."""
PREVIEW_SHARE = 0.25
"""Bytes of picture and preview per byte of distilled clips, as measured on real clips."""

AT_LEAST = "at least this time: training steps timed here; distillation not counted"
"""What an estimate rests on where some trial has no like."""


@dataclass(frozen=True)
class Estimate:
    """What the pending trials of a plan will take.

    Attributes:
        seconds: wall-clock time, with as many trials at once as there are workers; without distillation where no
            trial like it is done.
        bytes: of distilled sets and previews.
        basis: what the seconds rest on, for people.
    """

    seconds: float
    bytes: int
    basis: str


def estimate(plan: Plan, home: Home, workers: int) -> Estimate:
    """Estimate the time and disk of what is pending."""
    known = _known_seconds(list(home.results.readable()))
    clocks: dict[str, _Clock] = {}
    seconds, stored, timed = 0.0, 0, False
    for job in plan.pending:
        trial = job.trial
        clock = clocks.setdefault(trial.train_fingerprint, _Clock(job))
        clips = clock.stored_clips(trial.ipc)
        stored += round(clips * clock.clip_bytes * (1 + PREVIEW_SHARE))
        protocol = trial.protocol.model_dump(mode="json")
        past = known.get(_likeness(trial.method, trial.pool, trial.dataset, trial.ipc, protocol))
        timed |= past is None
        seconds += START_UP + (clock.evaluation_seconds(clips) if past is None else past)
    basis = AT_LEAST if timed else "from trials like these"
    return Estimate(seconds / max(1, min(workers, len(plan.pending))), stored, basis)


def _likeness(method: str, pool: str | None, dataset: DatasetRecord, ipc: int | None, protocol: dict[str, Any]) -> str:
    """What trials of about the same cost have in common: all but settings and seed."""
    return digest([method, pool, dataset.fingerprint, ipc, protocol])


def _known_seconds(results: list[Result]) -> dict[str, float]:
    """Median seconds of finished trials, by likeness."""
    found: dict[str, list[float]] = {}
    for result in results:
        if result.status == "done":
            key = _likeness(result.method, result.pool, result.dataset, result.ipc, result.protocol)
            spent = result.stages["distill"].seconds + result.stages["evaluate"].seconds
            found.setdefault(key, []).append(spent)
    return {key: median(values) for key, values in found.items()}


class _Clock:
    """Times one training step per student on the clips of a job's data set, once, when first asked."""

    def __init__(self, job: Job) -> None:
        self._job = job
        view = open_view(ClipStore.open(job.store), job.home, **job.trial.protocol.data())
        self._train: ClipSet = view.train
        self._test_clips = len(view.test)
        self._per_clip: float | None = None
        self.clip_bytes = int(view.train.clips[0].nbytes)

    def stored_clips(self, ipc: int | None) -> int:
        """Clips of a distilled set."""
        return len(self._train) if ipc is None else ipc * len(self._train.classes)

    def evaluation_seconds(self, clips: int) -> float:
        """Training and testing every student on so many clips; a test clip costs a third of a training clip.

        The first student judges the protocol's other conditions too, as many as a set with hard labels has.
        """
        protocol = self._job.trial.protocol
        if self._per_clip is None:
            others = len(ways("hard", False, protocol.labels, protocol.augmentation is not None))
            times = [self._time(spec) for spec in protocol.students]
            self._per_clip = sum(times) + others * times[0]
        shown = protocol.recipe.steps(clips) * min(protocol.recipe.batch, clips)
        return protocol.evaluation_seeds * self._per_clip * (shown + self._test_clips / 3)

    def _time(self, spec: StudentSpec) -> float:
        """Seconds per clip of one training step; the first step warms up and is not counted."""
        train = self._train
        device = torch.device(self._job.device)
        student = build_student(spec.name, len(train.classes), train.frames, train.size, spec.width, 0, spec.depth).to(
            device
        )
        clips, labels = train.render(torch.arange(min(TIMED_CLIPS, len(train))))
        spent = []
        for _ in range(3):
            started = time.perf_counter()
            loss = torch.nn.functional.cross_entropy(student(clips.to(device)), labels.to(device))
            torch.autograd.backward(loss)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            spent.append(time.perf_counter() - started)
        return min(spent[1:]) / len(clips)
