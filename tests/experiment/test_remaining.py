"""The time left of a run."""

import pytest

from vdbench.experiment.estimate import Estimate, Shared
from vdbench.experiment.past import TrialTime
from vdbench.experiment.remaining import Remaining


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def estimate() -> Estimate:
    trials = {"quick": TrialTime(0, 20), "slow": TrialTime(60, 20)}
    return Estimate(200.0, 1, "", [Shared("expert for ucf101", 4, 100.0)], trials)


def test_it_starts_with_the_estimate_and_follows_what_pieces_weigh() -> None:
    clock = Clock()
    left = Remaining(estimate(), clock)
    assert left.seconds() == pytest.approx(200)
    left.built("expert for ucf101")
    left.building("expert for ucf101", 5, {"of": 10})
    clock.now = 37.5
    assert left.seconds() == pytest.approx(162.5)
    left.all_built()
    left.ended("quick")
    left.progressed("slow", 1, {"stage": "distill", "of": 2})
    clock.now = 150
    assert left.seconds() == pytest.approx(50)
    left.ended("slow")
    assert left.seconds() == 0


def test_the_time_left_falls_while_a_trial_is_judged() -> None:
    """An evaluation of half an hour says nothing of how many networks are left."""
    clock = Clock()
    left = Remaining(Estimate(1000.0, 1, "", [], {"long": TrialTime(100, 900)}), clock)
    clock.now = 100
    left.progressed("long", 0, {"stage": "evaluate"})
    told = [left.seconds()]
    for now in (400, 700, 910):
        clock.now = now
        left.progressed("long", 7, {"stage": "evaluate", "minic3d/0/loss": 0.5})
        told.append(left.seconds())
    assert told == pytest.approx([900, 600, 300, 90])
    clock.now = 1500
    left.progressed("long", 9, {"stage": "evaluate"})
    assert left.seconds() == pytest.approx((1 - 0.91) * 1000 * (1500 + 200) / (910 + 200))
    left.ended("long")
    assert left.seconds() == 0


def test_a_run_that_takes_twice_as_long_is_soon_seen_to_do_so() -> None:
    clock = Clock()
    left = Remaining(estimate(), clock)
    left.all_built()
    clock.now = 200
    assert left.seconds() == pytest.approx(100 * (200 + 40) / (100 + 40))


def test_without_an_estimate_no_time_is_told() -> None:
    left = Remaining()
    left.built("anything")
    left.ended("any")
    assert left.seconds() == 0
