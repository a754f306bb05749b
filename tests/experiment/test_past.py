"""What is remembered of finished trials, in worlds of made results."""

from tests.leaderboard.conftest import make_result
from vdbench.experiment.past import PastTrials, past_trials, settled, trial_likeness
from vdbench.experiment.result import Result, Stage


def timed(distill: float, evaluate: float, seed: int = 0, **settings: int) -> Result:
    stages = {"distill": Stage(seconds=distill), "evaluate": Stage(seconds=evaluate)}
    return make_result(seed=seed).model_copy(update={"stages": stages, "settings": settings})


def test_a_distillation_is_expected_to_take_what_those_with_its_settings_took() -> None:
    few, again = timed(1.0, 4.0, iterations=5), timed(3.0, 6.0, seed=1, iterations=5)
    many = timed(900.0, 5.0, iterations=5000)
    key = trial_likeness(few)
    found = past_trials([few, again, many])
    assert found.distill == {settled(key, {"iterations": 5}): 2.0, settled(key, {"iterations": 5000}): 900.0}
    assert found.rest == {key: 5.0}


def test_failed_trials_and_shared_evaluations_tell_of_no_time() -> None:
    shared = timed(1.0, 4.0).model_copy(update={"judged_as": "0" * 16})
    assert past_trials([shared, make_result(failure="oom")]) == PastTrials({}, {})
