"""Judging: train fresh students on a set, test each of them once on real clips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vdbench.errors import DataError
from vdbench.evaluation.networks import Networks
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.readings import Readings
    from vdbench.evaluation.batches import TrainingSet
    from vdbench.evaluation.networks import StudentSpec
    from vdbench.evaluation.train import Recipe
    from vdbench.records import StudentScores


def evaluate(  # noqa: PLR0913 - what is judged, by whom and how
    data: TrainingSet,
    test: ClipSet,
    students: Sequence[StudentSpec],
    recipe: Recipe,
    seeds: Sequence[int],
    device: torch.device,
    report: Report = silent,
    *,
    probe: bool = True,
    checkpoints: Sequence[float] = (),
    readings: Readings | None = None,
) -> tuple[StudentScores, ...]:
    """Train every student from every seed on ``data``; the weights after the last step are tested once.

    Args:
        data: what to judge: a distilled set, or a whole train split.
        test: the clips to test on, of the same classes and the same geometry.
        students: which networks.
        recipe: how they are trained.
        seeds: of their initial weights and batches, one fresh student each.
        device: where to compute.
        report: called as ``report(step, **{"minic3d/0/loss": ...})`` after every epoch, named by student and
            seed, and with ``minic3d/0/top1`` after the test.
        probe: whether to count the confusion of classes, and to test without the order of frames and without motion.
        checkpoints: shares of the steps, above 0 and up to 1, after which students are tested on their way.
        readings: of the test clips, which every network is shown anew; those of ``test`` when left out.

    Raises:
        DataError: classes or geometry of the two sets differ, or one of them is empty.
        DivergedError: a student's loss is not finite.
    """
    check_fit(data, test)
    same = _scaled(test, data, device)

    def read(seed: int) -> TrainingSet:
        return _scaled(readings.of(seed), data, device) if readings else same

    count = readings.count if readings else 1
    networks = Networks(data, test, recipe, device, report, probe, checkpoints, read, count)
    return tuple(networks.of(spec, seeds) for spec in students)


def check_fit(data: TrainingSet, test: ClipSet) -> None:
    """Make sure that what is trained on ``data`` can be tested on ``test``.

    Raises:
        DataError: classes or geometry of the two sets differ, or one of them is empty.
    """
    import torch

    if not len(data) or not len(test):
        raise DataError(f"there are {len(data)} clips to train on and {len(test)} to test on; both need at least one")
    if data.classes != test.classes:
        unknown = sorted(set(data.classes) ^ set(test.classes))
        detail = f"'{unknown[0]}' is on one side only" if unknown else "their order differs"
        raise DataError(
            f"the set has {len(data.classes)} classes and the test clips {len(test.classes)}, and {detail}; "
            "judge it on the data set and classes it was made from"
        )
    _, frames, height, width = data.render(torch.tensor([0]))[0].shape[1:]
    if (frames, height, width) != test.clips.shape[1:4]:
        there = "x".join(str(n) for n in test.clips.shape[1:4])
        raise DataError(
            f"the set's clips are {frames}x{height}x{width} and the test clips {there} (frames x height x width); "
            "judge it under the suite it was made for"
        )


def _scaled(clips: ClipSet, data: TrainingSet, device: torch.device) -> TrainingSet:
    """Clips where they are tested, on the scale that was trained on."""
    return replace(clips, normalisation=data.normalisation).on(device)
