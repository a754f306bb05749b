"""The numbers and texts that the page holds: all of them, stable, and only where something was measured."""

import json

import pytest

from tests.leaderboard.conftest import rescored
from tests.leaderboard.page.conftest import decoded
from vdbench.experiment.result import Verification
from vdbench.records import Condition
from vdbench_leaderboard.page import explorer
from vdbench_leaderboard.page.html import as_script
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.both_sides import both_sides
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes


def payload(results):
    found = boards(gather(results))
    return explorer.payload(
        found, numbers(found, Outcomes({})), {board.slug: both_sides(board, Outcomes({})) for board in found}
    )


def cells(results):
    """Cells as dictionaries, with their texts in place, by id."""
    found = decoded(json.loads(json.dumps(payload(results), allow_nan=False)))
    for cell in found:
        cell["facts"] = {name: text for _, facts in cell["facts"] for name, text in facts}
    return {cell["id"]: cell for cell in found}


def only(results, method="herding"):
    (found,) = [cell for cell in cells(results).values() if cell["method"] == method]
    return found


def with_confusion(result, counts):
    students = tuple(student.model_copy(update={"confusion": counts}) for student in result.students)
    return result.model_copy(update={"students": students})


def test_every_cell_has_the_values_of_the_csv(realistic):
    frame = numbers(boards(gather(realistic)), Outcomes({}))
    found = cells(realistic)
    assert len(found) == len(frame) == 36
    for cell, row in zip(found.values(), json.loads(frame.to_json(orient="records")), strict=True):
        kept = {name: value for name, value in row.items() if name in cell}
        assert {"top1", "top1_low", "macro", "against_random", "stored_bytes"} <= set(kept)
        for name, value in kept.items():
            assert cell[name] == (pytest.approx(value, abs=0.00501) if isinstance(value, float) else value)
    (failed,) = {cell["missing"] for cell in found.values() if cell["missing"]}
    assert failed == "2 of 3 seeds, oom"


def test_columns_sort_by_values_that_cells_have(realistic):
    data = payload(realistic)
    values = {column["value"] for column in data["columns"].values()} - {""}
    assert values <= {*data["fields"], *data["shared"]}
    assert set(data["download"]) <= {*data["fields"], *data["shared"]}


def test_texts_are_those_of_the_documents(make):
    results = [
        make(method, (top1 + seed / 100,), seed=seed)
        for method, top1 in (("random", 0.4), ("herding", 0.5))
        for seed in range(3)
    ]
    found = only([*results, make("full", (0.9,), ipc=None)])
    shown = found["shown"]
    assert (shown["own"], shown["own_gain"], shown["share"]) == ("51.0 ± 1.0", "+10.0", "56.7")
    assert (shown["bytes"], shown["clips"], shown["distill"], shown["seeds"]) == ("192.0 KiB", "8", "1.8 s", "3 × 1")
    assert (found["rank_text"], found["dots"][0]) == ("1=", [50, 51, 52])
    assert found["sentences"] == [
        "% top-1 over 3 seeds, 95 % interval 48.5 … 53.5.",
        "Rank 1, shared. 10.0 points above random clips (p = 0.250 after Holm’s correction).",
    ]
    assert found["facts"]["stored"] == "192.0 KiB in 8 clips"
    assert [line.split()[0] for line in found["trials"].split("\n")] == ["0", "1", "2"]


def test_every_kind_of_labels_has_its_scores(make):
    result = make("herding", (0.5, 0.6))
    augmented = Condition(labels="own", augmented=True, students=rescored(result.students, top1=0.9))
    found = only([result.model_copy(update={"conditions": (augmented,)})])
    assert [found["shown"][kind] for kind in ("own", "hard", "soft", "augmented")] == ["55.0 ± 7.1"] * 2 + [
        "–",
        "90.0 ± 0.0",
    ]
    assert found["dots"] == [[50, 60], [50, 60], [], [90, 90]]
    assert [interval == "–" for interval in found["intervals"][:4]] == [False, False, True, False]


def test_confusion_is_in_percent_of_each_class(make):
    counts = ((0, 0, 6), (0, 1, 2), (1, 1, 4), (7, 0, 3))
    own, matrix, pairs = only([with_confusion(make("herding"), counts)])["per_class"]
    assert (own, pairs) == ([75, 100, 0, 0, 0, 0, 0, 0], [])
    assert (matrix[0], matrix[7]) == ([75, 25, 0, 0, 0, 0, 0, 0], [100, 0, 0, 0, 0, 0, 0, 0])
    assert sum(map(sum, matrix)) == 300
    assert only([make("herding")])["per_class"] is None


