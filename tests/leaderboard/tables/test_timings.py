"""Tables show timings of one version of the code, and all else of every trial."""

import pytest

from tests.leaderboard.conftest import make_result
from vdbench.experiment.result import Result, Stage
from vdbench_leaderboard.tables.cells import Cell, gather


def timed(method: str, seed: int, distill: float, code: int | None, **changes: object) -> Result:
    stages = {
        "assets": Stage(seconds=1, code=code),
        "distill": Stage(seconds=distill, code=code),
        "evaluate": Stage(seconds=9, code=code),
    }
    return make_result(method, seed=seed, stages=stages, **changes)


def cells(*results: Result) -> dict[str, Cell]:
    return {cell.method: cell for cell in gather(results)}


def test_a_column_holds_timings_of_the_version_that_most_trials_have() -> None:
    found = cells(
        timed("random", 0, 2, None), timed("random", 1, 4, 1), timed("herding", 0, 6, 1), timed("k-means", 0, 8, None),
        timed("herding", 1, 8, 1), timed("k-center", 0, 99, 2),
    )  # fmt: skip
    assert {name: cell.distill_seconds for name, cell in found.items()} == {
        "random": 5, "herding": 8, "k-means": None, "k-center": None
    }  # fmt: skip
    assert found["random"].evaluate_seconds == 3.0 + 1 + 0.5
    assert found["k-means"].evaluate_seconds is None
    assert found["random"].seeds == {0, 1}
    assert found["k-center"].top1 is not None


def test_the_latest_of_equally_many_counts_and_results_that_say_none_are_a_version() -> None:
    assert cells(timed("random", 0, 2, None), timed("random", 1, 4, 1))["random"].distill_seconds == 5
    assert cells(timed("random", 0, 2, None), timed("random", 1, 4, None))["random"].distill_seconds == 4


def test_shared_work_of_another_version_sets_a_distillation_apart_but_not_its_evaluation() -> None:
    mixed = timed("random", 0, 2, 1)
    mixed = mixed.model_copy(update={"stages": mixed.stages | {"assets": Stage(seconds=50)}})
    cell = cells(mixed, timed("random", 1, 4, 1), timed("random", 2, 6, 1))["random"]
    assert cell.distill_seconds == pytest.approx(6)
    assert cell.evaluate_seconds == pytest.approx(3.0 + 1 + 0.5)


def test_scores_that_were_taken_over_cost_nothing_and_count_for_nothing() -> None:
    first = timed("random", 0, 2, 1)
    second = timed("random", 4, 2, 1, judged_as=first.id)
    assert cells(first, second)["random"].evaluate_seconds == pytest.approx(3.5)
