"""Signs that clips were not learned well, in every format: only where trials have them, and rightly counted."""

import csv
import json

import pytest

from tests.leaderboard.conftest import terminal
from vdbench_leaderboard.tables import health
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.frames import summary
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes

BOUND = "the learned step size lies on its bound, and students are trained with it"


@pytest.fixture
def results(make):
    """``mtt`` lies on its bound in two of three trials at IPC 1, in all at IPC 5; the loss of ``dm`` still falls."""
    marks = {("mtt", 1): [("bound",), ("bound", "unfinished"), ()], ("mtt", 5): [("astray", "bound")] * 3}
    marks[("dm", 5)] = [("unfinished",)] * 3
    return [
        make(method, (0.3 + seed / 50,), ipc=ipc, seed=seed, health=marks.get((method, ipc), [()] * 3)[seed])
        for method in ("random", "mtt", "dm")
        for ipc in (1, 5)
        for seed in range(3)
    ]


def test_trials_are_counted_in_cells_and_named_in_one_sentence_per_mark(results):
    (board,) = boards(gather(results))
    assert health.sentences(board) == [
        "¶ mtt at IPC 5 (3 of 3 trials): the loss ended where standing still is, or above",
        f"¶ mtt at IPC 1 (2 of 3 trials) and IPC 5 (3 of 3 trials): {BOUND}",
    ]
    shown = summary(board).set_index("method")
    assert {(m, ipc) for m in shown.index for ipc in shown if "¶" in shown[ipc][m]} == {
        ("mtt", "IPC 1"), ("mtt", "IPC 5")
    }  # fmt: skip
    frame = numbers([board], Outcomes({})).set_index(["method", "ipc"])["health"]
    assert frame["mtt", 1] == "bound 2/3; unfinished 1/3"
    assert frame["mtt", 5] == "astray 3/3; bound 3/3"
    assert frame["dm", 5] == "unfinished 3/3"
    assert frame[["random"]].isna().all()


def test_failed_trials_have_no_clips_and_do_not_count(make):
    done = [make("mtt", seed=seed, health=("saturated",)) for seed in range(2)]
    (board,) = boards(gather([*done, make("mtt", seed=2, failure="oom")]))
    assert health.short(board.cells[0]) == "saturated 2/2"


@pytest.mark.parametrize("students", [("minic3d",), ("minic3d", "cnn-gru")])
def test_every_format_marks_the_cell_and_says_why(results, students, documents, tmp_path):
    doubled = [
        r.model_copy(update={"students": tuple(r.students[0].model_copy(update={"student": s}) for s in students)})
        for r in results
    ]
    found = documents(doubled)
    markdown, latex, page = (found[name] for name in ("README.md", "leaderboard.tex", "index.html"))
    sentence = f"mtt at IPC 1 (2 of 3 trials) and IPC 5 (3 of 3 trials): {BOUND}."
    assert f"\n¶ {sentence}\n" in markdown
    assert rf"$^\P$ {sentence}" in latex
    assert "¶" not in latex
    assert f'<p class="hint">¶ {sentence}</p>' in page
    assert page.count('title="clips not learned well: astray 3/3; bound 3/3">¶</sup>') == len(students)
    assert "unfinished 3/3" not in markdown + latex
    rows, table = json.loads(found["leaderboard.json"])["rows"], csv.DictReader(found["leaderboard.csv"].splitlines())
    assert [plain["health"] for plain in table] == [row["health"] or "" for row in rows]
    assert terminal(tmp_path / "results").count(sentence.removesuffix(".")) == 1  # not once for each student


def test_without_marks_nothing_is_said_and_there_is_no_column(make, documents):
    found = documents([make("random"), make("mtt")])
    assert not any("health" in found[f"leaderboard.{kind}"] for kind in ("csv", "json"))
    assert "¶" not in found["README.md"]


def test_a_mark_that_runs_of_every_length_have_is_not_shown_in_the_table(make):
    (board,) = boards(gather([make("dm", seed=seed, health=("unfinished",)) for seed in range(3)]))
    assert health.sentences(board) == []
    assert "¶" not in "".join(summary(board)["IPC 1"])
    assert health.facts(board.cells[0]) == {"unfinished": "the loss was still falling at the end (3 of 3 trials)"}
