"""Results on their way into a shared leaderboard: what keeps them out, and what is remarked."""

from pathlib import Path
from typing import Any

import pytest

from tests.experiment.conftest import Write
from tests.experiment.results import CLIPS, DIGITS, HERE, OWN, bare, complete, failed, mark, result, said, scores
from vdbench.errors import DataError
from vdbench.experiment.result_store import ResultStore
from vdbench.experiment.rules import findings
from vdbench.experiment.submissions import result_files
from vdbench.records import Condition
from vdbench.storage import files


def test_a_complete_submission_is_not_commented(write: Write) -> None:
    assert findings([write("a", complete())]) == []


def changed_students(**change: Any) -> dict[str, Any]:
    student = scores(0)
    return {"students": (student.model_copy(update={"scores": (student.scores[0].model_copy(update=change),)}),)}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"id": "mine"}, "its id 'mine' is no trial's"),
    ({"artefact": None}, "does not name the SHA-256"),
    ({"artefact": "abc"}, "does not name the SHA-256"),
    ({"stored_bytes": 0}, "8 clips and 0 bytes"),
    ({"provenance": None}, "where its clips came from"),
    ({"environment": HERE.model_copy(update={"torch": ""})}, "on which device, platform and torch"),
    ({"suite": "cleen"}, "there is no suite 'cleen'"),
    ({"protocol": {}}, "its protocol cannot be read"),
    ({"protocol": result().protocol | {"evaluation_seeds": 2**55}}, "its protocol cannot be read"),
    ({"evaluated_on": "validation"}, "evaluated on validation, and its protocol test"),
    ({"students": ()}, "it is done, and no student was tested"),
    ({"students": (scores(0), scores(0))}, "its students are not minic3d"),
    (changed_students(seed=1), "its networks do not have the seeds 0"),
    (changed_students(top1=0.95, outcomes=None) | {"test_set": None}, "a higher top-1 than top-5"),
    (
        {"students": (bare(result()).students[0].model_copy(update={"confusion": ((0, 0, 1),)}),), "test_set": None},
        "does not count 240 test clips",
    ),
    ({"conditions": (Condition(labels="soft", students=(scores(0),)),)}, "judged as its protocol says"),
    ({"labels": "soft"}, "judged as its protocol says beside its own way: own-random"),
    ({"failure": failed().failure}, "it is done, and has a failure"),
    ({"status": "failed", "students": ()}, "it failed without saying why"),
    ({"status": "failed", "failure": failed().failure}, "it failed, and has scores"),
    ({"status": "failed", "failure": failed().failure, "students": (), "verified": mark()}, "or the mark verified"),
    ({"distilled": "../elsewhere"}, "does not name its distilled set"),
    ({"verified": mark(3.5)}, "verified with a difference of 3.5 points"),
]


@pytest.mark.parametrize(("changes", "sentence"), FAULTS)
def test_what_breaks_a_rule_is_a_fault(write: Write, changes: dict[str, Any], sentence: str) -> None:
    folder = write("a", [*complete()[1:], result(**changes)])
    (finding,) = [finding for finding in findings([folder]) if finding.fault]
    assert sentence in finding.what
    assert finding.where == str(folder / f"{changes.get('id', result().id)}.json")


def test_results_on_a_data_set_of_ones_own_are_taken_and_told(write: Write) -> None:
    found = findings([write("a", [r.model_copy(update={"dataset": OWN}) for r in complete()])])
    assert said(found, True) == []
    assert said(found, False) == ["the data set is its makers' own, so that nobody else can repeat these results"]


def test_another_protocol_than_the_suite_declares_is_modified_or_a_fault(write: Write) -> None:
    other = result().protocol | {"evaluation_seeds": 2}
    two = scores(0).model_copy(
        update={"scores": tuple(scores(0).scores[0].model_copy(update={"seed": s}) for s in (0, 1)), "confusion": ()}
    )
    modified = {"protocol": other, "students": (two,)}
    assert said(findings([write("a", [result(**modified)])]), True) == [
        "its evaluation_seeds are not those of the suite quick; a modified one is called quick-modified"
    ]
    found = findings([write("b", [result(**modified, suite="quick-modified")])])
    assert said(found, True) == []
    assert "the protocol is modified, so that these results have tables of their own" in said(found, False)


