"""benchmarks/until.py, which replays searches on stored results, on results whose truth is planted."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from tests.experiment.test_trial import trial
from tests.leaderboard.conftest import make_result
from vdbench.experiment.plan import Plan
from vdbench.experiment.trial import Job

UNTIL = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "until.py"))
GAINS = {"random": 0.0, "again": 0.0, "herding": -12.0, "k-center": 12.0, "full": 30.0}
SEEDS = 50


@pytest.fixture(scope="module")
def plan() -> Plan:
    rng = np.random.default_rng(0)
    luck, jobs, done = rng.normal(50, 3, SEEDS), [], {}
    for method, gain in GAINS.items():
        for seed in range(SEEDS):
            ipc = None if method == "full" else 1
            one = trial(method=method, settings={}, seed=seed, distillation_seed=seed, ipc=ipc)
            jobs.append(Job(trial=one, settings={}, home=Path("h"), store=Path("s")))
            top1 = (luck[seed] + gain + rng.normal(0, 2)) / 100
            done[one.id] = make_result(method, [top1], seed=seed, ipc=ipc).model_copy(update={"id": one.id})
    return Plan(tuple(jobs), done)


def test_twenty_seeds_are_a_repetition_and_both_runs_tell_large_differences_and_their_direction(plan: Plan) -> None:
    told = UNTIL["replays"](plan)
    assert len(told) == 2  # of the last ten seeds there is none
    for one in told:
        for said in (one.fixed, one.until):
            assert (said["herding"], said["k-center"]) == (-1, 1)
        assert 5 * 3 / 100 <= one.networks < 1
        assert one.compared == pytest.approx((100 * one.networks - 3) / 80)


def test_the_table_counts_agreement_and_what_is_wrong(plan: Plan) -> None:
    told, said = UNTIL["Told"], {"again": 0, "herding": -1, "k-center": 1}
    cases = [
        told(said, said, 0.25, 0.35),
        told(said, said | {"k-center": 0}, 0.5, 0.60),
        told(said, said | {"again": 1}, 0.75, 0.85),
        told(said, said | {"herding": 1}, 0.5, 0.60),
    ]
    text = UNTIL["table"](cases, UNTIL["compared"](list(plan.done.values())))
    rows = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[2:] for line in text.splitlines()[2:5]}
    assert rows["again"] == ["0", "1", "3", "1"]
    assert rows["herding"] == ["4", "4", "3", "1"]
    assert rows["k-center"] == ["4", "3", "3", "0"]
    assert "4 repetitions of 20 seeds. `--until told` judged 50 % of the networks (25 to 75 %; 60 % of those" in text
    assert "said the same of every method as the fixed run in 1, and something wrong of any method in 2." in text
