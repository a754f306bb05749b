"""`vdbench results export|validate|merge`: from a run to a shared leaderboard."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, finished, results, tiny_run
from tests.experiment.results import content
from vdbench.api.tables import load_results
from vdbench.experiment.home import Home
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import ResultStore
from vdbench.outcomes import unpack
from vdbench.records import Provenance


@pytest.fixture(scope="module")
def prepared(prepared: Path, mlflow_store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a small run ended; never written to again."""
    more = ["--seeds", 3, "--set", "herding.encoder=pixels"]
    return finished(prepared, tmp_path_factory.mktemp("finished"), mlflow_store, *more, methods="herding")


@pytest.fixture
def ran(home: Path) -> dict[str, Result]:
    """The results of that run."""
    return results(home)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def edit(folder: Path, result: Result, **changes: object) -> None:
    ResultStore(folder).path(result.id).unlink(missing_ok=True)
    ResultStore(folder).write(result.model_copy(update=changes))


def test_a_run_is_exported_validated_and_merged(cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path) -> None:
    out, into = tmp_path / "out", tmp_path / "shared" / "results"
    assert "9 results written" in cli("results", "export", out, "--home", home).out
    (test_set,) = {str(value.test_set) for value in ran.values()}
    assert names(out) == sorted([*(f"{trial}.json" for trial in ran), "test-sets"])
    assert names(out / "test-sets") == [f"{test_set}.json"]
    told = cli("results", "validate", out).ended(0)
    assert told.out.splitlines() == [
        "remark: quick-modified on ucf101, 3 of 101 classes: the protocol is modified, so that these results have "
        "tables of their own",
        "remark: quick-modified on ucf101, 3 of 101 classes: the data set is partial, so that these results have "
        "tables of their own",
        "9 results keep the rules",
    ]
    assert cli("results", "merge", out, "--into", into).out == f"{into}: 9 added\n"
    assert content(into) == content(out)
    assert cli("results", "merge", out, "--into", into).out == f"{into}: 9 there already\n"


def test_every_network_keeps_what_it_made_of_every_test_clip(home: Path, ran: dict[str, Result]) -> None:
    for result in ran.values():
        clips = Home(home).results.clip_lists.read(str(result.test_set))
        assert len(clips) == result.dataset.test_clips
        assert set(clips.groups) == {f"v_{name}_g01" for name in clips.classes}, "as the names of UCF101's videos say"
        for scores in result.every_student:
            for score in scores.scores:
                assert score.outcomes is not None
                places = unpack(score.outcomes, len(clips), len(clips.classes))
                assert (places.won().mean(), places.won(5).mean()) == (score.top1, score.top5)


def test_a_test_set_that_was_lost_is_written_again_by_the_same_command_and_export_asks_for_it(
    cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path
) -> None:
    shutil.rmtree(home / "results" / "test-sets")
    cli("results", "export", tmp_path / "out", "--home", home).ended(3, "there is no test set")
    assert not (tmp_path / "out").exists()
    assert cli(*tiny_run(home, "--seeds", 3, "--set", "herding.encoder=pixels", methods="herding")).code == 0
    assert cli("results", "export", tmp_path / "out", "--home", home).code == 0
    assert {path.stem for path in (tmp_path / "out" / "test-sets").iterdir()} == {str(r.test_set) for r in ran.values()}


def test_export_takes_what_is_asked_for(cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path) -> None:
    def exported(*options: str) -> set[str]:
        folder = tmp_path / "-".join(options)
        assert cli("results", "export", folder, *options, "--home", home).code == 0
        return {value.method for value in ResultStore(folder)}

    assert exported() == {"random", "full", "herding"}
    assert exported("--method", "herding,f*") == {"herding", "full"}
    assert exported("--suite", "quick*", "--dataset", "ucf101", "--method", "random") == {"random"}
    for option, what in (("suite", "suite"), ("dataset", "data set"), ("method", "method")):
        answer = cli("results", "export", tmp_path / "none", f"--{option}", "hurding", "--home", home)
        assert (answer.code, (tmp_path / "none").exists()) == (2, False)
        assert f"unknown {what} among these results 'hurding'" in answer.err


