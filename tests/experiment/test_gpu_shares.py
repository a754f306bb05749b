"""Shares of a GPU by the memory that trials took, in worlds of made results: no GPU is needed."""

from typing import Any

import pytest

from tests.leaderboard.conftest import make_result
from vdbench.experiment.gpu_shares import shares_learned
from vdbench.experiment.past import trial_likeness
from vdbench.experiment.result import Failure, Result, Stage

CARD = 80 << 30


def on_card(peak: int, memory: int | None = CARD, **changes: Any) -> Result:
    made = make_result(**changes)
    stages = {"distill": Stage(seconds=1, peak_memory=peak), "evaluate": Stage(seconds=1, peak_memory=peak // 2)}
    environment = made.environment.model_copy(update={"device": "a card", "gpu_memory": memory})
    return made.model_copy(update={"stages": stages, "environment": environment})


def share_of(*results: Result) -> float | None:
    first = results[0]
    key = trial_likeness(first)
    return shares_learned(results).get(key)


@pytest.mark.parametrize(("gigabytes", "share"), [(1, 0.05), (10, 0.2), (31, 0.5), (60, 0.95), (79, 1.0)])
def test_a_share_is_the_peak_with_a_quarter_more_and_the_context_rounded_up(gigabytes: int, share: float) -> None:
    assert share_of(on_card(gigabytes << 30)) == pytest.approx(share)


def test_the_hungriest_seed_counts_and_other_trials_do_not() -> None:
    assert share_of(on_card(1 << 30), on_card(10 << 30, seed=1), on_card(60 << 30, ipc=5)) == pytest.approx(0.2)


def test_one_that_ran_out_of_memory_gets_the_whole_card() -> None:
    failed = on_card(0, failure="oom", seed=1).model_copy(update={"stages": {}})
    assert isinstance(failed.failure, Failure)
    assert share_of(on_card(1 << 30), failed) == 1.0


@pytest.mark.parametrize("changes", [{"memory": None}, {"peak": 0}, {"failure": "diverged"}])
def test_where_nothing_was_measured_nothing_is_learned(changes: dict[str, Any]) -> None:
    assert share_of(on_card(**{"peak": 1 << 30} | changes)) is None