def test_of_many_classes_the_worst_pairs_are_shown(make):
    counts = tuple((label, label, 30 - label) for label in range(30)) + ((3, 4, 9), (20, 1, 30), (29, 0, 1))
    own, matrix, pairs = only([with_confusion(make("herding", classes=30), counts)])["per_class"]
    assert pairs == [[20, 1, 75], [29, 0, 50], [3, 4, 25]]
    assert (own[3], len(own), matrix) == (75, 30, [])


def test_a_large_leaderboard_has_classes_of_first_students_only(make, monkeypatch):
    monkeypatch.setattr(explorer, "MANY", 3)
    results = [with_confusion(make(m, students=("minic3d", "cnn-gru")), ((0, 0, 1),)) for m in ("herding", "random")]
    shown = {cell["student"]: cell["per_class"] is not None for cell in cells(results).values()}
    assert shown == {"minic3d": True, "cnn-gru": False}


def test_intervals_end_where_accuracies_do(make):
    found = only([make("herding", (top1,), seed=seed) for seed, top1 in enumerate((0.99, 0.9, 1.0))])
    assert found["intervals"][0].endswith("… 100.0")


def test_what_is_needed_to_repeat_and_to_believe_is_there(make):
    when, where = make().started, make().environment
    result = make("herding", artefact="ab" * 32, settings={"a": {"b": 1}, "c": 2}, prescribed={"c": 2})
    checked = result.model_copy(update={"verified": Verification(environment=where, when=when, difference=0.25)})
    found = only([checked])
    assert found["command"].startswith("vdbench run --suite quick --datasets motion-digits --methods herding")
    assert found["settings"] == "a.b = 1\nc = 2 (suite)"
    assert found["seen"] == found["facts"]["seen"] == "encoder minic3d saw train"
    assert found["trials"] == f"0 {result.id} {'ab' * 8}"
    assert (found["verified"], found["shown"]["verified"]) == (1, "1 of 1 seeds")
    assert {"verified", "few seeds"} <= set(found["tags"])
    lost = only([make("herding", failure="oom")])
    assert lost["trials"].endswith(" oom: it broke")
    assert (lost["top1"], lost["sentences"], set(lost["intervals"])) == (None, ["No trial finished."], {"–"})
    assert list(lost["facts"]) == ["repeats", "pool", "seen", "verified"]


def test_addresses_stay(realistic, make):
    assert set(cells(realistic)) <= set(cells([*realistic, make("new", dataset="hmdb51")]))


def test_no_text_can_end_the_script(make):
    hostile = "</script><!--<script>"
    text = as_script(payload([make("herding", settings={"a": hostile}), make("herding", settings={"a": 1}, seed=1)]))
    assert "<" not in text
    assert any(hostile in one for one in json.loads(text)["texts"])


@pytest.mark.parametrize(
    ("gains", "others", "side"),
    [
        ((0.10, 0.101, 0.102), {}, "up"),
        ((-0.10, -0.101, -0.102), {}, "down"),
        ((0.10, 0.1001), {}, ""),  # two seeds show nothing, however alike they are
        ((0.10, 0.30, 0.02), {}, ""),  # p is 0.23
        ((0.10,), {}, ""),
        ((0.05, 0.06, 0.08, 0.01), {}, "up"),  # p is 0.04
        ((0.05, 0.06, 0.08, 0.01), {"k-means": (0.1, -0.1, 0.05, -0.06)}, ""),  # and 0.08 as the smallest of two
    ],
)
def test_a_difference_is_coloured_only_where_it_is_significant(make, gains, others, side):
    results = [
        make(name, (0.4 + seed / 100 + gain,), seed=seed)
        for name, own in {"random": [0] * len(gains), "herding": gains, **others}.items()
        for seed, gain in enumerate(own)
    ]
    found = only(results)
    assert found["sides"][0] == side


def test_a_badly_learned_cell_is_tagged_and_its_details_say_why(make):
    marked = [make("mtt", seed=seed, health=("bound", "unfinished") if seed else ()) for seed in range(3)]
    found = cells([*marked, *(make("dm", seed=seed, health=("unfinished",)) for seed in range(3)), make("random")])
    mtt, dm, random = sorted(found.values(), key=lambda cell: ["mtt", "dm", "random"].index(cell["method"]))
    assert "badly learned" in mtt["tags"]
    assert not any("badly learned" in cell["tags"] for cell in (dm, random))
    assert mtt["facts"]["bound"].endswith("and students are trained with it (2 of 3 trials)")
    assert "unfinished" in mtt["facts"].keys() & dm["facts"].keys()
    assert not {"bound", "unfinished"} & random["facts"].keys()
    assert mtt["health"] == "bound 2/3; unfinished 2/3"
