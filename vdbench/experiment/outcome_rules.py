"""Whether what a result keeps of every test clip goes with its test set and with the scores that it names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from vdbench.errors import DataError
from vdbench.outcomes import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdbench.experiment.result import Result
    from vdbench.outcomes import ClipList, Places
    from vdbench.records import Score, StudentScores

EXACT = 1e-9
"""Shares that differ by less differ by the order in which they were summed."""


def outcome_faults(result: Result, clips: ClipList | None) -> Iterator[str]:
    """What is wrong with a result's outcomes per clip, each completing no sentence but its own.

    Args:
        result: a finished one.
        clips: the test set that it names; None where it names none, since an earlier version made it.
    """
    networks = [score for scores in result.every_student for score in scores.scores]
    kept = sum(score.outcomes is not None for score in networks)
    if clips is None:
        if kept:
            yield "it keeps outcomes per clip, and names no test set that they speak of"
        return
    if kept < len(networks):
        yield f"it names a test set, and {len(networks) - kept} of its {len(networks)} networks keep no outcomes on it"
    elif len(clips) != result.dataset.test_clips * result.tests:
        yield f"its test set has {len(clips)} clips, and it says that it was tested on {result.dataset.test_clips}"
    elif clips.classes != result.dataset.class_names:
        yield "its test set has other classes than it names, or in another order"
    else:
        for scores in result.every_student:
            yield from _student_faults(scores, clips)


def _student_faults(scores: StudentScores, clips: ClipList) -> Iterator[str]:
    places = []
    for score in scores.scores:
        if score.outcomes is None:
            raise ValueError("a network keeps no outcomes")
        try:
            places.append(unpack(score.outcomes, len(clips), len(clips.classes)))
        except DataError as error:
            yield str(error)
            return
        yield from _score_faults(scores.student, score, places[-1], np.array(clips.labels))
    if scores.confusion and not _fits(scores, places, clips):
        yield f"the outcomes per clip of {scores.student} are not those that its confusion of classes counts"


def _score_faults(student: str, score: Score, places: Places, labels: np.ndarray) -> Iterator[str]:
    won = places.won()
    by_class = float(np.mean([won[labels == label].mean() for label in np.unique(labels)]))
    told = {
        "top-1": (float(won.mean()), score.top1),
        "top-5": (float(places.won(5).mean()), score.top5),
        "mean over classes": (by_class, score.macro),
    }
    for name, (counted, said) in told.items():
        if abs(counted - said) > EXACT:
            yield (
                f"the outcomes per clip of {student} with seed {score.seed} give a {name} of {100 * counted:.2f} %, "
                f"and it says {100 * said:.2f} %"
            )


def _fits(scores: StudentScores, places: list[Places], clips: ClipList) -> bool:
    """Whether each class was tested and hit as often as its confusion counts; in a tie, either guess may be counted."""
    tested: Counter[int] = Counter()
    hit: Counter[int] = Counter()
    for label, guess, count in scores.confusion:
        tested[label] += count
        hit[label] += count * (label == guess)
    for label in range(len(clips.classes)):
        mine = np.array(clips.labels) == label
        first = sum(int((one.ahead[mine] == 0).sum()) for one in places)
        alone = sum(int(((one.ahead + one.level)[mine] == 0).sum()) for one in places)
        if tested[label] != mine.sum() * len(places) or not alone <= hit[label] <= first:
            return False
    return True
