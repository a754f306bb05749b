"""Outcomes per clip that contradict their test set or the scores beside them are told in one sentence each."""

import numpy as np
import pytest

from tests.experiment.results import CLIPS, DIGITS, bare, result
from vdbench.experiment.outcome_rules import outcome_faults
from vdbench.experiment.result import Result
from vdbench.outcomes import Places, pack, unpack
from vdbench.records import Condition, Outcomes


def network(outcomes: Outcomes | None = None, **changes: object) -> Result:
    """The result with another network."""
    (student,) = result().students
    change = changes | ({} if outcomes is None else {"outcomes": outcomes})
    return result(students=(student.model_copy(update={"scores": (student.scores[0].model_copy(update=change),)}),))


def own() -> Places:
    outcomes = result().students[0].scores[0].outcomes
    assert outcomes is not None
    return unpack(outcomes, 240, 8)


def test_outcomes_that_go_with_their_scores_have_no_fault() -> None:
    assert list(outcome_faults(result(), CLIPS)) == []
    assert list(outcome_faults(bare(result()), None)) == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (network(top1=0.6), "of minic3d with seed 0 give a top-1 of 50.00 %, and it says 60.00 %"),
        (network(top5=0.9), "give a top-5 of 76.67 %, and it says 90.00 %"),
        (network(macro=0.1), "give a mean over classes of 50.00 %, and it says 10.00 %"),
        (network(Outcomes(ahead="AAAA")), "its outcomes per clip are not those of 240 clips and 8 classes"),
        (network(Outcomes(ahead="no text!")), "its outcomes per clip are not those of 240 clips and 8 classes"),
        (
            result(dataset=DIGITS.model_copy(update={"test_clips": 239})),
            "its test set has 240 clips, and it says that it was tested on 239",
        ),
        (result(dataset=DIGITS.model_copy(update={"class_names": tuple("abcdefhg")})), "other classes than it names"),
        (bare(result()).model_copy(update={"test_set": CLIPS.fingerprint}), "1 of its 1 networks keep no outcomes"),
        (
            result(conditions=(Condition(labels="soft", students=bare(result()).students),)),
            "1 of its 2 networks keep no outcomes",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_is_told(value: Result, sentence: str) -> None:
    (fault,) = outcome_faults(value, CLIPS)
    assert sentence in fault


def test_outcomes_without_a_test_set_are_a_fault() -> None:
    (fault,) = outcome_faults(result(test_set=None), None)
    assert fault == "it keeps outcomes per clip, and names no test set that they speak of"


def test_hits_moved_to_another_class_contradict_the_confusion_and_nothing_else() -> None:
    ahead = own().ahead.reshape(8, 30)
    ahead[0], ahead[1] = np.roll(ahead[0], 1), ahead[1]
    assert list(outcome_faults(network(pack(Places(ahead.ravel(), own().level), 8)), CLIPS)) == [], "the same class"
    ahead[0, ahead[0] == 1], ahead[1, ahead[1] == 0] = 0, 1  # 8 of 15 misses of one class, 15 hits of the other
    ahead[1, :8] = 0
    ahead[1, 8:15] = 1
    counted = float((ahead == 0).mean())
    moved = network(
        pack(Places(ahead.ravel(), own().level), 8), top1=counted, macro=counted, top5=float((ahead < 5).mean())
    )
    assert list(outcome_faults(moved, CLIPS)) == [
        "the outcomes per clip of minic3d are not those that its confusion of classes counts"
    ]


def test_of_a_tie_the_confusion_may_count_either_guess() -> None:
    level = own().level.copy()
    level[own().ahead == 0] = np.arange(120) % 2
    places = Places(own().ahead, level)
    scores = {"top1": float(places.won().mean()), "macro": float(places.won().mean())}
    tied = network(pack(places, 8), **scores)
    assert list(outcome_faults(tied, CLIPS)) == []


def test_a_test_set_that_was_read_three_times_has_three_times_the_clips() -> None:
    protocol = result().protocol | {"readings": 3}
    of_80 = DIGITS.model_copy(update={"test_clips": 80})
    assert list(outcome_faults(result(dataset=of_80, protocol=protocol), CLIPS)) == []
    held_out = result(dataset=of_80, protocol=protocol, evaluated_on="validation")
    for other in (result(dataset=DIGITS, protocol=protocol), held_out):
        (fault,) = outcome_faults(other, CLIPS)
        assert "its test set has 240 clips" in fault
