"""Results on disk: validated, atomic, and a failure never replaces what was done."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vdbench.errors import DataError
from vdbench.experiment.result import Environment, Failure, Result, ResultStore, read_result
from vdbench.records import DatasetRecord, Score, StudentScores


def result(trial_id: str = "a" * 16, **changes: object) -> Result:
    dataset = DatasetRecord(
        name="ucf101", fingerprint="f", split=1, classes=9, class_names=tuple("abcdefghi"), classes_total=101, clips=10,
        clips_total=13320, train_clips=6, test_clips=4,
    )  # fmt: skip
    environment = Environment(vdbench="0", python="3", torch="2", device="cpu", cpus=2, platform="Linux")
    scores = (Score(seed=0, top1=0.5, top5=1.0, macro=0.5, train_loss=0.1),)
    student = StudentScores(
        student="minic3d", width=16, parameters=10, scores=scores, train_seconds=1, test_seconds=1, peak_memory=1
    )
    value = Result(
        id=trial_id, status="done", method="random", method_version=1, pool="real", settings={}, suite="quick",
        protocol={}, evaluated_on="test", dataset=dataset, ipc=1, seed=0, students=(student,), environment=environment,
        started=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return value.model_copy(update=changes)


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
    whole = result().dataset.model_copy(update={"classes": 101, "clips": 13320})
    assert not whole.partial
    assert whole.title == "ucf101"
    assert whole.model_copy(update={"clips": 13319}).title == "ucf101, 13319 of 13320 clips"


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
