"""Results on their way into a shared leaderboard: what keeps them out, and what merging them does and never does."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from tests.sets import distilled_record
from vdbench.datasets.spec import load_dataset
from vdbench.distilled.distilled_set import TENSORS, DistilledSet
from vdbench.errors import DataError
from vdbench.experiment.result import Environment, Failure, Result, Stage, Verification
from vdbench.experiment.result_store import ResultStore
from vdbench.experiment.rules import Finding, findings
from vdbench.experiment.submissions import Merge, export_artefacts, plan_merge, result_files, shareable
from vdbench.experiment.suite import load_suite
from vdbench.outcomes import ClipList, Places, pack, unpack
from vdbench.records import Condition, DatasetRecord, Provenance, Score, StudentScores
from vdbench.storage import files
from vdbench_leaderboard.build import build

START = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Environment(vdbench="0.1.0", python="3.11", torch="2.5", device="a processor", cpus=2, platform="Linux x86_64")
DIGITS = DatasetRecord(
    name="motion-digits", fingerprint="f" * 16, split=1, classes=8, class_names=tuple("abcdefgh"), classes_total=8,
    clips=640, clips_total=640, train_clips=326, test_clips=240,
)  # fmt: skip


CLIPS = ClipList(
    classes=DIGITS.class_names,
    ids=tuple(f"{row}.mp4" for row in range(240)),
    labels=tuple(row // 30 for row in range(240)),
    groups=tuple(f"video {row // 5}" for row in range(240)),
)
"""Their test set: 30 clips of each class, five of each video."""


def scores(seed: int, top1: float = 0.5) -> StudentScores:
    """A network that hits about such a share of each class, and gives half of the other clips rank 6."""
    hits = round(30 * top1)
    ahead = np.tile([0] * hits + [1, 5] * 15, (8, 1))[:, :30].ravel()
    places = Places(ahead, np.zeros_like(ahead))
    share = hits / 30
    return StudentScores(
        student="minic3d", width=16, parameters=10, train_seconds=1, test_seconds=1, peak_memory=1,
        scores=(Score(seed=1000 * seed, top1=share, top5=float(places.won(5).mean()), macro=share, train_loss=0.1,
                      outcomes=pack(places, 8)),),
        confusion=tuple((label, (label + miss) % 8, count) for label in range(8)
                        for miss, count in enumerate((hits, 30 - hits)) if count),
    )  # fmt: skip


def bare(full: Result) -> Result:
    """The result as an earlier version kept it, without outcomes per clip."""
    students = tuple(
        student.model_copy(update={"scores": tuple(s.model_copy(update={"outcomes": None}) for s in student.scores)})
        for student in full.students
    )
    return full.model_copy(update={"students": students, "test_set": None})


def result(method: str = "random", seed: int = 0, top1: float = 0.5, **changes: Any) -> Result:
    """A finished result that keeps every rule of the suite ``quick``."""
    protocol = load_suite("quick").protocol.on(load_dataset("motion-digits"))
    value = Result(
        id=files.digest([method, seed]), status="done", method=method, method_version=1, pool="real", settings={},
        suite="quick", protocol=protocol.model_dump(mode="json"), evaluated_on="test", dataset=DIGITS,
        ipc=None if method == "full" else 1, seed=seed, students=(scores(seed, top1),), stored_clips=8, stored_bytes=80,
        test_set=CLIPS.fingerprint,
        artefact="0" * 63 + str(seed), distilled="d" * 16, provenance=Provenance(), environment=HERE, started=START,
        stages={"distill": Stage(seconds=1), "evaluate": Stage(seconds=1)},
    )  # fmt: skip
    return value.model_copy(update=changes)


def failed(method: str = "random", seed: int = 0, message: str = "no memory") -> Result:
    failure = Failure(kind="oom", stage="distill", message=message)
    return result(
        method,
        seed,
        status="failed",
        failure=failure,
        students=(),
        test_set=None,
        artefact=None,
        distilled=None,
        provenance=None,
        stored_clips=0,
    )


def mark(difference: float = 0.0) -> Verification:
    return Verification(environment=HERE, when=START, difference=difference)


def complete() -> list[Result]:
    """A submission about which there is nothing to say."""
    return [result(method, seed) for method in ("random", "full") for seed in range(3)]


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("a", results)``: a folder of result files."""

    def call(name: str, results: Sequence[Result]) -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        for value in results:
            if value.test_set == CLIPS.fingerprint:
                ResultStore(tmp_path / name).clip_lists.write(CLIPS)
            files.write_json(tmp_path / name / f"{value.id}.json", value.model_dump(mode="json"))
        return tmp_path / name

    return call


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read(folder: Path) -> dict[str, Result]:
    return {value.id: value for value in ResultStore(folder)}


