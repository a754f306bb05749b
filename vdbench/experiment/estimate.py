"""What a run will take: from trials and assets like its own that are there, else from steps timed here and now.

Assets and methods say how much work they are (:mod:`vdbench.work.workload`); of each kind of work one step is timed.
What does not say it is named and not counted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vdbench.evaluation.judging import evaluation_settings
from vdbench.experiment.ahead import Ahead, Lookout
from vdbench.experiment.past import TrialTime, asset_likeness, past_assets, past_trials, settled, trial_likeness
from vdbench.experiment.reproducing import reproducibly
from vdbench.generator.source import GeneratorSpec
from vdbench.registry.declared import work_of
from vdbench.storage.files import digest
from vdbench.work.workload import Work, embedding, seconds_of, training

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.trial import Job
    from vdbench.work.assets import AssetSpec

PER_TRIAL = 1.5
"""Seconds that a trial takes beside its stages, previews and records: a rough figure, as is the next."""
AT_THE_END = 5.0
"""Seconds that the leaderboard takes."""
TRY_FOR = 4.0
"""Seconds of this process after which no further work is tried, so that an estimate is quick where steps are slow."""
PREVIEW_SHARE = 0.25
"""Bytes of picture and preview per byte of distilled clips, as measured on real clips."""
TEST_BATCH = 64
"""Clips that students are tested on at a time."""


@dataclass(frozen=True)
class Shared:
    """Assets of one kind that are built before the trials.

    Attributes:
        what: the kind and the data set, as :func:`vdbench.experiment.schedule.describe_asset` has them.
        count: how many.
        seconds: that they take one after the other.
        training_of: the data set whose clips a generator is trained on; None where it is anything else.
    """

    what: str
    count: int
    seconds: float
    training_of: str | None = None


@dataclass(frozen=True)
class Estimate:
    """What the pending trials of a plan will take.

    Attributes:
        seconds: wall-clock time of the whole run, with as many trials at once as there are workers.
        bytes: of distilled sets and previews.
        basis: what the seconds rest on, and what they leave out, for people.
        shared: the assets that are built before the trials.
        trials: the pending ones, by id.
        uncounted: methods and assets that do not say how much work they are.
    """

    seconds: float
    bytes: int
    basis: str
    shared: Sequence[Shared] = ()
    trials: Mapping[str, TrialTime] = field(default_factory=dict)
    uncounted: Sequence[str] = ()


def estimate(plan: Plan, home: Home, workers: int, start_up: float = 0.0) -> Estimate:
    """The time and disk of what is pending, with so many trials at once, the first of them after so many seconds."""
    if not plan.pending:
        return Estimate(0.0, 0, "nothing is left to do")
    with reproducibly():
        found = _Survey(home)
        for job in plan.pending:
            found.look_at(job)
    waves: dict[int, list[float]] = {}
    for wave, _, seconds, _ in found.assets.values():
        waves.setdefault(wave, []).append(seconds)
    trials = [time.distill + time.rest for time in found.trials.values()]
    stretches = [*waves.values(), trials]
    whole = start_up + AT_THE_END + sum(max(*some, sum(some) / workers) for some in stretches)
    return Estimate(whole, found.bytes, found.basis(), found.shared(), found.trials, tuple(sorted(found.clock.silent)))


def _trains_a_generator(spec: AssetSpec[Any]) -> bool:
    if not isinstance(spec, GeneratorSpec):
        return False
    from vdbench.generator.training import TrainedGenerator  # needs diffusers, which other runs do without

    return isinstance(spec, TrainedGenerator)


class _Survey:
    """Goes through the pending trials and adds up what they take."""

    def __init__(self, home: Home) -> None:
        self._home, self._look = home, Lookout()
        self._past = past_trials(list(home.results.readable()))
        self.clock = _Clock(past_assets(home.assets))
        self.assets: dict[Path, tuple[int, str, float, str | None]] = {}
        self.trials: dict[str, TrialTime] = {}
        self.bytes = 0
        self._seen: dict[str, Ahead | None] = {}
        self._distilled: set[str] = set()

    def look_at(self, job: Job) -> None:
        """Take note of a trial, and of the assets that nobody before it asked for."""
        trial = job.trial
        kind = digest([trial.method, trial.pool, trial.settings, trial.ipc, trial.assets, trial.train_fingerprint])
        if kind not in self._seen:
            self._seen[kind] = self._opened(job)
        seen = self._seen[kind]
        if seen is None:
            self.trials[trial.id] = TrialTime(0.0, PER_TRIAL)
            return
        for wave, spec in seen.missing:
            folder = seen.task.assets.folder(spec)
            if folder not in self.assets:
                seconds = self.clock.asset(spec, seen)
                training_of = trial.dataset.name if _trains_a_generator(spec) else None
                self.assets[folder] = (wave, f"{spec.kind} for {trial.dataset.name}", seconds, training_of)
        clips = len(seen.view.train) if trial.ipc is None else trial.ipc * len(seen.view.train.classes)
        self.bytes += round(clips * seen.view.train.clips[0].nbytes * (1 + PREVIEW_SHARE))
        likeness = trial_likeness(trial)
        judging = self._past.rest.get(likeness)
        distilling = self._past.distill.get(settled(likeness, trial.settings))
        self.clock.remembered |= judging is not None or distilling is not None
        if judging is None:
            judging = self.clock.judging(_judging(job, seen, clips), seen)
        if distilling is None:
            distilling = self.clock.method(job, seen)
        there = trial.distillation_id in self._distilled or self._home.artefact(trial.distillation_id).is_dir()
        self._distilled.add(trial.distillation_id)
        self.trials[trial.id] = TrialTime(0.0 if there else distilling, judging + PER_TRIAL)

    def _opened(self, job: Job) -> Ahead | None:
        try:
            return self._look(job)
        except Exception:  # recorded, with its cause, by the trial
            return None

    def shared(self) -> list[Shared]:
        """The assets by kind and data set, in the order in which they are built."""
        groups: dict[str, list[tuple[float, str | None]]] = {}
        for _, what, seconds, training_of in sorted(self.assets.values(), key=lambda asset: asset[0]):
            groups.setdefault(what, []).append((seconds, training_of))
        return [
            Shared(what, len(some), sum(seconds for seconds, _ in some), some[0][1]) for what, some in groups.items()
        ]

    def basis(self) -> str:
        """What the seconds rest on."""
        sources = [
            *(["from what is done already"] if self.clock.remembered else []),
            *(["from single steps timed here"] if self.clock.timed else []),
        ]
        silent = f"; not counted: {', '.join(sorted(self.clock.silent))}" if self.clock.silent else ""
        return " and ".join(sources or ["nothing to time"]) + silent


class _Clock:
    """Seconds of work: each kind is timed once, when first asked for.

    Args:
        past: seconds of assets that are there, by likeness.
    """

    def __init__(self, past: Mapping[str, float]) -> None:
        self._past = past
        self._seconds: dict[tuple[object, ...], float] = {}
        self._busy = 0.0
        self.remembered = False
        self.silent: set[str] = set()

    @property
    def timed(self) -> bool:
        """Whether anything was."""
        return bool(self._seconds)

    def asset(self, spec: AssetSpec[Any], seen: Ahead) -> float:
        """Building an asset."""
        past = self._past.get(asset_likeness(spec.kind, spec.model_dump(mode="json"), seen.view.train.fingerprint))
        self.remembered |= past is not None
        return past if past is not None else self._said(spec.kind, lambda: spec.work(seen.task.assets), seen)

    def method(self, job: Job, seen: Ahead) -> float:
        """Distilling. What is wrong with what a method says, nobody else will find."""
        try:
            return self._seconds_of(job.trial.method, work_of(seen.method, seen.task), seen)
        except TimeoutError:
            pass
        except (Exception, SystemExit) as error:
            cls, why = type(seen.method).__qualname__, " ".join(f"{type(error).__name__}: {error}".split())
            warnings.warn(
                f"method '{job.trial.method}': work() of its class {cls} fails with {why}; its time is not counted",
                stacklevel=1,
            )
        self.silent.add(job.trial.method)
        return 0.0

    def judging(self, work: Sequence[Work], seen: Ahead) -> float:
        """Training and testing students."""
        return self._said("judging", lambda: work, seen)

    def _said(self, name: str, ask: Callable[[], Sequence[Work] | None], seen: Ahead) -> float:
        try:
            return self._seconds_of(name, ask(), seen)
        except Exception:  # what fails here fails in earnest, and is recorded then with its cause
            self.silent.add(name)
            return 0.0

    def _seconds_of(self, name: str, work: Sequence[Work] | None, seen: Ahead) -> float:
        if work is None:
            self.silent.add(name)
        return sum(self._once(one, seen.task.device) * one.times for one in work or ())

    def _once(self, work: Work, device: torch.device) -> float:
        if work.what not in self._seconds:
            if self._busy > TRY_FOR:
                raise TimeoutError("enough was tried")
            started = time.process_time()
            self._seconds[work.what] = seconds_of(work, device)
            self._busy += time.process_time() - started
        return self._seconds[work.what]


def _judging(job: Job, seen: Ahead, clips: int) -> list[Work]:
    """Training and testing every student on so many clips.

    The first student judges the protocol's other conditions too, as many as a set with hard labels has, and what a
    teacher labels at every step it sees, too. Beside the test clips as they are, students see them without the order of
    frames and without motion.
    """
    protocol, train, device = job.trial.protocol, seen.view.train, seen.task.device
    settings = evaluation_settings("hard", False, protocol.labels, protocol.augmentation is not None)
    others = len(settings) if job.trial.ipc else 0
    tests, recipe = len(seen.view.test), protocol.recipe
    seeds, work = protocol.evaluation_seeds, []
    for place, spec in enumerate(protocol.students):
        extra = 0 if place else others
        networks = seeds * (1 + extra)
        shown = (seeds * (3 + extra) + networks * len(protocol.checkpoints)) * tests
        batch, steps = min(recipe.batch, clips), networks * recipe.steps(clips)
        work.append(training(train, spec.name, spec.width, batch, steps, device, spec.depth))
        work.append(embedding(train, spec.name, spec.width, min(TEST_BATCH, tests), shown, device, spec.depth))
        if "teacher" in protocol.labels and extra:
            taught = seeds * recipe.steps(clips) * batch
            work.append(embedding(train, spec.name, spec.width, batch, taught, device, spec.depth))
    for way in protocol.configured.values() if job.trial.ipc else ():
        spec, batch, steps = way.student, min(way.recipe.batch, clips), seeds * way.recipe.steps(clips)
        work.append(training(train, spec.name, spec.width, batch, steps, device, spec.depth))
        work.append(embedding(train, spec.name, spec.width, min(TEST_BATCH, tests), seeds * tests, device, spec.depth))
    return work
