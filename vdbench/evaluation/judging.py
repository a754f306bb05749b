"""Judging a distilled set: as its method means it, and under every other condition that a protocol asks for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.clips.drawing import random_rows
from vdbench.errors import DivergedError
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.taught import Taught, TaughtAtEveryStep
from vdbench.outcomes import ClipList
from vdbench.records import Condition, EvaluationSetting, Regime
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.readings import Readings
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.evaluation.augment import Augmentation
    from vdbench.evaluation.batches import TrainingSet
    from vdbench.evaluation.configurations import Configured
    from vdbench.evaluation.networks import StudentSpec
    from vdbench.evaluation.train import Recipe
    from vdbench.records import StudentScores

VERSION = 1
"""Raised when the same protocol evaluates otherwise; part of a trial's id."""


@dataclass(frozen=True)
class Evaluation:
    """What students made of a distilled set.

    Attributes:
        students: trained with the set's own labels and step size, where it has any.
        conditions: the other settings in which the same clips were evaluated.
        tested: the clips that all of them were tested on, which outcomes per clip speak of.
    """

    students: tuple[StudentScores, ...]
    conditions: tuple[Condition, ...]
    tested: ClipList


@dataclass(frozen=True)
class Judge:
    """Everything that decides how distilled sets are judged.

    Attributes:
        train: where random clips are drawn from, for controls.
        test: the clips to test on.
        students: which networks; the first one judges every condition but configurations with a student of their own,
            the others the sets as their methods mean them.
        recipe: how they are trained.
        seeds: of their initial weights and batches.
        device: where to compute.
        labels: kinds of labels that every set is judged with, by the plain recipe.
        augmentation: how clips are varied in a second training by the set's own recipe; None for no second one.
        teacher: gives soft labels to clips that have none: from normalised clips, float32 ``(n, 3, T, H, W)``, to
            distributions over classes, float32 ``(n, classes)``.
        configurations: other students and recipes that every set is judged with by its own labels, by name.
        checkpoints: shares of the steps after which students are tested on their way; not under configurations.
        readings: of the test clips, which every network is shown anew; all are shown the same when left out.
    """

    train: ClipSet
    test: ClipSet
    students: Sequence[StudentSpec]
    recipe: Recipe
    seeds: Sequence[int]
    device: torch.device
    labels: Sequence[Regime] = ()
    augmentation: Augmentation | None = None
    teacher: Callable[[torch.Tensor], torch.Tensor] | None = None
    configurations: Mapping[str, Configured] = field(default_factory=dict)
    checkpoints: Sequence[float] = ()
    readings: Readings | None = None

    def __call__(self, distilled: DistilledSet, ipc: int | None, seed: int, report: Report = silent) -> Evaluation:
        """Judge a distilled set.

        Args:
            distilled: what to judge.
            ipc: clips per class of the random controls; None, for a whole split, which has no other setting.
            seed: of the draw of these clips, the one that the method ``random`` makes from it.
            report: as for :func:`vdbench.evaluation.evaluate.evaluate`; names of conditions go before those of curves.

        Raises:
            DataError: classes or geometry of the sets differ, or one of them is empty.
            DivergedError: a student's loss is not finite, other than under a configuration, where it is recorded.
        """
        record = distilled.record
        own = _with_rate(self.recipe, record.step_size)
        judge = partial(evaluate, test=self.test, seeds=self.seeds, device=self.device, readings=self.readings)
        students = judge(distilled, students=self.students, recipe=own, report=report, checkpoints=self.checkpoints)
        if ipc is None:
            return Evaluation(students, (), clip_list(self.test))
        judged = []
        for setting in evaluation_settings(
            record.labels, record.step_size is not None, self.labels, self.augmentation is not None, self.configurations
        ):
            student, recipe = self._trained(setting, record.step_size)
            data, curves = self._shown(distilled, setting, ipc, seed), _named(report, setting.name)
            points = self.checkpoints if setting.configuration is None else ()
            scores: tuple[StudentScores, ...] = ()
            diverged: str | None = None
            try:
                scores = judge(data, students=[student], recipe=recipe, report=curves, probe=False, checkpoints=points)
            except DivergedError as error:
                if setting.configuration is None:
                    raise
                diverged = str(error)
                warnings.warn(f"configuration {setting.configuration}: {error}", stacklevel=2)
            judged.append(Condition(**setting.model_dump(), students=scores, diverged=diverged))
        return Evaluation(students, tuple(judged), clip_list(self.test))

    def _trained(self, setting: EvaluationSetting, step_size: float | None) -> tuple[StudentSpec, Recipe]:
        """Which student a condition trains, and how."""
        if setting.configuration is not None:
            configured = self.configurations[setting.configuration]
            rate = step_size if configured.own_rate else None
            return configured.student, _with_rate(configured.recipe, rate)
        recipe = _with_rate(self.recipe, step_size) if setting.labels == "own" else self.recipe
        if setting.augmented:
            recipe = recipe.model_copy(update={"augmentation": self.augmentation})
        return self.students[0], recipe

    def _shown(self, distilled: DistilledSet, setting: EvaluationSetting, ipc: int, seed: int) -> TrainingSet:
        """The clips of a condition, with hard labels or with soft ones: their own, where they have some."""
        brings = distilled.record.labels == "soft"
        soft = setting.labels == "soft" or (setting.labels == "own" and brings)
        taught = soft or setting.labels == "teacher"
        if not setting.random and (brings if soft else not taught):
            return distilled if soft else distilled.with_hard_labels()
        data = random_clips(self.train, ipc, seed) if setting.random else distilled
        if not taught:
            return data
        if self.teacher is None:
            raise ValueError("soft labels need a teacher")
        return Taught(data, self.teacher) if soft else TaughtAtEveryStep(data, self.teacher)


