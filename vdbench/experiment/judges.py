"""What judges the distilled sets of a protocol, made ready on a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.evaluation.judging import Judge
from vdbench.evaluation.teacher import TrainedTeacher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdbench.datasets.view import View
    from vdbench.distilled import DistilledSet
    from vdbench.experiment.suite import Protocol
    from vdbench.work.assets import Assets


def judge_of(protocol: Protocol, view: View, seeds: Sequence[int], assets: Assets, distilled: DistilledSet) -> Judge:
    """What judges a distilled set under a protocol; its teacher is trained when first needed.

    Args:
        protocol: as it is on the data set.
        view: the clips.
        seeds: of the students.
        assets: where the teacher is kept.
        distilled: decides whether a teacher is needed.
    """
    needed = "soft" in {*protocol.labels, distilled.record.labels}
    return Judge(
        train=view.train,
        test=view.test if protocol.evaluate_on == "test" else view.validation,
        students=protocol.students,
        recipe=protocol.recipe,
        seeds=seeds,
        device=assets.device,
        labels=protocol.labels,
        augmentation=protocol.augmentation,
        teacher=teacher_of(protocol).teacher(assets) if needed else None,
    )


def teacher_of(protocol: Protocol) -> TrainedTeacher:
    """The teacher of a protocol: its first student, trained by its recipe."""
    return TrainedTeacher(student=protocol.students[0], recipe=protocol.recipe)
