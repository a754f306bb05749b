"""When a second judging agrees with the first."""

from __future__ import annotations

import math
from itertools import cycle, islice

import pytest

from tests.experiment.results import HERE
from vdbench.experiment.verification import ONE_NETWORK, Comparison, Pair, tolerance


def comparison(allowed: float, **points: list[float]) -> Comparison:
    """Students by name, each with the differences of its networks."""
    pairs = [
        Pair("own", student, seed, 0.5, 0.5 + difference / 100)
        for student, differences in points.items()
        for seed, difference in enumerate(differences)
    ]
    return Comparison(tuple(pairs), HERE, allowed)


@pytest.mark.parametrize(("networks", "points"), [(1, 3), (2, 3 / math.sqrt(2)), (4, 1.5), (9, 1), (100, 1)])
def test_more_networks_have_to_agree_more_closely_down_to_a_point(networks: int, points: float) -> None:
    assert tolerance(networks) == pytest.approx(points)


def test_the_mean_of_each_student_decides() -> None:
    apart = list(islice(cycle([2.0, -2.0]), 16))
    assert comparison(tolerance(16), minic3d=apart).agrees
    assert comparison(tolerance(16), minic3d=apart).difference == pytest.approx(0)
    assert not comparison(tolerance(16), minic3d=[1.1] * 16).agrees


def test_one_student_does_not_make_up_for_another() -> None:
    two = comparison(tolerance(1), minic3d=[-3.1], cnn=[3.1])
    assert two.difference == pytest.approx(3.1)
    assert not two.agrees
    assert comparison(tolerance(1), minic3d=[ONE_NETWORK - 0.1], cnn=[0.1]).agrees


def test_the_same_machine_has_to_give_the_same_bits_of_every_network() -> None:
    assert comparison(0, minic3d=[0, 0]).agrees
    assert not comparison(0, minic3d=[0.5, -0.5]).agrees
