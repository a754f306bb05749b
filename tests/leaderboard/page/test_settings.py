"""Other settings of the evaluation on the page, in Markdown and in the terminal, where they were measured."""

import json
from io import StringIO

import pytest
from rich.console import Console

from vdbench.records import Checkpoint, Condition
from vdbench_leaderboard.build import build, show


def measured(make, method, top1, seed):
    """A result with a configuration, labels of a teacher, and students tested on their way."""
    noise = seed / 1000 if method == "herding" else 0
    points = tuple(Checkpoint(step=s, clips=8 * s, seconds=s, top1=top1 * s / 100 + noise) for s in (50, 100))
    result = make(method, (top1 + seed / 50,), seed=seed, protocol={"checkpoints": [0.5, 1.0]})
    (student,) = result.students
    (score,) = student.scores
    students = (student.model_copy(update={"scores": (score.model_copy(update={"checkpoints": points}),)}),)
    conditions = (
        Condition(labels="soft", students=students),
        Condition(labels="teacher", augmented=True, students=students),
        Condition(labels="own", configuration="adamw", students=students),
    )
    return result.model_copy(update={"students": students, "conditions": conditions})


@pytest.fixture
def folder(make, save, tmp_path):
    results = [measured(make, m, top1, seed) for m, top1 in (("random", 0.3), ("herding", 0.4)) for seed in range(3)]
    return save(tmp_path / "results", results)


def test_every_document_has_the_tables_and_the_plots(folder, tmp_path):
    names = {path.relative_to(tmp_path / "out").as_posix() for path in build(folder, tmp_path / "out")}
    assert sum("-compute-own-1.svg" in name or "-compute-teacher-1.svg" in name for name in names) == 2
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    markdown = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for text in ("More than one recipe", "Three kinds of labels", "Over training compute", "2 of 2", "adamw"):
        assert text in page
        assert text in markdown
    assert '<a href="#settings">' in page
    rows = json.loads((tmp_path / "out" / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    (row,) = [row for row in rows if row["method"] == "herding"]
    assert (row["configurations"], row["configurations_won"], row["told_until_own"]) == (2, 2, 800)
    screen = StringIO()
    Console(width=200, file=screen).print(show(folder))
    assert "2 of 2" in screen.getvalue()


def test_without_them_nothing_is_said(make, save, tmp_path):
    build(save(tmp_path / "results", [make("random"), make("herding")]), tmp_path / "out")
    for name in ("index.html", "README.md"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert not any(
            word in text for word in ("More than one recipe", "Three kinds of labels", "Over training compute")
        )
        assert "#settings" not in text
