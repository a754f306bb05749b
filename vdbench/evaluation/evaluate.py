"""Judging: train fresh students on a set, test each of them once on real clips."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from vdbench.clips.clipset import sent
from vdbench.errors import DataError, DivergedError
from vdbench.evaluation.batches import TrainingSet, placed
from vdbench.evaluation.course import Course, steps_at
from vdbench.evaluation.parts import in_parts
from vdbench.evaluation.train import Recipe, train_student
from vdbench.outcomes import Places, pack
from vdbench.records import Record, Score, StudentScores
from vdbench.seeding import generator
from vdbench.students import build_student
from vdbench.work.measure import measured
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.readings import Readings
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

    how = _Trained(data, recipe, device, report, checkpoints, read, readings.count if readings else 1)
    return tuple(_judge(how, test, spec, seeds, probe) for spec in students)


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
    clips: TrainingSet,
    device: torch.device,
    batch: int = 64,
    frames: Sequence[NDArray[np.int64] | None] = (None,),
    seen: Callable[[torch.Tensor], torch.Tensor] | None = None,
    readings: int = 1,
) -> list[torch.Tensor]:
    """Logits of every clip, in a deterministic pass for each order of frames; no clip has a part in another's.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to test on.
        device: where to compute, in float32.
        batch: clips per forward pass.
        frames: for each pass ``(N, T)``, which frame of each clip is shown at each time; None shows them as they are.
        seen: makes of a batch what the student sees, by which clips may have a part in each other's logits.
        readings: how many of the same clips there are, one after the other; no batch has clips of two.

    Returns:
        float32 ``(N, classes)`` for each pass, on the CPU.
    """
    import torch

    student.to(device).eval()
    source = clips.on(device)
    logits = torch.empty(len(frames), len(clips), len(clips.classes), device=device)
    orders = [None if order is None else sent(torch.from_numpy(order), device) for order in frames]
    with torch.inference_mode():
        for rows in (part for one in torch.arange(len(clips)).chunk(readings) for part in torch.split(one, batch)):
            inputs, _ = placed(source, rows, device)
            for number, order in enumerate(orders):
                shown = inputs if order is None else reordered(inputs, order[rows[0] : rows[-1] + 1])
                logits[number, rows[0] : rows[-1] + 1] = in_parts(student, seen(shown) if seen else shown).float()
    return list(logits.cpu())


def reordered(clips: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Clips ``(n, 3, T, H, W)`` with the frames ``(n, T)`` of each at the times of their places, laid out alike."""
    import torch

    places = torch.arange(len(clips), device=clips.device)[:, None]
    return clips.permute(0, 2, 3, 4, 1)[places, frames].permute(0, 4, 1, 2, 3)


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
    import torch

    return torch.from_numpy(places(logits, labels).won(k))


def places(logits: torch.Tensor, labels: torch.Tensor) -> Places:
    """Where the class of each clip came, for logits and labels as :func:`credits` takes them."""
    own = logits.gather(1, labels.unsqueeze(1))
    return Places((logits > own).sum(dim=1).numpy(), (logits == own).sum(dim=1).numpy() - 1)


class _Trained(NamedTuple):
    """What students are trained on, how, and which clips each is tested on."""

    data: TrainingSet
    recipe: Recipe
    device: torch.device
    report: Report
    checkpoints: Sequence[float]
    read: Callable[[int], TrainingSet]
    readings: int


def _scaled(clips: ClipSet, data: TrainingSet, device: torch.device) -> TrainingSet:
    """Clips where they are tested, on the scale that was trained on."""
    return replace(clips, normalisation=data.normalisation).on(device)


def _judge(how: _Trained, test: ClipSet, spec: StudentSpec, seeds: Sequence[int], probe: bool) -> StudentScores:
    """All seeds of one student."""
    import torch

    data, recipe, device, report, shares, read, readings = how
    labels = torch.tensor(test.labels)
    shape = len(test), test.frames
    alterations = {"shuffled": shuffled_frames(*shape), "still": still_frames(*shape)} if probe else {}
    scores: list[Score] = []
    confusion: Counter[tuple[int, int]] = Counter()
    train_seconds = test_seconds = 0.0
    peak = 0
    for seed in seeds:
        shown = read(seed)
        student = build_student(spec.name, len(test.classes), test.frames, test.size, spec.width, seed, spec.depth)
        curve = f"{spec.name}/{seed}"

        def log(step: int, loss: float, curve: str = curve) -> None:
            report(step, **{f"{curve}/loss": loss})

        def now(student: Student = student, shown: TrainingSet = shown) -> float:
            top1 = top_k(test_student(student, shown, device, seen=recipe.shown, readings=readings)[0], labels, 1)
            student.train()
            return top1

        course = Course(steps_at(shares, recipe.steps(len(data))), now, device)
        look = course.after if shares else None
        with measured(device) as training:
            losses = train_student(student, data, recipe, seed, device, log, after_step=look)
        with measured(device) as testing:
            passes = [None, *alterations.values()]
            logits, *altered = test_student(student, shown, device, frames=passes, seen=recipe.shown, readings=readings)
        if not bool(logits.isfinite().all()):
            raise DivergedError(spec.name, recipe.steps(len(data)))
        top1, top5 = top_k(logits, labels, 1), top_k(logits, labels, 5)
        blurred = {name: top_k(some, labels, 1) for name, some in zip(alterations, altered, strict=True)}
        report(recipe.steps(len(data)), **{f"{curve}/top1": top1})
        scores.append(
            Score(
                seed=seed,
                top1=top1,
                top5=top5,
                macro=macro(logits, labels),
                train_loss=losses[-1],
                outcomes=pack(places(logits, labels), len(test.classes)),
                checkpoints=tuple(course.checkpoints),
                **blurred,
            )
        )
        confusion.update(zip(labels.tolist(), logits.argmax(dim=1).tolist(), strict=True))
        train_seconds += training.seconds - course.seconds
        test_seconds += testing.seconds + course.seconds
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