def merged(sources: Sequence[Path], into: Path) -> Merge:
    plan = plan_merge(sources, into)
    plan.write()
    return plan


def said(found: Sequence[Finding], fault: bool) -> list[str]:
    return [finding.what for finding in found if finding.fault == fault]


def test_a_complete_submission_is_not_commented(write: Write) -> None:
    assert findings([write("a", complete())]) == []


def changed_students(**change: Any) -> dict[str, Any]:
    student = scores(0)
    return {"students": (student.model_copy(update={"scores": (student.scores[0].model_copy(update=change),)}),)}


OWN = DIGITS.model_copy(update={"name": "lab"})

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


def test_only_clips_that_may_be_handed_on_are_shareable() -> None:
    real, ucf = result(), DIGITS.model_copy(update={"name": "ucf101"})
    assert shareable(real)
    assert not shareable(result(dataset=ucf))
    assert not shareable(result(dataset=ucf, provenance=None))
    assert not shareable(result(dataset=DIGITS.model_copy(update={"name": "unheard-of"})))
    for pool in ("real", "generated", "learned"):
        assert not shareable(result(dataset=OWN, provenance=Provenance(pool=pool)))
    for pool in ("generated", "learned"):
        assert shareable(result(dataset=ucf, provenance=Provenance(pool=pool))) == (pool == "generated"), "near copies"


def keep(folder: Path, value: int) -> str:
    """Store a distilled set and give the SHA-256 of its tensors."""
    clips = torch.full((2, 1, 2, 2, 3), value, dtype=torch.uint8)
    DistilledSet({"clips": clips, "targets": torch.tensor([0, 1])}, distilled_record()).save(folder)
    (folder / "preview.png").write_bytes(b"frames")
    return files.file_sha256(folder / TENSORS)


def test_distilled_sets_are_exported_once_each_and_never_restricted_ones(write: Write, tmp_path: Path) -> None:
    home, ucf = tmp_path / "home" / "distilled", DIGITS.model_copy(update={"name": "ucf101"})
    made = [{"distilled": f"{i:016x}", "artefact": keep(home / f"{i:016x}", i)} for i in range(4)]
    made.append(made[1] | {"distilled": "4" * 16})  # the same clips under another name
    sampled = {"dataset": ucf, "provenance": Provenance(pool="generated")}
    results = [
        result(seed=0, **made[0]), result(seed=1, **made[0]),  # one set for two results
        result(seed=2, **made[1], dataset=ucf),
        result("dm", 0, **made[2], **sampled),
        result("dm", 4, **made[4], **sampled),
        result("dm", 1),
        result("dm", 3, distilled="../distilled/" + made[0]["distilled"], artefact=made[0]["artefact"]),
        result("dm", 2, **made[3] | {"artefact": "f" * 64}),  # made anew since, with other clips
        failed(seed=3),
    ]  # fmt: skip
    folder = write("out", results)
    names = [made[0]["distilled"], made[2]["distilled"]]
    handed = export_artefacts(results, home, folder)
    assert (handed.restricted, handed.missing) == (2, 2)
    assert list(handed.copied) == [folder / "distilled" / name for name in names]
    assert sorted(path for path in content(folder) if path.startswith("distilled")) == [
        f"distilled/{place}/{name}" for place in names for name in ("distilled.json", TENSORS)
    ]
    assert len(DistilledSet.load(folder / "distilled" / names[0])) == 2
    assert said(findings([folder]), True) == ["it does not name its distilled set"]