def evaluation_settings(
    labels: Literal["hard", "soft"],
    step_size: bool,
    wanted: Sequence[Regime],
    augment: bool,
    configurations: Iterable[str] = (),
) -> list[EvaluationSetting]:
    """The conditions beside the first one, in which a set is judged by its own labels and step size.

    Kinds of labels that are judged by the plain recipe are left out where they are the set's own. A set that brings
    labels or a step size is not judged as random clips are, so its control is judged here.

    Args:
        labels: that the set has.
        step_size: whether it brings a step size.
        wanted: kinds of labels that every set is judged with. What a teacher labels at every step is varied by
            augmentation.
        augment: whether sets are judged with augmentation as well.
        configurations: names of those that every set is judged with, too; they are sorted.
    """
    plain = [
        EvaluationSetting(labels=kind, augmented=kind == "teacher") for kind in wanted if step_size or kind != labels
    ]
    own = [EvaluationSetting(labels="own", augmented=True)] * augment
    configured = [EvaluationSetting(labels="own", configuration=name) for name in sorted(configurations)]
    brings = step_size or labels == "soft"
    controls = [
        setting.model_copy(update={"random": True}) for setting in (EvaluationSetting(labels="own"), *own, *configured)
    ] * brings
    return [*plain, *own, *configured, *controls]


def _with_rate(recipe: Recipe, step_size: float | None) -> Recipe:
    return recipe if step_size is None else recipe.model_copy(update={"lr": step_size})


def clip_list(clips: ClipSet) -> ClipList:
    """Which clips these are, without their pixels."""
    return ClipList(classes=clips.classes, ids=clips.ids, labels=tuple(clips.labels.tolist()), groups=clips.groups)


def random_clips(train: ClipSet, ipc: int, seed: int) -> ClipSet:
    """Clips drawn from each class without replacement: those that the method ``random`` keeps."""
    return train.some(np.concatenate([random_rows(train, label, seed)[:ipc] for label in range(len(train.classes))]))


def _named(report: Report, condition: str) -> Report:
    return lambda step, **metrics: report(step, **{f"{condition}/{name}": value for name, value in metrics.items()})
