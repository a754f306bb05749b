"""Leads that random clips under the same recipe have, too: told, marked, and never where the clips gain as well."""

import pytest

from tests.leaderboard.conftest import rescored
from vdbench.records import Condition
from vdbench_leaderboard.tables import own_recipes, verdict_words
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.verdicts import verdicts

SEEDS = range(5)
PLACE = "mtt at IPC 1 (+0.4 points, −1.0 to 1.8)"
"""Differences of 2, −1, 0, 1 and 0 points: their mean, and 2.776 times their standard deviation by the root of 5."""


@pytest.fixture
def results(make):
    """``mtt`` is 29 points better than ``random``; random clips with its step size reach as much, or what is asked."""

    def made(alike=(-0.02, 0.01, 0.0, -0.01, 0.0), step_size=0.02):
        random = [make("random", (0.4 + seed / 100,), seed=seed) for seed in SEEDS]
        found = [make("mtt", (0.7 + seed**2 / 500,), seed=seed, step_size=step_size) for seed in SEEDS]
        for seed, difference in zip(SEEDS, alike, strict=True):
            students = found[seed].students
            trained = rescored(students, top1=students[0].scores[0].top1 + difference)
            control = Condition(labels="own", augmented=False, random=True, students=trained)
            found[seed] = found[seed].model_copy(update={"conditions": (control,) if step_size else ()})
        return [*random, *found]

    return made


def test_a_lead_that_random_clips_of_the_same_recipe_share_is_marked_and_told(results, documents):
    (board,) = boards(gather(results()))
    meaning = own_recipes.MEANING
    assert own_recipes.sentences(board) == [f"‖ {PLACE}: {meaning}"]
    (verdict,) = verdicts([board], Outcomes({}))
    assert verdict.recommended
    assert str(verdict_words.answer(verdict)).endswith(
        f"But random clips trained in the same way may do as well as {PLACE}."
    )
    found = documents(results())
    markdown, latex, page = (found[name] for name in ("README.md", "leaderboard.tex", "index.html"))
    assert "71.2 ± 1.3‖" in markdown
    assert f"‖ {PLACE}: {meaning}." in markdown
    assert "‖" not in latex
    assert r"$^\|$" in latex
    assert f'<p class="hint">‖ {PLACE}: {meaning}.</p>' in page
    assert '"lead may be due to training"' in page


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"alike": (-0.3, -0.29, -0.3, -0.31, -0.3)}, id="the clips gain, too"),
        pytest.param({"step_size": None}, id="trained as random clips are"),
    ],
)
def test_a_lead_of_the_clips_has_no_mark(results, changed):
    (board,) = boards(gather(results(**changed)))
    assert any(s.random_comparison and s.random_comparison.significant for s in board.standings)
    assert own_recipes.sentences(board) == []


def test_without_a_lead_over_random_there_is_nothing_to_mark(results):
    level = [r if r.method == "mtt" else r.model_copy(update={"method": "mtt2"}) for r in results()]
    assert own_recipes.sentences(*boards(gather(level))) == []