def test_distilled_sets_beside_results_are_checked_too(write: Write, tmp_path: Path) -> None:
    folder = write("out", [])
    restricted, stray = keep(folder / "distilled" / "a", 1), keep(folder / "distilled" / "b", 2)
    write("out", [result(artefact=restricted, dataset=DIGITS.model_copy(update={"name": "ucf101"}))])
    (folder / "README.md").write_text("about")
    found = {Path(finding.where).relative_to(folder).as_posix(): finding for finding in findings([folder])
             if finding.where.startswith("/")}  # fmt: skip
    assert "may not be handed on" in found[f"distilled/a/{TENSORS}"].what
    assert "that of no result here" in found[f"distilled/b/{TENSORS}"].what
    assert all(found[f"distilled/{name}/{TENSORS}"].fault for name in "ab")
    for name in ("README.md", "distilled/a/preview.png", "distilled/b/preview.png"):
        assert (found[name].what, found[name].fault) == ("it is neither a result nor part of a distilled set", False)
    assert stray != restricted


def test_merging_adds_and_merging_again_changes_nothing(write: Write, tmp_path: Path) -> None:
    source, into = write("a", complete()), tmp_path / "into"
    plan = merged([source], into)
    assert len(plan.added) == 6
    before = content(into)
    assert before == content(source)
    again = merged([source], into)
    assert (again.added, again.finished, again.verified, len(again.skipped)) == ((), (), (), 6)
    assert content(into) == before


def test_a_finished_result_takes_the_place_of_a_failed_one_and_never_the_other_way(write: Write) -> None:
    into = write("into", [failed(seed=0), result(seed=1), failed(seed=2)])
    before = content(into)
    plan = merged([write("a", [result(seed=0), failed(seed=1), failed(seed=2, message="another day")])], into)
    assert [value.seed for value in plan.finished] == [0]
    assert len(plan.skipped) == 2
    after = content(into)
    assert {name for name in after if after[name] != before[name]} == {f"{result(seed=0).id}.json"}
    assert read(into)[result().id] == result()


def test_another_outcome_is_a_conflict_and_nothing_is_written(write: Write) -> None:
    into = write("into", [result(seed=0)])
    before = content(into)
    source = write("a", [result(seed=0, top1=0.6), result(seed=1)])
    plan = plan_merge([source], into)
    assert dict(plan.conflicts) == {result().id: ("students",)}
    with pytest.raises(ValueError, match="contradict each other"):
        plan.write()
    assert content(into) == before
    between = plan_merge([source, write("b", [result(seed=1, top1=0.7)])], into.parent / "empty")
    assert set(between.conflicts) == {result(seed=1).id}


def test_the_same_outcome_on_another_day_and_machine_is_skipped(write: Write) -> None:
    into = write("into", [result()])
    before = content(into)
    slower = scores(0).model_copy(update={"train_seconds": 99.0})
    elsewhere = HERE.model_copy(update={"device": "another"})
    later = result(started=START + timedelta(days=1), environment=elsewhere, students=(slower,))
    assert merged([write("a", [later])], into).skipped == (later,)
    assert content(into) == before


def test_outcomes_per_clip_are_no_conflict_with_a_result_that_lacks_them_and_the_fuller_one_stays(write: Write) -> None:
    into = write("into", [bare(result(seed=0, verified=mark(0.5))), bare(result(seed=1)), result(seed=2)])
    late = {"started": START + timedelta(days=1)}
    coming = [result(seed=0, **late), bare(result(seed=1, **late, verified=mark())), bare(result(seed=2, **late))]
    plan = merged([write("a", coming)], into)
    assert [[r.seed for r in some] for some in (plan.fuller, plan.verified, plan.skipped)] == [[0], [1], [2]]
    stored = read(into)
    assert stored[result(seed=0).id] == result(seed=0, verified=mark(0.5), **late)
    assert stored[result(seed=1).id] == bare(result(seed=1, verified=mark()))
    assert stored[result(seed=2).id] == result(seed=2)
    assert ResultStore(into).clip_lists.read(CLIPS.fingerprint) == CLIPS
    assert merged([write("a", coming)], into).written == ()


