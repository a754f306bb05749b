"""Conditions: which control stands beside which score, and the scores of DD-Ranking made of them."""

import math
from statistics import mean, stdev

import pytest

from tests.leaderboard.conftest import rescored
from vdbench.records import Condition
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.conditions import with_labels


def with_conditions(result, **conditions):
    """A result with conditions by name: ``own_augmented=0.4``."""
    found = tuple(
        Condition(
            labels=name.split("_")[0],
            augmented="augmented" in name,
            random="random" in name,
            students=rescored(result.students, top1=top1),
        )
        for name, top1 in conditions.items()
    )
    return result.model_copy(update={"conditions": found})


def standings(results):
    (board,) = boards(gather(results))
    return {standing.cell.method: standing for standing in board.standings}


def lrs(ior, hlr):
    return (math.exp(0.5 * ior - 0.5 * hlr) - math.exp(-1)) / (math.e - math.exp(-1))


@pytest.fixture
def table(make):
    return [
        with_conditions(make("random", (0.4,)), soft=0.45, own_augmented=0.42),
        with_conditions(make("herding", (0.5,)), soft=0.6, own_augmented=0.46),
        with_conditions(
            make("frepo", (0.7,), labels="soft"),
            hard=0.3, own_random=0.44, own_augmented=0.6, own_augmented_random=0.5,
        ),
        with_conditions(make("mtt", (0.8,), step_size=0.02), hard=0.35, soft=0.55, own_random=0.2),
        make("full", (0.9,), ipc=None),
    ]  # fmt: skip


def test_each_kind_of_labels_has_its_own_control(table):
    gains = {name: standing.gains for name, standing in standings(table).items()}
    assert gains["herding"].hard.mean == pytest.approx(50)
    assert gains["herding"].hard_gain.mean == pytest.approx(10)
    assert gains["herding"].soft_gain.mean == pytest.approx(60 - 45)
    assert gains["frepo"].soft.mean == pytest.approx(70)
    assert gains["frepo"].soft_gain.mean == pytest.approx(70 - 45)
    assert gains["frepo"].hard_gain.mean == pytest.approx(30 - 40)
    assert gains["mtt"].hard_gain.mean == pytest.approx(35 - 40)
    assert gains["mtt"].soft_gain.mean == pytest.approx(55 - 45)
    assert gains["random"].hard_gain.mean == 0


def test_a_recipe_of_its_own_is_compared_with_random_under_that_recipe(table):
    gains = {name: standing.gains for name, standing in standings(table).items()}
    assert gains["herding"].ior.mean == pytest.approx(0.1)
    assert gains["frepo"].ior.mean == pytest.approx(0.7 - 0.44)
    assert gains["mtt"].ior.mean == pytest.approx(0.8 - 0.2)
    assert gains["herding"].augmented_gain.mean == pytest.approx(46 - 42)
    assert gains["frepo"].augmented_gain.mean == pytest.approx(60 - 50)
    assert gains["mtt"].augmented_gain is None


def test_scores_of_dd_ranking_are_the_formula_on_fractions(table):
    gains = {name: standing.gains for name, standing in standings(table).items()}
    assert gains["mtt"].hlr.mean == pytest.approx(0.9 - 0.35)
    assert gains["mtt"].lrs.mean == pytest.approx(lrs(0.6, 0.55))
    assert gains["herding"].lrs.mean == pytest.approx(lrs(0.1, 0.4))
    assert gains["herding"].ars.mean == pytest.approx(lrs(0.04, -0.1))
    assert gains["random"].ars.mean == pytest.approx(0.2689, abs=1e-4)
    assert gains["mtt"].ars is None


def test_scores_are_made_seed_by_seed_and_tell_their_spread(make):
    accuracies = {"random": (0.3, 0.4, 0.5), "herding": (0.5, 0.5, 0.8), "full": (0.9, 0.8, 0.9)}
    results = [
        make(method, (top1,), ipc=None if method == "full" else 1, seed=seed)
        for method, values in accuracies.items()
        for seed, top1 in enumerate(values)
    ]
    found = standings(results)["herding"].gains.lrs
    each = [lrs(ours - random, full - ours) for random, ours, full in zip(*accuracies.values(), strict=True)]
    assert found.mean == pytest.approx(mean(each))
    assert found.std == pytest.approx(stdev(each))
    assert (found.repeats, found.over) == (3, "seeds")


def test_without_controls_there_is_no_gain(make):
    gains = standings([with_conditions(make("herding", (0.5,)), soft=0.6)])["herding"].gains
    assert (gains.hard.mean, gains.soft.mean) == (pytest.approx(50), pytest.approx(60))
    assert {gains.hard_gain, gains.soft_gain, gains.augmented_gain, gains.ior, gains.hlr, gains.lrs} == {None}


def test_conditions_are_read_of_the_same_student_alone(make):
    result = make("herding", (0.5,), students=("minic3d", "cnn-gru"))
    first = result.students[:1]
    result = result.model_copy(update={"conditions": (Condition(labels="soft", students=first),)})
    cells = {cell.student.name: cell for cell in gather([result])}
    assert with_labels(cells["minic3d"], "soft") == {0: {0: 50.0}}
    assert with_labels(cells["cnn-gru"], "soft") == {}
    assert cells["cnn-gru"].measured("macro") == {0: {0: 50.0}}
    assert cells["cnn-gru"].measured("still") == {}
