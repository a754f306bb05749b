"""`vdbench home check` and `vdbench results gc`: what is damaged, and what nobody needs."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, finished, results, tiny_run
from tests.worlds import flip
from vdbench.experiment.home import Home

FEATURES = ("--set", "herding.encoder=pixels")


@pytest.fixture(scope="module")
def prepared(prepared: Path, mlflow_store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a small run ended; never written to again."""
    return finished(prepared, tmp_path_factory.mktemp("finished"), mlflow_store, *FEATURES, methods="herding")


def some(home: Path, pattern: str) -> Path:
    return sorted(home.glob(pattern))[0]


def damaged(cli: Cli, home: Path, *more: object) -> dict[str, str]:
    """Paths and kinds that the check names."""
    answer = cli("home", "check", "--home", home, "--json", *more)
    found = {row["path"]: row["kind"] for row in json.loads(answer.out)["damaged"]}
    assert answer.code == (3 if found else 0)
    return found


@pytest.mark.parametrize(
    ("pattern", "kind", "parents"),
    [
        ("stores/*/clips.npy", "store", 1),
        ("stores/*/manifest.json", "store", 1),
        ("views/[!.]*/test/clips.npy", "view", 2),
        ("assets/features/[!.]*/features.npy", "asset", 1),
        ("assets/features/[!.]*/asset.json", "asset", 1),
        ("distilled/[!.]*/tensors.safetensors", "distilled set", 1),
        ("results/test-sets/*.json", "test set", 0),
    ],
)
@pytest.mark.parametrize("how", [flip, lambda path: path.write_bytes(path.read_bytes()[:-9]), Path.unlink])
def test_the_check_names_what_was_damaged_and_nothing_else(
    cli: Cli, home: Path, pattern: str, kind: str, parents: int, how
) -> None:
    path = some(home, pattern)
    how(path)
    whole = path if parents == 0 else path.parents[parents - 1]
    assert damaged(cli, home, "--all") == {str(whole.relative_to(home)): kind}


def test_a_whole_home_is_whole_and_counted(cli: Cli, home: Path) -> None:
    answer = cli("home", "check", "--home", home).ended(0)
    assert "1 store, 1 view, 1 asset, 3 distilled sets, 1 test set, 3 results; 0 damaged" in answer.out


def test_what_was_repaired_is_made_again_by_the_run(cli: Cli, home: Path) -> None:
    before = {trial: result.outcome() for trial, result in results(home).items()}
    for pattern in ("views/[!.]*/test/clips.npy", "assets/features/[!.]*/features.npy", "distilled/[!.]*/t*s"):
        flip(some(home, pattern))
    for path in Home(home).results.paths():
        path.write_text("{")
    assert len(damaged(cli, home)) == 6
    with pytest.warns(UserWarning, match="set aside"):
        assert cli("home", "check", "--repair", "--home", home).code == 0
    assert damaged(cli, home, "--all") == {}
    assert cli(*tiny_run(home, *FEATURES, methods="herding")).code == 0
    assert {trial: result.outcome() for trial, result in results(home).items()} == before


@pytest.mark.parametrize("field", ["top1", "macro"])
def test_a_result_that_contradicts_its_outcomes_is_damaged(cli: Cli, home: Path, field: str) -> None:
    path = Home(home).results.paths()[0]
    value = json.loads(path.read_text())
    score = value["students"][0]["scores"][0]
    score[field] = 1 - score[field]
    path.write_text(json.dumps(value))
    assert damaged(cli, home) == {f"results/{path.name}": "result"}


def test_a_store_is_not_set_aside_since_that_takes_its_videos(cli: Cli, home: Path) -> None:
    path = some(home, "stores/*/clips.npy")
    flip(path)
    cli("home", "check", "--repair", "--all", "--home", home).ended(3, "prepare the data set again")
    assert path.exists()


def test_a_result_of_a_later_version_is_named_and_left_alone(cli: Cli, home: Path) -> None:
    path = Home(home).results.paths()[0]
    later = json.dumps(json.loads(path.read_text()) | {"schema_version": 99})
    path.write_text(later)
    answer = cli("home", "check", "--repair", "--home", home).ended(3)
    assert "later version" in answer.out
    assert path.read_text() == later


def test_gc_removes_what_no_result_refers_to_and_nothing_else(cli: Cli, home: Path) -> None:
    whole = {path for path in home.rglob("*") if path.is_file()}
    lost = next(result for result in results(home).values() if result.method == "random")
    Home(home).results.path(lost.id).unlink()
    assert lost.distilled is not None
    (home / "checkpoints" / "unfinished").mkdir(parents=True)
    (home / "checkpoints" / "unfinished" / "state.safetensors").write_bytes(b"0" * 100)
    (home / "views" / ".damaged.corrupt").mkdir()
    (home / "views" / ".unfinished.draft").mkdir()
    other = home / "assets" / "features" / "of-another-split"
    shutil.copytree(some(home, "assets/features/[!.]*"), other)
    record = json.loads((other / "asset.json").read_text())
    (other / "asset.json").write_text(json.dumps(record | {"train": "another"}))
    draft = "import sys; from pathlib import Path; from vdbench.storage.drafts import draft_of as d; "
    draft += "d(Path(sys.argv[1])).write_text('{')"
    subprocess.run([sys.executable, "-c", draft, home / "results" / "x.json"], check=True)
    shown = json.loads(cli("results", "gc", "--dry-run", "--json", "--home", home).out)
    assert sorted(row["kind"] for row in shown) == [
        "checkpoint", "distilled set", "draft", "draft", "features", "log", "set aside",
    ]  # fmt: skip
    assert all((home / row["path"]).exists() for row in shown)
    freed = sum(row["bytes"] for row in shown)
    before = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    assert cli("results", "gc", "--yes", "--home", home).code == 0
    left = {path for path in home.rglob("*") if path.is_file()}
    assert before - sum(path.stat().st_size for path in left) == freed
    expected = {path for path in whole if path.parent.name != lost.distilled and path.stem != lost.id}
    assert {path for path in expected if lost.distilled not in path.parts} <= left
    assert not (home / "distilled" / lost.distilled).exists()
    assert "every file here belongs to a result" in cli("results", "gc", "--home", home).err


def test_gc_asks_and_takes_no_for_an_answer(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = home / "views" / ".damaged.corrupt"
    aside.mkdir()
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert cli("results", "gc", "--home", home).code != 0
    assert aside.exists()


def test_gc_keeps_assets_where_a_view_of_results_is_missing(cli: Cli, home: Path) -> None:
    shutil.rmtree(home / "views")
    assert json.loads(cli("results", "gc", "--dry-run", "--json", "--home", home).out) == []
