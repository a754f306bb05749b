"""Runs that add seeds where something is undecided, in worlds whose truth is planted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.experiment.test_trial import trial
from tests.leaderboard.conftest import make_result
from vdbench.api.rounds import Search, Searched, in_rounds, next_trials
from vdbench.errors import UsageError
from vdbench.experiment.plan import Plan, Request
from vdbench.experiment.run import Outcome
from vdbench.experiment.suite import load_suite
from vdbench.experiment.trial import Job, Means
from vdbench_leaderboard.statistics.comparisons import compare

if TYPE_CHECKING:
    from vdbench.experiment.result import Result

MOST = 20


def every_job(methods: Mapping[str, float], most: int = MOST) -> list[Job]:
    trials = [
        trial(method=method, settings={}, pool="real", seed=seed, distillation_seed=seed)
        for method in methods
        for seed in range(most)
    ]
    trials += [trial(method="full", pool=None, settings={}, ipc=None, seed=seed) for seed in range(most)]
    return [Job(trial=one, settings={}, home=Path("h"), store=Path("s")) for one in trials]


class World:
    """Each method is better than ``random`` by what is planted, give or take; luck of a seed is everybody's.

    Args:
        planted: difference to ``random`` of each method, in points.
        number: of the repetition.
    """

    def __init__(self, planted: Mapping[str, float], number: int) -> None:
        self.jobs = every_job(planted)
        rng = np.random.default_rng(number)
        luck = rng.normal(40, 4, MOST)
        self.points = {m: luck + d + rng.normal(0, 2, MOST) for m, d in planted.items()} | {"full": np.full(MOST, 90.0)}
        self.rounds: list[int] = []

    def result(self, job: Job) -> Result:
        top1 = self.points[job.trial.method][job.trial.seed] / 100
        return make_result(job.trial.method, [top1], ipc=job.trial.ipc, seed=job.trial.seed).model_copy(
            update={"id": job.trial.id}
        )

    def carry(self, plan: Plan) -> Outcome:
        self.rounds.append(len(plan.pending))
        return Outcome((*plan.done.values(), *map(self.result, plan.pending)), (), False)

    def search(self, search: Search) -> Searched:
        return in_rounds(Plan(tuple(self.jobs), {}), search, lambda plan: 0.0, self.carry)

    def fixed(self) -> set[str]:
        """What a run of all seeds tells from ``random``."""
        column = {m: {s: {0: v} for s, v in enumerate(p)} for m, p in self.points.items() if m != "full"}
        return {method for method, found in compare(column, "random").items() if found.significant}


PLANTED = {"random": 0.0, "herding": 8.0, "k-center": 4.0, "k-means": 0.2, "dm": -6.0}


def test_a_search_finds_what_a_fixed_run_finds_with_half_of_the_networks() -> None:
    """Twenty repetitions against runs of twenty seeds."""
    networks, agreed = [], []
    for number in range(20):
        world = World(PLANTED, number)
        found = world.search(Search.of("told", None))
        assert found.ended == "decided"
        told = {q.method for q in found.questions if q.against == "random" and q.told}
        networks.append(len(found.results) / len(world.jobs))
        agreed.append(told == world.fixed())
    assert np.mean(networks) <= 0.5
    assert sum(agreed) >= 18


def test_where_no_method_differs_a_search_seldom_says_so() -> None:
    wrong = 0
    for number in range(40):
        found = World(dict.fromkeys(("random", "a", "b", "c"), 0.0), number).search(Search.of("told", None, most=10))
        wrong += any(q.told for q in found.questions if q.against == "random")
    assert wrong / 40 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


def test_beside_methods_that_are_told_the_others_are_seldom_told_falsely() -> None:
    """What is told leaves the rest more of the 5 %, and no more than that."""
    planted = {"random": 0.0, "a": 15.0, "b": -15.0, "c": 0.0, "d": 0.0}
    wrong = 0
    for number in range(40):
        found = World(planted, number).search(Search.of("told", None, most=10))
        told = {q.method for q in found.questions if q.against == "random" and q.told}
        assert {"a", "b"} <= told
        wrong += len(told) > 2
    assert wrong / 40 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


def test_points_are_reached_for_every_method_or_all_seeds_are_spent() -> None:
    found = World(PLANTED, 1).search(Search.of("3pts", None))
    assert all(q.against == "random" and q.look is not None for q in found.questions)
    assert all(q.look.half_width <= 3 or q.look.seeds == MOST for q in found.questions if q.look)
    coarse = World(PLANTED, 1).search(Search.of("12 points", None))
    assert len(coarse.results) < len(found.results)


def test_a_search_that_was_interrupted_goes_on_where_it_was() -> None:
    world, search = World(PLANTED, 3), Search.of("told", None)
    whole = world.search(search)
    half = {r.id: r for r in list(whole.results)[::2]}
    again = World(PLANTED, 3)
    resumed = in_rounds(Plan(tuple(again.jobs), half), search, lambda plan: 0.0, again.carry)
    assert {r.id for r in resumed.results} == {r.id for r in whole.results}
    assert sum(again.rounds) == len(whole.results) - len(half)
    assert next_trials(world.jobs, {r.id: r for r in whole.results}, search) == []


def test_full_gets_the_seeds_of_the_first_look_and_random_those_of_the_longest_search() -> None:
    found = World(PLANTED, 5).search(Search.of("told", None))
    seeds = {m: sum(r.method == m for r in found.results) for m in (*PLANTED, "full")}
    assert seeds["full"] == 3
    longest = max(q.look.seeds for q in found.questions if q.against == "random" and q.look)
    assert seeds["random"] == longest > 3


def test_no_round_is_begun_that_would_end_too_late_and_failures_end_a_search() -> None:
    world = World(PLANTED, 0)
    plan = Plan(tuple(world.jobs), {})
    late = in_rounds(plan, Search.of(None, 1.0), lambda part: 3601.0, world.carry)
    assert (late.ended, late.results, world.rounds) == ("out of time", (), [])

    def failing(part: Plan) -> Outcome:
        bad, *rest = part.pending
        record = make_result(bad.trial.method, failure="bug", seed=bad.trial.seed).model_copy(
            update={"id": bad.trial.id}
        )
        return Outcome(tuple(map(world.result, rest)), (record,), False)

    failed = in_rounds(plan, Search.of("told", None), lambda part: 0.0, failing)
    assert (failed.ended, len(failed.failed)) == ("failed", 1)


OWN = """
description: a suite of a user's own
datasets: [motion-digits]
ipc: [1]
seeds: 3
protocol: {students: [{name: minic3d}], recipe: {epochs: 1}, draws: 2}
"""


@pytest.mark.parametrize(
    ("suite", "protocol", "draws", "repeated"),
    [
        ("quick", {}, 8, 8),
        ("quick", {"evaluation_seeds": 2}, 8, 8),
        ("quick", {"draws": 2}, 2, 8),
        ("quick", {"draws": 30}, 30, 30),
        ("vdsd", {}, 1, 1),
        (OWN, {}, 2, 8),
        (OWN, {"recipe": {"epochs": 2}}, 2, 8),
    ],
)
def test_every_seed_draws_its_own_networks_unless_the_user_or_the_suite_says_how_many(
    suite: str, protocol: dict[str, Any], draws: int, repeated: int, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    given = load_suite(own if suite == OWN else suite, protocol)
    request = Request(given, ["herding"], [], [1], range(8), Means())
    search = Search.of("told", None, most=8)
    drawn = search.drawing(request).suite
    assert (drawn.protocol.draws, drawn.name) == (draws, given.name)
    assert search.drawing(request, repeated=True).suite.protocol.draws == repeated
    assert drawn.protocol.judging() == given.protocol.judging()


def test_seeds_that_share_draws_are_told() -> None:
    search = Search.of("told", None, most=8)

    def job(method: str, draw: int | None, draws: int) -> Job:
        protocol = trial().protocol.model_copy(update={"draws": draws})
        return Job(
            trial=trial(method=method, draw=draw, protocol=protocol), settings={}, home=Path("h"), store=Path("s")
        )

    assert search.shared([job("random", None, 3), job("herding", 0, 1), job("mtt", 2, 8)]) is None
    said = search.shared([job("random", None, 3), job("mtt", 0, 3), job("herding", 1, 3)])
    assert said is not None
    assert said.startswith("seeds of herding, mtt share 3 draws of trained networks and are not independent")
    assert said.endswith("leave protocol.draws out, or set it to 8")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"until": "soon", "hours": None}, "until is 'told', or points such as '3pts', not 'soon'"),
        ({"until": "0pts", "hours": None}, "not '0pts'"),
        ({"until": None, "hours": float("nan")}, "hours is a number above 0, not nan"),
        ({"until": "told", "hours": None, "first": 8, "most": 6}, "begins with 8 seeds and cannot end with 6"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Search.of(**asked)  # type: ignore[arg-type]