def test_artefacts_are_exported_only_where_they_may_be(
    cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    sampled = [r for r in ran.values() if r.method == "herding"]
    for result in sampled:
        edit(home / "results", result, provenance=Provenance(pool="generated"))
    answer = cli("results", "export", out, "--artefacts", "--method", "herding,full", "--home", home).ended(0)
    sets = {str(result.distilled) for result in sampled}
    assert len(sets) == 1 and "1 distilled set copied, 1 of restricted data sets left here" in answer.out
    assert names(out / "distilled") == sorted(sets)
    own = out / "distilled" / str(sampled[0].distilled)
    assert names(own) == ["distilled.json", "tensors.safetensors"]
    assert cli("results", "validate", out).code == 0
    edit(home / "results", sampled[0])
    assert cli("evaluate", own, "--verify", sampled[0].id, "--home", home).code == 0


def test_faults_are_one_line_each_and_exit_code_3(cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path) -> None:
    out, into = tmp_path / "out", tmp_path / "into"
    cli("results", "export", out, "--home", home)
    first, second = list(ran.values())[:2]
    edit(out, first, artefact=None)
    (out / f"{second.id}.json").write_text("{")
    answer = cli("results", "validate", out).ended(3)
    faults = [line for line in answer.out.splitlines() if line.startswith("fault: ")]
    assert len(faults) == 2
    assert any("is not a result that can be read (Invalid JSON: " in line for line in faults)
    assert f"fault: {out / first.id}.json: it does not name the SHA-256 of its distilled set" in faults
    assert "2 faults in 9 results" in answer.err
    as_json = cli("results", "validate", out, "--json").ended(3)
    assert sum(finding["fault"] for finding in json.loads(as_json.out)) == 2
    said = "nothing was written; to see all, type: vdbench results validate "
    cli("results", "merge", out, "--into", into).ended(3, said)
    assert not into.exists()


def test_a_conflict_is_listed_and_nothing_is_written(
    cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path
) -> None:
    out, into = tmp_path / "out", tmp_path / "into"
    cli("results", "export", out, "--home", home)
    first = next(iter(ran.values()))
    edit(into, first, stored_clips=99)
    before = {path: path.read_bytes() for path in into.iterdir()}
    cli("results", "merge", out, "--into", into).ended(
        1, f"conflict: {first.id} differs in stored_clips", "nothing was written"
    )
    assert {path: path.read_bytes() for path in into.iterdir()} == before


def test_a_mark_reaches_the_shared_results(cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path) -> None:
    into = tmp_path / "into"
    assert cli("results", "merge", home / "results", "--into", into).code == 0
    one = next(r for r in ran.values() if r.method == "random")
    own = home / "distilled" / str(one.distilled)
    assert cli("evaluate", own, "--verify", one.id, "--home", home).code == 0
    answer = cli("results", "merge", home / "results", "--into", into)
    assert answer.out == f"{into}: 1 now verified, 8 there already\n"
    assert {value.id for value in ResultStore(into) if value.verified} == {one.id}
    assert "1 of 9 results bring the mark" in cli("results", "validate", into).out


def test_places_that_hold_nothing(cli: Cli, tmp_path: Path) -> None:
    for command in ("validate", "merge"):
        cli("results", command, tmp_path / "none").ended(3, "there is no result in")
    assert Home(tmp_path).results.paths() == []


def test_results_of_any_folder_can_be_listed(cli: Cli, home: Path, ran: dict[str, Result], tmp_path: Path) -> None:
    cli("results", "export", tmp_path / "out", "--home", home)
    elsewhere = ["--results", tmp_path / "out", "--home", tmp_path / "empty"]
    listed = json.loads(cli("results", "list", *elsewhere, "--json").out)
    assert {row["id"] for row in listed} == set(ran)
    one = next(iter(ran))
    assert json.loads(cli("results", "show", one[:12], *elsewhere).out)["id"] == one
    assert "there is no folder" in cli("results", "list", "--results", tmp_path / "none").err


def test_export_for_the_hub_writes_a_file_per_method(cli: Cli, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = cli("results", "export", out, "--method", "herding,random", "--hf", "--home", home).ended(0)
    assert f"2 files for the Hugging Face hub written to {out / 'hub'}; replace OWNER in them" in told.out
    (file,) = (out / "hub" / "herding" / ".eval_results").iterdir()
    assert file.name == "quick-modified-ucf101.yaml"
    assert "id: OWNER/ucf101" in file.read_text(encoding="utf-8")
    refused = ["results", "export", tmp_path / "other", "--benchmark", "a/b", "--home", home]
    cli(*refused).ended(2, "--benchmark and --source say something of --hf")


def test_submit_prepares_a_folder_that_keeps_the_rules_and_says_what_to_push(
    cli: Cli, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    told = cli("results", "submit", out, "--home", home).ended(0)
    assert told.out.startswith(f"9 results and 0 distilled sets are in {out}; PULL_REQUEST.md there is the text")
    assert "To hand them in: copy" in told.out
    assert "**Method:** herding" in (out / "PULL_REQUEST.md").read_text(encoding="utf-8")
    checked = cli("results", "validate", out)
    assert checked.code == 0 and "PULL_REQUEST.md" not in checked.out
    cli("results", "submit", out, "--home", home).ended(2, "there is something in")


def test_badly_learned_sets_are_listed_with_their_signs(cli: Cli, home: Path, ran: dict[str, Result]) -> None:
    def listed() -> list[str]:
        return cli("results", "list", "--home", home).out.splitlines()

    assert not any("health" in line for line in listed())
    (one, *_) = ran.values()
    edit(home / "results", one, health=("bound", "unfinished"))
    assert "health" in "".join(listed())
    assert [line for line in listed() if "bound, unfinished" in line] == [line for line in listed() if one.id in line]
    frame = load_results(home / "results")
    assert set(frame[frame.result == one.id].health) == {"bound; unfinished"}
    assert frame[frame.result != one.id].health.isna().all()
