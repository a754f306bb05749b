"""Judging a distilled set: as its method means it, and under every other condition that a protocol asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.clips.drawing import random_rows
from vdbench.evaluation.evaluate import evaluate
from vdbench.outcomes import ClipList
from vdbench.records import Condition, EvaluationSetting
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from vdbench.clips.clipset import ClipSet, Normalisation
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.evaluation.augment import Augmentation
    from vdbench.evaluation.batches import TrainingSet
    from vdbench.evaluation.evaluate import StudentSpec
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
        students: which networks; the first one judges every condition, the others the sets as their methods mean them.
        recipe: how they are trained.
        seeds: of their initial weights and batches.
        device: where to compute.
        labels: kinds of labels that every set is judged with, by the plain recipe.
        augmentation: how clips are varied in a second training by the set's own recipe; None for no second one.
        teacher: gives soft labels to clips that have none: from normalised clips, float32 ``(n, 3, T, H, W)``, to
            distributions over classes, float32 ``(n, classes)``.
    """

    train: ClipSet
    test: ClipSet
    students: Sequence[StudentSpec]
    recipe: Recipe
    seeds: Sequence[int]
    device: torch.device
    labels: Sequence[Literal["hard", "soft"]] = ()
    augmentation: Augmentation | None = None
    teacher: Callable[[torch.Tensor], torch.Tensor] | None = None

    def __call__(self, distilled: DistilledSet, ipc: int | None, seed: int, report: Report = silent) -> Evaluation:
        """Judge a distilled set.

        Args:
            distilled: what to judge.
            ipc: clips per class of the random controls; None, for a whole split, which has no other setting.
            seed: of the draw of these clips, the one that the method ``random`` makes from it.
            report: as for :func:`vdbench.evaluation.evaluate.evaluate`; names of conditions go before those of curves.

        Raises:
            DataError: classes or geometry of the sets differ, or one of them is empty.
            DivergedError: a student's loss is not finite.
        """
        record = distilled.record
        own = self.recipe if record.step_size is None else self.recipe.model_copy(update={"lr": record.step_size})
        students = evaluate(distilled, self.test, self.students, own, self.seeds, self.device, report)
        if ipc is None:
            return Evaluation(students, (), clip_list(self.test))
        judged = []
        for setting in evaluation_settings(
            record.labels, record.step_size is not None, self.labels, self.augmentation is not None
        ):
            recipe = own if setting.labels == "own" else self.recipe
            if setting.augmented:
                recipe = recipe.model_copy(update={"augmentation": self.augmentation})
            data, curves = self._shown(distilled, setting, ipc, seed), _named(report, setting.name)
            scores = evaluate(data, self.test, self.students[:1], recipe, self.seeds, self.device, curves, probe=False)
            judged.append(Condition(**setting.model_dump(), students=scores))
        return Evaluation(students, tuple(judged), clip_list(self.test))

    def _shown(self, distilled: DistilledSet, setting: EvaluationSetting, ipc: int, seed: int) -> TrainingSet:
        """The clips of a condition, with hard labels or with soft ones: their own, where they have some."""
        brings = distilled.record.labels == "soft"
        soft = setting.labels == "soft" or (setting.labels == "own" and brings)
        if not setting.random and (brings or not soft):
            return distilled if soft else distilled.with_hard_labels()
        data = random_clips(self.train, ipc, seed) if setting.random else distilled
        if not soft:
            return data
        if self.teacher is None:
            raise ValueError("soft labels need a teacher")
        return Taught(data, self.teacher)


def evaluation_settings(
    labels: Literal["hard", "soft"], step_size: bool, wanted: Sequence[Literal["hard", "soft"]], augment: bool
) -> list[EvaluationSetting]:
    """The conditions beside the first one, in which a set is judged by its own labels and step size.

    Kinds of labels that are judged by the plain recipe are left out where they are the set's own. A set that brings
    labels or a step size is not judged as random clips are, so its control is judged here.

    Args:
        labels: that the set has.
        step_size: whether it brings a step size.
        wanted: kinds of labels that every set is judged with.
        augment: whether sets are judged with augmentation as well.
    """
    plain = [EvaluationSetting(labels=kind) for kind in wanted if step_size or kind != labels]
    own = [EvaluationSetting(labels="own", augmented=True)] * augment
    brings = step_size or labels == "soft"
    controls = [
        setting.model_copy(update={"random": True}) for setting in (EvaluationSetting(labels="own"), *own)
    ] * brings
    return [*plain, *own, *controls]


def clip_list(clips: ClipSet) -> ClipList:
    """Which clips these are, without their pixels."""
    return ClipList(classes=clips.classes, ids=clips.ids, labels=tuple(clips.labels.tolist()), groups=clips.groups)


def random_clips(train: ClipSet, ipc: int, seed: int) -> ClipSet:
    """Clips drawn from each class without replacement: those that the method ``random`` keeps."""
    rows = np.concatenate([random_rows(train, label, seed)[:ipc] for label in range(len(train.classes))])
    return replace(
        train,
        clips=train.clips[rows],
        labels=train.labels[rows],
        groups=tuple(train.groups[row] for row in rows),
        ids=tuple(train.ids[row] for row in rows),
    )


@dataclass(frozen=True)
class Taught:
    """Clips with the labels that a teacher gives them, whatever they were labelled before.

    Attributes:
        data: the clips.
        teacher: what labels them, as of :class:`Judge`.
    """

    data: TrainingSet
    teacher: Callable[[torch.Tensor], torch.Tensor]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that targets point into."""
        return self.data.classes

    @property
    def normalisation(self) -> Normalisation:
        """The mean and std that the clips are scaled by."""
        return self.data.normalisation

    def __len__(self) -> int:
        return len(self.data)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips as networks take them, and the teacher's distributions."""
        clips, _ = self.data.render(rows, device)
        return clips, self.teacher(clips)

    def on(self, device: torch.device) -> Taught:
        """The same in the memory of a device, where the clips fit."""
        there = self.data.on(device)
        return self if there is self.data else replace(self, data=there)

    def of_epoch(self, seed: int, device: torch.device) -> Taught:
        """The clips as one epoch of training shows them: itself, unless they are drawn anew."""
        drawn = self.data.of_epoch(seed, device)
        return self if drawn is self.data else replace(self, data=drawn)


def _named(report: Report, condition: str) -> Report:
    return lambda step, **metrics: report(step, **{f"{condition}/{name}": value for name, value in metrics.items()})
