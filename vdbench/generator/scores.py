"""How good a pool is, measured against real clips. For people to read: nothing of it flows back into a pool.

A student that was trained on the train split judges: it says of which class a generated clip is, and its embedding is
the space in which sets of clips are compared. Held-out clips are judged in the same way, so that every number of the
generated ones stands beside what real clips get from the same judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from vdbench.errors import DataError
from vdbench.generator.distances import (
    NEIGHBOURS,
    Points,
    Rows,
    frechet_distance,
    matched_rows,
    nearest,
    precision_recall,
    principal_axes,
)
from vdbench.records import Record
from vdbench.seeding import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.encoders.trained import TrainedMiniC3D
    from vdbench.students.student import Student
    from vdbench.work.assets import Assets

DRAWS = 10
"""Draws of equally many clips that comparisons of sets are averaged over."""
COMPARISONS: tuple[tuple[Literal["generated", "held-out"], Literal["train", "held-out"]], ...] = (
    ("generated", "train"),
    ("generated", "held-out"),
    ("held-out", "train"),
)
"""What is held against what; the last one is the reference."""
NEAR = 0.05
"""A generated clip is suspiciously near train when fewer than this share of the held-out clips are as near."""
PAIRS = 8
"""Generated clips that are kept with their nearest train clip: the nearest ones."""


class ClassScore(Record):
    """What the judge makes of one class.

    Attributes:
        name: of the class.
        clips: generated ones.
        accuracy: share of them that the judge takes for their class, 0..1.
        held_out_accuracy: the same of the held-out clips; None where there are none.
        taken_for: the class that the others are most often taken for; None where there are no others.
    """

    name: str
    clips: int
    accuracy: float
    held_out_accuracy: float | None
    taken_for: str | None


class SetScore(Record):
    """How much one set of clips is like another, in the judge's embedding.

    Blurred clips excite few features, and real ones lie all around them: where recall is low, precision says little.

    Attributes:
        judged: the set that is judged.
        against: the set that it should be like.
        frechet: Fréchet distance; 0 for sets of equal mean and covariance.
        precision: share of the judged set that lies within the other one, 0..1.
        recall: share of the other set that lies within the judged one, 0..1.
    """

    judged: Literal["generated", "held-out"]
    against: Literal["train", "held-out"]
    frechet: float
    precision: float
    recall: float


class NearestScore(Record):
    """How far clips are from their nearest train clip; memorised clips are nearer than held-out ones.

    Pixels tell less than features do: a memorised clip that was shifted over the frame is not found by them, and
    blurred or empty clips are near everything.

    Attributes:
        space: ``features``, the Euclidean distance of embeddings, or ``pixels``, the root of the mean squared
            difference in grey levels.
        generated: median over the generated clips.
        held_out: median over the held-out clips.
        ratio: of the two; well below 1 where the generator memorises.
        near: share of the generated clips that are nearer than the 5 % quantile of the held-out ones, 0..1; 0.05 is
            what real clips would have.
    """

    space: Literal["features", "pixels"]
    generated: float
    held_out: float
    ratio: float
    near: float


class Pair(Record):
    """A generated clip and the train clip that is nearest to it in features.

    Attributes:
        generated: id of the one.
        train: id of the other.
        distance: Euclidean, of their embeddings.
    """

    generated: str
    train: str
    distance: float


class PoolScores(Record):
    """How good a pool is.

    Attributes:
        fingerprint: of its clips.
        held_out: the clips that stand for unseen real ones: ``validation`` or ``test``.
        clips: how many there are of each set: generated, train, held-out.
        components: principal components that Fréchet distances are computed in.
        accuracy: share of all generated clips that the judge takes for their class, 0..1.
        held_out_accuracy: the same of the held-out clips: how far the judge can be trusted.
        classes: one per class, in the order of the train split.
        sets: generated against train, generated against held-out, and held-out against train as the reference.
        nearest: in features, and in pixels.
        pairs: the generated clips that are nearest to a train clip, nearest first.
    """

    fingerprint: str
    held_out: Literal["validation", "test"]
    clips: tuple[int, int, int]
    components: int
    accuracy: float
    held_out_accuracy: float
    classes: tuple[ClassScore, ...]
    sets: tuple[SetScore, ...]
    nearest: tuple[NearestScore, ...]
    pairs: tuple[Pair, ...]


def judge_spec(train: ClipSet, seed: int = 0) -> TrainedMiniC3D:
    """The asset that holds the judge's weights: narrow for small clips, of the published width for others."""
    from vdbench.encoders.trained import TrainedMiniC3D

    return TrainedMiniC3D(width=16 if train.size < 64 else 64, seed=seed, epochs=40, max_steps=10_000)


def trained_judge(assets: Assets, seed: int = 0) -> Student:
    """The judge, on the CPU; trained first if nobody has."""
    return judge_spec(assets.train, seed).trained(assets)