def test_equal_scores_of_other_clips_are_a_conflict(write: Write) -> None:
    one, two = result().students[0], scores(0)
    outcomes = two.scores[0].outcomes
    assert outcomes is not None
    places = unpack(outcomes, 240, 8)
    turned = pack(Places(places.ahead.reshape(8, 30)[:, ::-1].ravel(), places.level), 8)
    moved = one.model_copy(update={"scores": (one.scores[0].model_copy(update={"outcomes": turned}),)})
    assert said(findings([write("a", [result(students=(moved,))])]), True) == [], "as good as the other"
    plan = plan_merge([write("a", [result(students=(moved,))]), write("b", [result()])], write("into", []))
    assert dict(plan.conflicts) == {result().id: ("outcomes per clip",)}


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


def test_a_mark_comes_along_and_nothing_else_of_a_result_that_is_there(write: Write) -> None:
    into = write("into", [result(seed=0), result(seed=1, verified=mark(0.5))])
    later = {"started": START + timedelta(days=1)}
    source = write("a", [result(seed=0, verified=mark(), **later), result(seed=1, verified=mark(), **later)])
    plan = merged([source], into)
    assert [value.seed for value in plan.verified] == [0]
    assert read(into)[result(seed=0).id] == result(seed=0, verified=mark())
    assert read(into)[result(seed=1).id] == result(seed=1, verified=mark(0.5))


def test_the_order_of_sources_plays_no_part(write: Write, tmp_path: Path) -> None:
    early, late = {"started": START}, {"started": START + timedelta(days=1)}
    sources = [
        write("a", [result(seed=0, **late), failed(seed=1), result(seed=2, **early)]),
        write("b", [result(seed=0, **early), result(seed=1), failed(seed=2)]),
        write("c", [result(seed=0, verified=mark(), **late), failed(seed=1, message="other"), result(seed=2, **late)]),
    ]
    outcomes = []
    for number, order in enumerate(permutations(sources)):
        merged(order, tmp_path / f"into{number}")
        outcomes.append(content(tmp_path / f"into{number}"))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert read(tmp_path / "into0")[result().id] == result(verified=mark(), **late)


@pytest.mark.parametrize("seed", [0, 1])
def test_merged_piece_by_piece_in_any_order_the_leaderboard_is_the_same(
    write: Write, tmp_path: Path, seed: int
) -> None:
    results = [*complete(), failed("dm", 0), result("dm", 1, top1=0.6)]
    whole, into = write("all", results), tmp_path / "into"
    Random(seed).shuffle(results)
    for piece in (results[:3], results[3:4], results[4:]):
        merged([whole / f"{value.id}.json" for value in piece], into)
    assert content(into) == content(whole)
    build(whole, tmp_path / "one")
    build(into, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_merge_that_is_stopped_while_it_writes_leaves_the_folder_as_it_was(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    into, source = write("into", [failed("dm", 0)]), write("a", complete())
    before, real, calls = content(into), os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    plan = plan_merge([source], into)
    with pytest.raises(OSError, match="No space left"):
        plan.write()
    assert content(into) == before
    assert [path.name for path in into.iterdir()] == [f"{failed('dm', 0).id}.json"]


def test_a_damaged_file_where_results_go_is_an_error_and_stays(write: Write) -> None:
    into = write("into", [])
    path = into / f"{result().id}.json"
    path.write_text("{")
    with pytest.raises(DataError, match="is not a result that can be read"):
        plan_merge([write("a", [result()])], into)
    assert path.read_text() == "{"
