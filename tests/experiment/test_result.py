"""Results on disk: validated, atomic, and a failure never replaces what was done."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.leaderboard.conftest import make_result
from vdbench.errors import DataError, LaterError
from vdbench.experiment.result import Failure, Result
from vdbench.experiment.result_store import ResultStore, read_result


def result(trial_id: str = "a" * 16, **changes: object) -> Result:
    known = make_result(top1=(0.5,), dataset="ucf101", classes=9, classes_total=101)
    return known.model_copy(update={"id": trial_id} | changes)


def failed(trial_id: str = "a" * 16) -> Result:
    failure = Failure(kind="oom", stage="distill", message="no memory")
    return result(trial_id, status="failed", failure=failure, students=())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.write(result())
    assert store.read("a" * 16) == result()
    assert list(store) == [result()]


def test_a_failure_never_replaces_a_result(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.write(failed())
    store.write(result())
    store.write(failed())
    read = store.read("a" * 16)
    assert read is not None
    assert read.status == "done"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', json.dumps({"top1": 2})])
def test_a_corrupt_file_is_set_aside_and_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"bad\.json"):
        read_result(path)
    store = ResultStore(tmp_path)
    assert [p.name for p in store.set_aside_corrupt()] == ["bad.json.corrupt"]
    assert (tmp_path / "bad.json.corrupt").read_text() == text
    assert list(store) == []


def test_a_draft_of_a_killed_process_is_no_result(tmp_path: Path) -> None:
    draft = tmp_path / ".a.json.1234.json"
    draft.write_text("{")
    store = ResultStore(tmp_path)
    store.write(result())
    assert list(store) == [result()]
    assert store.set_aside_corrupt() == []
    assert draft.exists()


def test_an_unknown_field_or_a_wrong_name_is_refused(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    path = store.write(result())
    path.rename(tmp_path / "other.json")
    with pytest.raises(DataError, match="holds the result of trial"):
        read_result(tmp_path / "other.json")
    value = json.loads((tmp_path / "other.json").read_text())
    path.write_text(json.dumps(value | {"surprise": 1}))
    with pytest.raises(DataError, match="cannot be read|not a result"):
        read_result(path)


def test_partial_data_is_marked() -> None:
    assert result().dataset.title == "ucf101, 9 of 101 classes"
    whole = result().dataset.model_copy(update={"classes": 101, "clips": 4040})
    assert not whole.partial
    assert whole.title == "ucf101"
    assert whole.model_copy(update={"clips": 4039}).title == "ucf101, 4039 of 4040 clips"


def test_outcome_leaves_out_times_and_machine() -> None:
    student = result().students[0].model_copy(update={"train_seconds": 99.0, "peak_memory": 7})
    later = result(students=(student,), started=datetime(2027, 1, 1, tzinfo=UTC))
    assert later.outcome() == result().outcome()
    assert result(seed=1).outcome() != result().outcome()


def test_results_of_modified_suites_are_read_under_their_present_name(tmp_path: Path) -> None:
    path = ResultStore(tmp_path).write(result(suite="quick-modified"))
    path.write_text(path.read_text().replace("quick-modified", "quick-bent"))
    assert read_result(path) == result(suite="quick-modified")
    assert result(suite="absorbent").suite == "absorbent"


def later(folder: Path) -> Path:
    """A result of the next schema, with a field of its own."""
    value = result().model_dump(mode="json")
    path = folder / f"{'a' * 16}.json"
    value["environment"]["vdbench"] = "9.1"
    path.write_text(json.dumps(value | {"schema_version": Result.model_fields["schema_version"].default + 1, "new": 1}))
    return path


def test_a_result_of_a_later_version_is_never_touched(tmp_path: Path) -> None:
    path = later(tmp_path)
    (tmp_path / "bad.json").write_text("{")
    before, store = path.read_bytes(), ResultStore(tmp_path)
    for use in (store.set_aside_corrupt, lambda: store.read("a" * 16), lambda: store.write(result()), lambda: [*store]):
        with pytest.raises(
            LaterError, match=r"a{16}\.json was written by vdbench 9\.1, a later version: its schema is 3"
        ):
            use()
    with pytest.raises(LaterError):
        store.write(failed())
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, "bad.json"]
    (tmp_path / "bad.json").unlink()
    with pytest.warns(UserWarning, match="upgrade vdbench"):
        assert list(store.readable()) == []


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("ipc",), -5, "ipc: Input should be greater than or equal to 1"),
        (("ipc",), 0, "ipc: Input should be greater than or equal to 1"),
        (("ipc",), 10**30, "ipc"),
        (("budget_bytes",), 0, "budget_bytes"),
        (("seed",), 2**70, "seed"),
        (("students", 0, "scores", 0, "train_loss"), float("nan"), "train_loss: Input should be a finite number"),
        (("students", 0, "scores", 0, "top1"), 1.5, "top1"),
        (("students", 0, "train_seconds"), float("inf"), "train_seconds: Input should be a finite number"),
        (("students", 0, "train_seconds"), -1, "train_seconds"),
        (("students", 0, "peak_memory"), -1, "peak_memory"),
        (("students", 0, "confusion"), [[0, 9, 1]], "its confusion of classes counts others than the 9"),
        (("students", 0, "confusion"), [[-1, 0, 1]], "confusion"),
        (("stages", "distill", "seconds"), float("inf"), "stages.distill.seconds: Input should be a finite number"),
        (("stages", "distill", "seconds"), -1, "stages.distill.seconds"),
        (("stages",), {"distill": {"seconds": 1}}, "it is done, and does not say what the stage evaluate took"),
        (("students",), [], "it is done, and no student was tested"),
        (("settings",), {"lr": float("inf")}, "its settings hold a number that is not finite"),
        (("settings",), {"generator": True}, "settings: generator holds no settings"),
        (("prescribed",), {"generator": [1]}, "prescribed: generator holds no settings"),
        (("dataset", "class_names"), ["a"], "it names 1 classes, and says that there were 9"),
        (("dataset", "name"), "/etc/passwd.yaml", "dataset.name"),
        (("dataset", "name"), "../ucf101", "dataset.name"),
    ],
)
def test_what_cannot_be_is_not_read(tmp_path: Path, place: tuple[str | int, ...], value: object, said: str) -> None:
    document = result().model_dump(mode="json")
    *way, last = place
    part = document
    for step in way:
        part = part[step]
    part[last] = value
    path = tmp_path / f"{'a' * 16}.json"
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="is not a result that can be read") as refused:
        read_result(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_name_that_stands_twice_is_looked_for_in_results_of_others(tmp_path: Path) -> None:
    path = ResultStore(tmp_path).write(result())
    path.write_text(path.read_text().replace('"top1": 0.5', '"top1": 0.5, "top1": 0.5'))
    assert read_result(path) == result()
    with pytest.raises(DataError, match="it says 'top1' twice"):
        read_result(path, others=True)