def score_pool(  # noqa: PLR0913
    pool: ClipSet,
    train: ClipSet,
    held_out: ClipSet,
    judge: Student,
    device: torch.device,
    *,
    part: Literal["validation", "test"],
    seed: int = 0,
) -> PoolScores:
    """Score generated clips.

    Args:
        pool: the generated clips.
        train: what their generator was trained on, and the judge too.
        held_out: real clips that neither has seen.
        judge: a student trained on ``train``.
        device: where it computes.
        part: what the held-out clips are: ``validation`` or ``test``.
        seed: of the draws of equally many clips.

    Raises:
        DataError: the sets have too few clips in common classes to be compared.
    """
    from vdbench.encoders.features import embeddings

    generated, real, unseen = (embeddings(judge, clips, device).astype(np.float64) for clips in (pool, train, held_out))
    labels = [np.asarray(clips.labels) for clips in (pool, train, held_out)]
    said, said_of_unseen = (_predicted(judge, clips, device) for clips in (pool, held_out))
    components, sets = _compare(generated, real, unseen, labels, seed)
    by_features, gaps = nearest(generated, real)
    return PoolScores(
        fingerprint=pool.fingerprint,
        held_out=part,
        clips=(len(pool), len(train), len(held_out)),
        components=components,
        accuracy=float((said == pool.labels).mean()),
        held_out_accuracy=float((said_of_unseen == held_out.labels).mean()),
        classes=class_scores(pool.classes, labels[0], said, labels[2], said_of_unseen),
        sets=sets,
        nearest=(
            nearest_score("features", gaps, nearest(unseen, real)[1]),
            nearest_score("pixels", _grey_levels(pool, train), _grey_levels(held_out, train)),
        ),
        pairs=tuple(
            Pair(generated=pool.ids[row], train=train.ids[by_features[row]], distance=float(gaps[row]))
            for row in np.argsort(gaps, kind="stable")[:PAIRS]
        ),
    )


def _grey_levels(clips: ClipSet, train: ClipSet) -> Points:
    """Root of the mean squared difference of each clip from its nearest train clip, ``(n,)``."""
    distances: Points = nearest(clips.clips, train.clips)[1] / np.sqrt(clips.clips[0].size)
    return distances


def class_scores(
    classes: Sequence[str], labels: Rows, said: Rows, held_out: Rows, said_of_held_out: Rows
) -> tuple[ClassScore, ...]:
    """Accuracies class by class, of labels and predictions int64 ``(n,)``; every class has a generated clip."""
    scores = []
    for label, name in enumerate(classes):
        answers, unseen = said[labels == label], said_of_held_out[held_out == label]
        wrong = np.bincount(answers[answers != label], minlength=len(classes))
        scores.append(
            ClassScore(
                name=name,
                clips=len(answers),
                accuracy=float((answers == label).mean()),
                held_out_accuracy=float((unseen == label).mean()) if len(unseen) else None,
                taken_for=classes[int(wrong.argmax())] if wrong.any() else None,
            )
        )
    return tuple(scores)


def nearest_score(space: Literal["features", "pixels"], generated: Points, held_out: Points) -> NearestScore:
    """Compare distances to the nearest train clip, ``(n,)`` and ``(m,)``."""
    medians = float(np.median(generated)), float(np.median(held_out))
    return NearestScore(
        space=space,
        generated=medians[0],
        held_out=medians[1],
        ratio=medians[0] / max(medians[1], np.finfo(float).tiny),
        near=float((generated < np.quantile(held_out, NEAR)).mean()),
    )


def _compare(
    generated: Points, train: Points, held_out: Points, labels: Sequence[Rows], seed: int
) -> tuple[int, tuple[SetScore, ...]]:
    """All comparisons of sets, and the dimensions that Fréchet distances were computed in.

    The fewer clips, the larger a Fréchet distance and the fewer a manifold covers; so equally many clips of each set
    are compared, and the means over several draws reported. Embeddings have more dimensions than sets have clips, so
    covariances of them would be singular: Fréchet distances are those of the first principal components of the train
    split, one for four clips.
    """
    draws = [matched_rows(labels, generator(seed, "matched", number)) for number in range(DRAWS)]
    count = len(draws[0][0])
    if count <= NEIGHBOURS:
        raise DataError(
            f"only {count} generated, train and held-out clips of the same classes can be compared, which are too few; "
            "hold out more with --set protocol.validation=0.2 or add --set generator.sampling.per_class=24"
        )
    axes = principal_axes(train, max(1, count // 4))
    sets = {"generated": generated, "train": train, "held-out": held_out}
    drawn = [dict(zip(sets, rows, strict=True)) for rows in draws]
    scores = []
    for judged, against in COMPARISONS:
        chosen = [(sets[judged][rows[judged]], sets[against][rows[against]]) for rows in drawn]
        frechet = np.mean([frechet_distance(a @ axes, b @ axes) for a, b in chosen])
        precision, recall = np.mean([precision_recall(a, b) for a, b in chosen], axis=0)
        numbers = {"frechet": float(frechet), "precision": float(precision), "recall": float(recall)}
        scores.append(SetScore(judged=judged, against=against, **numbers))
    return axes.shape[1], tuple(scores)


def _predicted(judge: Student, clips: ClipSet, device: torch.device) -> Rows:
    from vdbench.evaluation.passes import test_student

    answers: Rows = test_student(judge, clips, device)[0].argmax(dim=1).numpy()
    return answers
