"""Judging: train fresh students on a set, test each of them once on real clips."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from vdbench.clips.clipset import on_device
from vdbench.errors import DataError, DivergedError
from vdbench.evaluation.train import Recipe, TrainingSet, train_student
from vdbench.records import Record, Score, StudentScores
from vdbench.seeding import generator
from vdbench.students import build_student
from vdbench.work.measure import measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student


class StudentSpec(Record):
    """Which student is trained.

    Attributes:
        name: one of :func:`vdbench.students.student_names`.
        width: channels of its first layer; the published ones when left out.
        depth: its blocks, for a student that is sized by them; its own default when left out.
    """

    name: str
    width: int | None = Field(default=None, gt=0)
    depth: int | None = Field(default=None, gt=0)


def evaluate(
    data: TrainingSet,
    test: ClipSet,
    students: Sequence[StudentSpec],
    recipe: Recipe,
    seeds: Sequence[int],
    device: torch.device,
    report: Callable[..., None] | None = None,
    probe: bool = True,
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

    Raises:
        DataError: classes or geometry of the two sets differ, or one of them is empty.
        DivergedError: a student's loss is not finite.
    """
    check_fit(data, test)
    test = replace(test, normalisation=data.normalisation)  # tested on the scale that it was trained on
    told = report or _silent
    return tuple(_judge(_Trained(data, recipe, device, told), test, spec, seeds, probe) for spec in students)


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


def test_student(
    student: Student,
    clips: ClipSet,
    device: torch.device,
    batch: int = 64,
    frames: NDArray[np.int64] | None = None,
) -> torch.Tensor:
    """Logits of every clip in one deterministic pass; no clip has a part in another's.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to test on.
        device: where to compute, in float32.
        batch: clips per forward pass.
        frames: ``(N, T)``, which frame of each clip is shown at each time; as they are when left out.

    Returns:
        float32 ``(N, classes)``, on the CPU.
    """
    import torch

    student.to(device).eval()
    logits = torch.empty(len(clips), len(clips.classes))
    with torch.inference_mode():
        for rows in torch.split(torch.arange(len(clips)), batch):
            inputs, _ = clips.render(rows)
            if frames is not None:
                shown = torch.from_numpy(frames[rows.numpy()])
                inputs = inputs.transpose(1, 2)[torch.arange(len(rows))[:, None], shown].transpose(1, 2)
            logits[rows] = student(on_device(inputs, device)).float().cpu()
    return logits


def shuffled_frames(count: int, frames: int) -> NDArray[np.int64]:
    """An order of frames drawn for each of ``count`` clips, the same for every student: ``(count, frames)``."""
    return generator(0, "shuffled frames").random((count, frames)).argsort(axis=1)


def still_frames(count: int, frames: int) -> NDArray[np.int64]:
    """The middle frame at all times: ``(count, frames)``."""
    return np.full((count, frames), frames // 2)


def top_k(logits: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    """Share of clips whose class is among the k most likely, 0..1, ties as in :func:`credits`."""
    return float(credits(logits, labels, k).mean())


def macro(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Top-1 of each class that has test clips, averaged over these classes, 0..1."""
    won = credits(logits, labels, 1)
    return float(np.mean([float(won[labels == label].mean()) for label in set(labels.tolist())]))


def credits(logits: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """For each clip, the chance that its class is among the k most likely: 0 or 1 unless there are ties.

    Ties are neither won nor lost: a clip whose class shares its logit with others counts by the chance that
    it is among the first k when they are put in random order. So a student that says the same of every class
    scores exactly k over the number of classes.

    Args:
        logits: finite, ``(N, classes)``.
        labels: int64 ``(N,)``.
        k: how many guesses a clip has.

    Returns:
        float64 ``(N,)``.
    """
    own = logits.gather(1, labels.unsqueeze(1))
    ahead = (logits > own).sum(dim=1)
    level = (logits == own).sum(dim=1)
    return ((k - ahead).double() / level).clamp(0, 1)


class _Trained(NamedTuple):
    """What students are trained on, and how."""

    data: TrainingSet
    recipe: Recipe
    device: torch.device
    report: Callable[..., None]


def _judge(how: _Trained, test: ClipSet, spec: StudentSpec, seeds: Sequence[int], probe: bool) -> StudentScores:
    """All seeds of one student."""
    import torch

    data, recipe, device, report = how
    labels = torch.tensor(test.labels)
    scores: list[Score] = []
    confusion: Counter[tuple[int, int]] = Counter()
    train_seconds = test_seconds = 0.0
    peak = 0
    for seed in seeds:
        student = build_student(spec.name, len(test.classes), test.frames, test.size, spec.width, seed, spec.depth)
        curve = f"{spec.name}/{seed}"

        def told(step: int, loss: float, curve: str = curve) -> None:
            report(step, **{f"{curve}/loss": loss})

        with measured(device) as training:
            losses = train_student(student, data, recipe, seed, device, told)
        with measured(device) as testing:
            logits = test_student(student, test, device)
            blurred = _without_motion(student, test, device) if probe else {}
        if not bool(logits.isfinite().all()):
            raise DivergedError(spec.name, recipe.steps(len(data)))
        top1, top5 = top_k(logits, labels, 1), top_k(logits, labels, 5)
        report(recipe.steps(len(data)), **{f"{curve}/top1": top1})
        scores.append(
            Score(seed=seed, top1=top1, top5=top5, macro=macro(logits, labels), train_loss=losses[-1], **blurred)
        )
        confusion.update(zip(labels.tolist(), logits.argmax(dim=1).tolist(), strict=True))
        train_seconds += training.seconds
        test_seconds += testing.seconds
        peak = max(peak, training.peak_memory, testing.peak_memory)
    return StudentScores(
        student=spec.name,
        width=student.width,
        depth=student.depth,
        parameters=student.parameter_count(),
        scores=tuple(scores),
        confusion=tuple((*pair, count) for pair, count in sorted(confusion.items())) if probe else (),
        train_seconds=train_seconds,
        test_seconds=test_seconds,
        peak_memory=peak,
    )


def _without_motion(student: Student, test: ClipSet, device: torch.device) -> dict[str, float]:
    """Top-1 where the order of frames, or all motion, is taken from the test clips."""
    import torch

    labels = torch.tensor(test.labels)
    shape = (len(test), test.frames)
    shown = {"shuffled": shuffled_frames(*shape), "still": still_frames(*shape)}
    return {name: top_k(test_student(student, test, device, frames=f), labels, 1) for name, f in shown.items()}


def _silent(step: int, **metrics: float) -> None:
    """Hears of progress, says nothing."""