def test_a_file_that_is_no_result_is_a_fault_and_the_others_are_read(write: Write) -> None:
    folder = write("a", complete())
    (folder / "broken.json").write_text("{")
    (folder / f"{'1' * 16}.json").write_bytes((folder / f"{result().id}.json").read_bytes())
    (folder / ".draft.json").write_text("{")
    found = findings([folder])
    assert [Path(finding.where).name for finding in found] == [f"{'1' * 16}.json", "broken.json"]
    assert "holds the result of trial" in found[0].what
    assert "is not a result that can be read" in found[1].what


def test_what_keeps_results_from_a_rank_is_a_remark(write: Write) -> None:
    partial = DIGITS.model_copy(update={"clips": 639})
    few = [result("dm", seed, dataset=partial, verified=mark() if seed else None) for seed in (0, 2)]
    found = findings([write("a", [*few, failed("dm", 4)])])
    assert said(found, True) == []
    assert {(finding.where, finding.what) for finding in found} == {
        ("quick on motion-digits, 639 of 640 clips", "the data set is partial, so that these results have tables of "
         "their own"),
        ("quick on motion-digits, 639 of 640 clips", "no results of the control random and full"),
        ("quick on motion-digits", "no results of the control random and full"),
        ("dm on motion-digits, ipc 1, suite quick", "2 of 3 seeds that a rank takes"),
        ("dm on motion-digits, ipc 1, suite quick", "missing seeds: 1; failed trials are submitted too"),
        ("dm on motion-digits, ipc 1, suite quick", "0 of 3 seeds that a rank takes"),
        ("dm on motion-digits, ipc 1, suite quick", "missing seeds: 0 to 3; failed trials are submitted too"),
        ("verified", "1 of 3 results bring the mark; it is their maker's claim"),
    }  # fmt: skip


def test_remarks_on_protocols_of_one_name_say_which(write: Write) -> None:
    one = result("dm", 0)
    other = result("dm", 0).model_copy(update={"id": "f" * 16, "protocol": {**one.protocol, "size": 24}})
    places = [finding.where for finding in findings([write("a", [one, other])]) if " 3 seeds" in finding.what]
    assert sorted(places) == sorted(
        f"dm on motion-digits, ipc 1, suite quick, protocol {files.digest(r.protocol, 8)}" for r in (one, other)
    )


def test_missing_seeds_are_not_counted_one_by_one(write: Write) -> None:
    far = result("random", 2**31)
    assert any(
        finding.what == f"missing seeds: 3 to {2**31 - 1}; failed trials are submitted too"
        for finding in findings([write("a", [*complete(), far])])
    )


def test_two_results_of_one_seed_are_told(write: Write) -> None:
    again = result("random", 2).model_copy(update={"id": "f" * 16})
    (remark,) = findings([write("a", [*complete(), again])])
    assert remark.where == "random on motion-digits, ipc 1, suite quick"
    assert remark.what == "repeated seeds: 2; the finished result started last counts"


def test_places_may_be_files_and_an_empty_one_is_an_error(write: Write, tmp_path: Path) -> None:
    folder = write("a", complete())
    one = folder / f"{result().id}.json"
    assert result_files([one, folder]) == [one, *(path for path in sorted(folder.glob("*.json")) if path != one)]
    for place in (tmp_path / "none", tmp_path / "none.json", write("empty", [])):
        with pytest.raises(DataError, match="there is no result in"):
            result_files([place])


def test_a_test_set_that_is_not_there_or_was_edited_is_a_fault(write: Write) -> None:
    folder = write("a", complete())
    path = ResultStore(folder).clip_lists.path(CLIPS.fingerprint)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("video 7", "video 8"), encoding="utf-8")
    assert all("since it was edited or renamed" in what for what in said(findings([folder]), True))
    path.write_text(text[:-9], encoding="utf-8")
    assert all("is not a test set that can be read" in what for what in said(findings([folder]), True))
    path.unlink()
    faults = said(findings([folder]), True)
    assert len(faults) == 6 and all(what.startswith(f"there is no test set {path}") for what in faults)


def test_results_of_earlier_versions_keep_the_rules_and_say_what_they_lack(write: Write) -> None:
    (remark,) = findings([write("a", [*map(bare, complete()[:2]), *complete()[2:]])])
    assert (remark.where, remark.fault) == ("outcomes", False)
    assert remark.what.startswith("2 of 6 finished results keep no outcomes per clip")
