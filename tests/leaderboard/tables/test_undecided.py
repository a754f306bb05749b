"""Which comparisons of a column are still open."""

import numpy as np
import pytest

from vdbench_leaderboard.statistics.sequential import Look
from vdbench_leaderboard.tables.undecided import Question, questions

LOOKS = tuple(range(3, 9))


def planted(make, method: str, means: list[float], **changes):
    return [make(method, [mean, mean + 0.01], seed=seed, **changes) for seed, mean in enumerate(means)]


@pytest.fixture
def column(make):
    rng = np.random.default_rng(0)
    base = rng.uniform(0.3, 0.4, 6)
    noise = lambda size: rng.normal(0, size, 6)  # noqa: E731
    return [
        *planted(make, "random", list(base)),
        *planted(make, "herding", list(base + 0.2 + noise(0.004))),
        *planted(make, "k-center", list(base + 0.19 + noise(0.03))),
        *planted(make, "k-means", list(base + noise(0.02))),
        *planted(make, "full", [0.9, 0.9, 0.9], ipc=None),
    ]


def test_every_method_is_held_against_random_and_against_the_leader(column) -> None:
    asked = {(q.method, q.against): q for q in questions(column, LOOKS)}
    assert set(asked) == {
        *((method, "random") for method in ("herding", "k-center", "k-means")),
        *((method, "herding") for method in ("k-center", "k-means")),
    }
    assert asked["herding", "random"].look.state == "told"
    assert asked["herding", "random"].look.mean == pytest.approx(20, abs=1)
    assert asked["k-center", "herding"].look.state != "told"
    ids = {r.id for r in column if r.method in ("k-center", "herding")}
    assert asked["k-center", "herding"].results == ids
    assert {q.against for q in questions(column, LOOKS, to_the_end=True)} == {"random"}


def test_what_is_told_leaves_the_others_more_of_the_error_and_no_interval_gets_narrower(make) -> None:
    """Eight differences whose p lies between the level of one test and that of four."""
    rng = np.random.default_rng(1)
    base = rng.uniform(0.3, 0.4, 8)
    noise = rng.normal(0, 1, 8)
    close = 0.03 * (1 + (noise - noise.mean()) / noise.std(ddof=1))
    weak = planted(make, "weak", list(base + close))
    rows = [*planted(make, "random", list(base)), *weak]
    clear = [planted(make, name, list(base + 0.2 + rng.normal(0, 0.002, 8))) for name in ("a", "b", "c")]
    none = [planted(make, name, list(base + rng.normal(0, 0.02, 8))) for name in ("d", "e", "f")]
    ended = (8,)
    alone = by_method(questions(rows, ended))["weak"]
    beside_clear, beside_none = (
        by_method(questions([*rows, *(r for some in more for r in some)], ended))["weak"] for more in (clear, none)
    )
    assert alone.level > alone.p > beside_none.level
    assert (alone.state, beside_none.state, beside_clear.state) == ("told", "not told", "told")
    assert beside_clear.level == alone.level
    assert beside_clear.half_width == beside_none.half_width > alone.half_width


def by_method(asked: list[Question]) -> dict[str, Look]:
    """What was found of each method against ``random``."""
    return {q.method: q.look for q in asked if q.against == "random" and q.look is not None}


def test_where_random_leads_it_is_asked_once(make) -> None:
    results = [*planted(make, "random", [0.5, 0.52, 0.51]), *planted(make, "herding", [0.4, 0.3, 0.45])]
    assert [(q.method, q.against) for q in questions(results, LOOKS)] == [("herding", "random")]


def test_two_seeds_are_no_look_yet_and_columns_are_apart(make) -> None:
    results = [r for ipc in (1, 5) for m in ("random", "herding") for r in planted(make, m, [0.4, 0.5], ipc=ipc)]
    asked = questions(results, LOOKS, to_the_end=True)
    assert [(str(q.budget), q.look, q.open) for q in asked] == [("IPC 1", None, True), ("IPC 5", None, True)]
    assert all(q.wider_than(1000) for q in asked)


def test_seeds_that_only_one_of_the_two_has_do_not_count(make) -> None:
    results = [*planted(make, "random", [0.4] * 3), *planted(make, "herding", [0.5, 0.52, 0.51, 0.9, 0.9])]
    (asked,) = questions(results, LOOKS, to_the_end=True)
    assert asked.look.seeds == 3
