"""The numbers that the page holds: all of them, small, stable, and only where something was measured."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdbench.experiment.result import Verification
from vdbench.records import Condition
from vdbench_leaderboard import explorer, formats, tables
from vdbench_leaderboard.cells import gather
from vdbench_leaderboard.page import _embedded
from vdbench_leaderboard.standings import boards


def payload(results):
    data = explorer.payload(boards(gather(results)))
    json.dumps(data, allow_nan=False)
    return data


def cells(results):
    """Cells as dictionaries, with their texts in place, by id."""
    data = payload(results)
    found = {}
    for values in data["cells"]:
        cell = dict(zip(data["fields"], values, strict=True))
        cell |= dict(zip(data["set_fields"], data["sets"][cell["set"]], strict=True))
        for name in ("method", "base", "pool", "missing", "command", "settings", "saw", "codec"):
            cell[name] = data["texts"][cell[name]]
        for name in ("marks", "machines", "trials"):
            cell[name] = [data["texts"][place] for place in cell[name]]
        cell["group"] = data["groups"][cell["group"]]
        cell["student"] = data["students"][cell["student"]]
        found[cell["id"]] = cell
    return found


def only(results, method="herding"):
    (found,) = [cell for cell in cells(results).values() if cell["method"] == method]
    return found


def with_confusion(result, counts):
    student = result.students[0].model_copy(update={"confusion": counts})
    return result.model_copy(update={"students": (student,)})


def test_every_cell_is_there_with_the_numbers_of_the_csv(realistic):
    frame = tables.numbers(boards(gather(realistic)))
    found = cells(realistic)
    assert len(found) == len(frame)
    for row, cell in zip(frame.itertuples(), found.values(), strict=True):
        assert (cell["group"]["name"], cell["student"]["name"], cell["method"]) == (
            row.dataset,
            row.student,
            row.method,
        )
        assert cell["own"][0] == pytest.approx(row.top1, abs=0.006)
        assert cell["seeds"] == row.seeds
        assert cell["bytes"] == row.stored_bytes
        if row.against_random == row.against_random:
            assert cell["own"][5][0] == pytest.approx(row.against_random, abs=0.01)
    (failed,) = {cell["missing"] for cell in found.values() if cell["missing"]}
    assert failed == "2 of 3 seeds, oom"


def test_each_seed_is_told(make):
    found = only([make("herding", (0.5 + seed / 10, 0.6 + seed / 10), seed=seed) for seed in range(3)])
    assert found["own"][4] == [55, 65, 75]
    assert [trial.split()[0] for trial in found["trials"]] == ["0", "1", "2"]


@settings(max_examples=25, deadline=None)
@given(
    method=st.sampled_from(["random", "herding", "new"]),
    ipc=st.sampled_from([1, 5, 10]),
    suite=st.sampled_from(["quick", "clean"]),
)
def test_a_further_result_changes_only_its_cells(realistic, make, method, ipc, suite):
    own = ("own", "top5", "bytes", "distill", "trials", "command", "settings", "classes", "method", "id")

    def untouched(found):
        touched = {"suite": suite, "method": method}
        return {
            key: [cell[name][:5] if name == "own" and cell[name] else cell[name] for name in own]
            for key, cell in found.items()
            if not (cell["group"]["suite"] == touched["suite"] and cell["base"] == method and cell["ipc"] == ipc)
        }

    extra = make(method, (0.3,), ipc=ipc, seed=7, suite=suite, students=("minic3d", "cnn-gru"))
    before, after = cells(realistic), cells([*realistic, extra])
    assert untouched(after) == untouched(before)
    assert set(before) <= set(after)
    assert len(set(after) - set(before)) <= 2


def test_the_same_as_its_own_is_told_once(make):
    result = make("herding", (0.5, 0.6))
    soft = Condition(labels="soft", students=result.students)
    other = tuple(
        s.model_copy(update={"scores": tuple(x.model_copy(update={"top1": 0.9}) for x in s.scores)})
        for s in result.students
    )
    augmented = Condition(labels="own", augmented=True, students=other)
    found = only([result.model_copy(update={"conditions": (soft, augmented)})])
    assert (found["hard"], found["soft"]) == (0, 0)
    assert found["augmented"][0] == 90
    assert only([result])["augmented"] is None


def test_confusion_is_in_percent_of_each_class(make):
    counts = ((0, 0, 6), (0, 1, 2), (1, 1, 4), (7, 0, 3))
    matrix = only([with_confusion(make("herding"), counts)])["classes"]["matrix"]
    assert len(matrix) == 64
    assert (matrix[0], matrix[1], matrix[9], matrix[56]) == (75, 25, 100, 100)
    assert sum(matrix) == 300
    assert only([make("herding")])["classes"] is None


def test_many_classes_tell_the_worst_pairs(make):
    wide = make("herding", classes=30)
    counts = tuple((label, label, 30 - label) for label in range(30)) + ((3, 4, 9), (20, 1, 30), (29, 0, 1))
    classes = only([with_confusion(wide, counts)])["classes"]
    assert classes["confused"] == [(20, 1, 75), (29, 0, 50), (3, 4, 25)]
    assert classes["right"][3] == 75
    assert len(classes["right"]) == 30


def test_a_large_leaderboard_tells_classes_of_first_students_only(make, monkeypatch):
    monkeypatch.setattr(explorer, "MANY", 3)
    result = make("herding", students=("minic3d", "cnn-gru"))
    students = tuple(s.model_copy(update={"confusion": ((0, 0, 1),)}) for s in result.students)
    results = [result.model_copy(update={"students": students}), make("random", students=("minic3d", "cnn-gru"))]
    told = {c["student"]["name"]: c["classes"] is not None for c in cells(results).values() if c["method"] == "herding"}
    assert told == {"minic3d": True, "cnn-gru": False}


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_numbers_are_shown_as_in_the_tables(one, two, three):
    mean = (one + two + three) / 3
    assert formats.percent(explorer._shown(mean)) == formats.percent(mean)


def test_intervals_end_where_accuracies_do(make):
    found = only([make("herding", (top1,), seed=seed) for seed, top1 in enumerate((0.99, 0.9, 1.0))])
    assert found["own"][2] == 100
    assert found["own"][1] < 100


def test_what_is_needed_to_repeat_and_to_believe_is_told(make):
    when, where = make().started, make().environment
    result = make("herding", artefact="ab" * 32, settings={"a": {"b": 1}, "c": 2}, prescribed={"c": 2})
    checked = result.model_copy(update={"verified": Verification(environment=where, when=when, difference=0.25)})
    found = only([checked])
    assert found["command"].startswith("vdbench run --suite quick --datasets motion-digits --methods herding")
    assert found["settings"] == "a.b = 1\nc = 2 (suite)"
    assert found["saw"] == "encoder minic3d saw train"
    assert found["trials"] == [f"0 {result.id} {'ab' * 8}"]
    assert found["verified"] == [1, 0.25]
    assert {"verified", "few seeds"} <= set(found["marks"])
    lost = make("herding", failure="oom")
    assert only([lost])["trials"] == [f"0 {lost.id} oom: it broke"]
    assert only([lost])["own"] is None


def test_addresses_are_unique_and_stay(realistic, make):
    found = cells(realistic)
    assert len(found) == 36
    assert set(found) <= set(cells([*realistic, make("new", dataset="hmdb51")]))


def test_no_text_can_end_the_script(make):
    hostile = "</script><!--<script>"
    text = _embedded(payload([make("herding", settings={"a": hostile}), make("herding", settings={"a": 1}, seed=1)]))
    assert "<" not in text
    assert any(hostile in one for one in json.loads(text)["texts"])


def told(make, gains, others=()):
    """Whether the page may colour what ``herding`` gains over ``random``, for these gains of single seeds."""
    results = [make("random", (0.4 + seed / 100,), seed=seed) for seed in range(len(gains))]
    results += [make("herding", (0.4 + seed / 100 + gain,), seed=seed) for seed, gain in enumerate(gains)]
    results += [
        make(name, (0.4 + seed / 100 + gain,), seed=seed) for name, own in others for seed, gain in enumerate(own)
    ]
    return only(results)["own"][-1][-1]


def test_a_difference_is_coloured_only_with_three_seeds_and_a_small_p(make):
    assert told(make, (0.10, 0.101, 0.102)) == 1
    assert told(make, (0.10, 0.1001)) == 0, "two seeds tell nothing, however alike they are"
    assert told(make, (0.10, 0.30, 0.02)) == 0, "p is 0.23"
    assert told(make, (0.10,)) == 0


def test_a_difference_that_the_correction_takes_back_is_not_coloured(make):
    # p is 0.04 by itself and 0.08 as the smallest of two.
    gains = (0.05, 0.06, 0.08, 0.01)
    assert told(make, gains) == 1
    assert told(make, gains, [("k-means", (0.1, -0.1, 0.05, -0.06))]) == 0
