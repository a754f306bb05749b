"""`vdbench run --until`: rounds of seeds, and what they decide."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.conftest import Cli, results, tiny_run
from vdbench.api.rounds import Search
from vdbench.cli.searching import known_of


def until(home: Path, *more: str) -> list[str]:
    words = tiny_run(home, "--set", "k-means.encoder=pixels", methods="k-means")
    at = words.index("--seeds")
    return [*words[:at], *words[at + 2 :], *more]


def test_a_search_adds_seeds_says_what_it_found_and_is_over_when_typed_again(cli: Cli, home: Path) -> None:
    command = until(home, "--until", "told", "--most-seeds", "4")
    title = "Differences in points of top-1 on these test clips, other seeds, with intervals that hold together"
    first_round = "round 1: 9 trials to run"  # random, full and k-means with three seeds each
    said = cli(*command).ended(0, first_round, "nothing more is to be gained, 0 questions are open")
    assert title in " ".join((said.out + said.err).split())
    stored = results(home).values()
    assert sum(r.method == "full" for r in stored) == 3
    again = cli(*command, "--json")
    found = json.loads(again.out)
    assert (again.code, found["ended"], found["looks"]) == (0, "decided", [3, 4])
    (question,) = found["questions"]
    assert (question["method"], question["against"], question["budget"]) == ("k-means", "random", "IPC 1")
    assert question["seeds"] == sum(r.method == "k-means" for r in stored)
    assert "round" not in again.err


def test_a_search_for_points_that_ran_out_of_seeds_says_what_is_not_yet_known(cli: Cli, home: Path) -> None:
    answer = cli(*until(home, "--until", "0.1pts", "--most-seeds", "3")).ended(0)
    assert "1 of 1 difference is not yet known to within 0.1 points; raise --most-seeds to go on" in answer.err


def test_no_round_is_begun_that_would_end_too_late(cli: Cli, home: Path) -> None:
    cli(*until(home, "--hours", "0.00001")).ended(0, "the next round would take longer than what is left of --hours")
    assert not results(home)


def test_points_that_make_no_sense_are_one_sentence(cli: Cli, home: Path) -> None:
    answer = cli(*until(home, "--until", "often"))
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "until is 'told', or points such as '3pts', not 'often'" in answer.err


@pytest.mark.parametrize(
    ("half", "state", "points", "said"),
    [
        (1.0, "open", 3.0, "within 3 points"),
        (1.0, "told", 3.0, "told"),
        (4.0, "open", 3.0, "open"),
        (1.0, "open", None, "open"),
    ],
)
def test_a_difference_that_is_known_to_within_the_points_asked_for_is_not_called_open(
    half: float, state: str, points: float | None, said: str
) -> None:
    look = SimpleNamespace(state=state)
    question: Any = SimpleNamespace(look=look, wider_than=lambda most: half > most)
    assert known_of(question, Search((3, 4), points)) == said
    question.look = None
    assert known_of(question, Search((3, 4), points)) == "too few seeds"
