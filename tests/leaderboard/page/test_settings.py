"""Other settings of the evaluation on the page, in Markdown and in the terminal, where they were measured."""

import json

from tests.leaderboard.conftest import rescored, terminal
from vdbench.records import Checkpoint, Condition


def measured(make, method, top1, seed):
    """A result with a configuration, labels of a teacher, and students tested on their way."""
    noise = seed / 1000 if method == "herding" else 0
    points = tuple(Checkpoint(step=s, clips=8 * s, seconds=s, top1=top1 * s / 100 + noise) for s in (50, 100))
    result = make(method, (top1 + seed / 50,), seed=seed, protocol={"checkpoints": [0.5, 1.0]})
    students = rescored(result.students, checkpoints=points)
    conditions = (
        Condition(labels="soft", students=students),
        Condition(labels="teacher", augmented=True, students=students),
        Condition(labels="own", configuration="adamw", students=students),
    )
    return result.model_copy(update={"students": students, "conditions": conditions})


def test_every_document_has_the_tables_and_the_plots(make, documents, tmp_path):
    found = documents(
        [measured(make, m, top1, seed) for m, top1 in (("random", 0.3), ("herding", 0.4)) for seed in range(3)]
    )
    for kind in ("own", "teacher"):
        assert len(list((tmp_path / "out").rglob(f"*-compute-{kind}-1.svg"))) == 1
    page, markdown = found["index.html"], found["README.md"]
    for text in ("More than one recipe", "Three kinds of labels", "Over training compute", "2 of 2", "adamw"):
        assert text in page
        assert text in markdown
    assert '<a href="#settings">' in page
    (row,) = [row for row in json.loads(found["leaderboard.json"])["rows"] if row["method"] == "herding"]
    assert (row["configurations"], row["configurations_won"], row["told_until_own"]) == (2, 2, 800)
    assert "2 of 2" in terminal(tmp_path / "results", 200)


def test_without_them_nothing_is_said(make, documents):
    found = documents([make("random"), make("herding")])
    for text in ("More than one recipe", "Three kinds of labels", "Over training compute", "#settings"):
        assert text not in found["index.html"] + found["README.md"]
