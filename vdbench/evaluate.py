"""Judging: train fresh students on a set, test each of them once on real clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import Field

from vdbench.errors import DataError, DivergedError
from vdbench.measure import measured
from vdbench.records import Record, Score, StudentScores
from vdbench.students import build_student
from vdbench.train import Recipe, TrainingSet, on_device, train_student

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from vdbench.clipset import ClipSet
    from vdbench.distilled import DistilledSet
    from vdbench.students.student import Student


class StudentSpec(Record):
    """Which student is trained.

    Attributes:
        name: one of :func:`vdbench.students.student_names`.
        width: channels of its first layer; the published ones when left out.
    """

    name: str
    width: int | None = Field(default=None, gt=0)


def evaluate(
    data: TrainingSet,
    test: ClipSet,
    students: Sequence[StudentSpec],
    recipe: Recipe,
    seeds: Sequence[int],
    device: torch.device,
    report: Callable[..., None] | None = None,
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

    Raises:
        DataError: classes or geometry of the two sets differ, or one of them is empty.
        DivergedError: a student's loss is not finite.
    """
    check_fit(data, test)
    test = replace(test, normalisation=data.normalisation)  # tested on the scale that it was trained on
    return tuple(_judge(data, test, spec, recipe, seeds, device, report or _silent) for spec in students)


@dataclass(frozen=True)
class Verdict:
    """What students made of a distilled set.

    Attributes:
        students: trained with the set's own labels and step size, where it has any.
        hard_labels: trained with the most likely class of each clip; empty where labels are no distributions.
    """

    students: tuple[StudentScores, ...]
    hard_labels: tuple[StudentScores, ...] = ()


def judge(
    distilled: DistilledSet,
    test: ClipSet,
    students: Sequence[StudentSpec],
    recipe: Recipe,
    seeds: Sequence[int],
    device: torch.device,
    report: Callable[..., None] | None = None,
) -> Verdict:
    """Evaluate a distilled set as its method means it, and soft labels against hard ones.

    A learned step size stands in for the recipe's learning rate; all else of the recipe is kept. For the arguments
    and what is raised see :func:`evaluate`.
    """
    told = report or _silent
    if distilled.record.step_size is not None:
        recipe = recipe.model_copy(update={"lr": distilled.record.step_size})
    own = evaluate(distilled, test, students, recipe, seeds, device, told)
    if distilled.record.labels == "hard":
        return Verdict(own)

    def told_of_hard(step: int, **metrics: float) -> None:
        told(step, **{f"hard/{name}": value for name, value in metrics.items()})

    return Verdict(own, evaluate(distilled.with_hard_labels(), test, students, recipe, seeds, device, told_of_hard))


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


def test_student(student: Student, clips: ClipSet, device: torch.device, batch: int = 64) -> torch.Tensor:
    """Logits of every clip in one deterministic pass; no clip has a part in another's.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to test on.
        device: where to compute, in float32.
        batch: clips per forward pass.

    Returns:
        float32 ``(N, classes)``, on the CPU.
    """
    import torch

    student.to(device).eval()
    logits = torch.empty(len(clips), len(clips.classes))
    with torch.inference_mode():
        for rows in torch.split(torch.arange(len(clips)), batch):
            inputs, _ = clips.render(rows)
            logits[rows] = student(on_device(inputs, device)).float().cpu()
    return logits


def top_k(logits: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    """Share of clips whose class is among the k most likely, 0..1.

    Ties are neither won nor lost: a clip whose class shares its logit with others counts by the chance that
    it is among the first k when they are put in random order. So a student that says the same of every class
    scores exactly k over the number of classes.

    Args:
        logits: finite, ``(N, classes)``.
        labels: int64 ``(N,)``.
        k: how many guesses a clip has.
    """
    own = logits.gather(1, labels.unsqueeze(1))
    ahead = (logits > own).sum(dim=1)
    level = (logits == own).sum(dim=1)
    return float(((k - ahead) / level).clamp(0, 1).double().mean())


def _judge(
    data: TrainingSet,
    test: ClipSet,
    spec: StudentSpec,
    recipe: Recipe,
    seeds: Sequence[int],
    device: torch.device,
    report: Callable[..., None],
) -> StudentScores:
    """All seeds of one student."""
    import torch

    labels = torch.tensor(test.labels)
    scores: list[Score] = []
    train_seconds = test_seconds = 0.0
    peak = 0
    for seed in seeds:
        student = build_student(spec.name, len(test.classes), test.frames, test.size, spec.width, seed)
        curve = f"{spec.name}/{seed}"

        def told(step: int, loss: float, curve: str = curve) -> None:
            report(step, **{f"{curve}/loss": loss})

        with measured(device) as training:
            losses = train_student(student, data, recipe, seed, device, told)
        with measured(device) as testing:
            logits = test_student(student, test, device)
        if not bool(logits.isfinite().all()):
            raise DivergedError(spec.name, recipe.steps(len(data)))
        top1, top5 = top_k(logits, labels, 1), top_k(logits, labels, 5)
        report(recipe.steps(len(data)), **{f"{curve}/top1": top1})
        scores.append(Score(seed=seed, top1=top1, top5=top5, train_loss=losses[-1]))
        train_seconds += training.seconds
        test_seconds += testing.seconds
        peak = max(peak, training.peak_memory, testing.peak_memory)
    return StudentScores(
        student=spec.name,
        width=student.width,
        parameters=student.parameter_count(),
        scores=tuple(scores),
        train_seconds=train_seconds,
        test_seconds=test_seconds,
        peak_memory=peak,
    )


def _silent(step: int, **metrics: float) -> None:
    """Hears of progress, says nothing."""
