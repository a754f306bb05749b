"""Results that are merged into a shared leaderboard: what merging does, and never does."""

import os
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from tests.experiment.conftest import Write
from tests.experiment.results import (
    CLIPS,
    HERE,
    START,
    bare,
    complete,
    content,
    failed,
    mark,
    result,
    said,
    scores,
)
from vdbench.errors import DataError
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import ResultStore
from vdbench.experiment.rules import findings
from vdbench.experiment.submissions import Merge, plan_merge
from vdbench.outcomes import Places, pack, unpack
from vdbench_leaderboard.build import build


def read(folder: Path) -> dict[str, Result]:
    return {value.id: value for value in ResultStore(folder)}


def merged(sources: Sequence[Path], into: Path) -> Merge:
    plan = plan_merge(sources, into)
    plan.write()
    return plan


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
