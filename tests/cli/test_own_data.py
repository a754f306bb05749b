"""Somebody's own videos, from a folder to a leaderboard, by every way in."""

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import vdbench
from tests.api.conftest import TINY as TINY_SETTINGS
from tests.cli.conftest import TINY, Cli, results
from tests.worlds import lab_folder, lab_table
from vdbench.datasets.spec import load_dataset
from vdbench.errors import DependencyError

SMALL = ["--frames", 8, "--size", 32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab_folder(tmp_path_factory.mktemp("lab"))


@pytest.fixture(autouse=True)
def _offline(mlflow_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)


def run_on(dataset: object, home: Path) -> list[object]:
    base = ["run", "--home", home, "--datasets", dataset, "--suite", "quick", "--scheduler", "inline"]
    return [*base, "--methods", "random", "--ipc", 1, "--seeds", 1, *TINY]


def test_a_folder_a_table_and_python_give_the_same_ids(cli: Cli, folder: Path, tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("folder", "table", "python")]
    made = cli("datasets", "new", "lab", "--videos", folder, *SMALL, "--home", homes[0]).ended(0)
    assert "lab, split 1: 3 classes, 18 train and 6 test clips" in made.out
    assert "vdbench run --datasets lab" in made.out
    cli(*run_on("lab", homes[0])).ended(0)
    assert "lab" in (homes[0] / "leaderboard" / "README.md").read_text()
    table, file = lab_table(folder, tmp_path / "clips.csv"), tmp_path / "lab.yaml"
    assert cli("datasets", "new", "lab", "--csv", table, *SMALL, "--to", file, "--home", homes[1]).code == 0
    assert cli(*run_on(file, homes[1])).code == 0
    vdbench.new_dataset("lab", videos=folder, frames=8, size=32, home=homes[2])
    clips = vdbench.load_dataset("lab", "quick", home=homes[2])
    assert len(clips.train.classes) == 3
    settings = TINY_SETTINGS | {"protocol.evaluation_seeds": 1}
    done = vdbench.run("random", "lab", suite="quick", ipc=1, seeds=1, set=settings, home=homes[2], scheduler="inline")
    assert not done.failures
    ids = [sorted(results(home)) for home in homes]
    assert len(ids[0]) == 2
    assert ids[0] == ids[1] == ids[2]


def test_every_verb_takes_a_name_and_a_file(cli: Cli, folder: Path, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "lab.yaml"
    assert cli("datasets", "new", "lab", "--videos", folder, *SMALL, "--home", home).code == 0
    shutil.copy(home / "datasets" / "lab.yaml", file)
    listed = json.loads(cli("datasets", "list", "--json", "--home", home).out)
    assert {row["name"]: row["prepared"] for row in listed}["lab"] == "when it is run"
    for name in ("lab", file):
        for words in (["prepare"], ["verify"], ["show"]):
            cli("datasets", *words, name, "--home", home).ended(0)
    assert cli(*run_on(file, home)).code == 0
    distilled = vdbench.distill("random", str(file), suite="quick", ipc=1, set=TINY_SETTINGS, home=home)
    distilled.save(tmp_path / "set")
    for name in ("lab", file):
        arguments = ["evaluate", tmp_path / "set", "--dataset", name, "--home", home, *TINY]
        answer = cli(*arguments).ended(0)
        assert "random on lab" in answer.out
        asked = cli("generator", "show", name, "--suite", "quick", "--home", home)
        assert "lab" in asked.err + asked.out
        assert "bug" not in asked.err
    cli(*run_on(f"lab,{file}", home)).ended(2, "two of the data sets are called 'lab'")


def test_of_a_broken_video_the_run_says_which_one_it_would_leave_out(cli: Cli, folder: Path, tmp_path: Path) -> None:
    videos = shutil.copytree(folder, tmp_path / "videos")
    home, broken = tmp_path / "home", [videos / "wave" / "s01_2.mp4", videos / "wave" / "s02_2.mp4"]
    said = []
    for path in broken:
        path.write_bytes(bytes(5000))
        assert cli("datasets", "new", "lab", "--videos", videos, *SMALL, "--replace", "--home", home).code == 0
        answer = cli(*run_on("lab", home), "--dry-run").ended(3)
        said.append(answer.err.splitlines()[-1])
    cure = "clips are there; add --partial to run on those, without wave/s01_2.mp4 (broken)"
    assert said[0].endswith(f"lab is partial: 3 of 3 classes and 23 of 24 {cure}")
    assert said[1].endswith(f"22 of 24 {cure} and 1 more")


def test_what_is_wrong_with_ones_clips_is_one_sentence(cli: Cli, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("path,label\nnowhere.mp4,a\n")
    answer = cli("datasets", "new", "lab", "--csv", table, "--home", tmp_path / "home").ended(3)
    assert answer.err.count("\n") == 1
    for words in (["lab"], ["lab", "--videos", folder, "--column", "label"], ["Lab", "--videos", folder]):
        answer = cli("datasets", "new", *words, "--home", tmp_path / "home")
        assert (answer.code, answer.err.count("\n")) == (2, 1)
    said = f"to make a data set of the videos in it, type: vdbench datasets new NAME --videos {folder}"
    cli(*run_on(folder, tmp_path / "home")).ended(2, said)
    broken = tmp_path / "home" / "datasets" / "broken.yaml"
    broken.parent.mkdir()
    broken.write_text("name: [")
    listed = cli("datasets", "list", "--home", tmp_path / "home")
    assert (listed.code, "ucf101" in listed.out, "broken.yaml is no YAML" in listed.err) == (0, True, True)


def test_classes_may_be_a_file_with_one_per_line(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("wave\nnod\n")
    cli("datasets", "new", "two", "--videos", folder, "--classes", tmp_path / "two.txt", "--home", tmp_path).ended(0)
    assert load_dataset("two", tmp_path).subset == ("wave", "nod")
    for classes, said in (
        ("wave,node", "there is no class 'node'; did you mean 'nod'?"),
        ("wave", "a data set takes at least 2 classes; name more of them"),
    ):
        cli("datasets", "new", "one", "--videos", folder, "--classes", classes, "--home", tmp_path).ended(2, said)


def test_two_homes_with_other_clips_under_one_name_keep_tables_of_their_own(
    cli: Cli, folder: Path, tmp_path: Path
) -> None:
    homes = [tmp_path / "ours", tmp_path / "theirs"]
    shutil.copytree(folder, tmp_path / "other")
    first, second = sorted((tmp_path / "other" / "wave").iterdir())[:2]
    shutil.copy(second, first.with_name(f"s01_1{second.suffix}"))
    first.unlink()
    for home, videos in zip(homes, (folder, tmp_path / "other"), strict=True):
        assert cli("datasets", "new", "lab", "--videos", videos, *SMALL, "--home", home).code == 0
        assert cli(*run_on("lab", home)).code == 0
    assert cli("results", "merge", homes[1] / "results", "--into", homes[0] / "results").code == 0
    assert len(results(homes[0])) == 4
    assert cli("leaderboard", "build", "--home", homes[0]).code == 0
    page = (homes[0] / "leaderboard" / "README.md").read_text()
    headings = {line for line in page.splitlines() if line.startswith("#") and "· lab ·" in line}
    assert len(headings) == 2
    assert all("· data " in heading for heading in headings)


def test_a_package_may_offer_a_data_set(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vdbench.new_dataset("lab-two", videos=folder, file=tmp_path / "labs" / "lab-two.yaml", home=tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "labs" / "__init__.py").touch()
    points = [EntryPoint("lab-two", "labs", "vdbench.datasets"), EntryPoint("gone", "no_such", "vdbench.datasets")]
    monkeypatch.setattr("vdbench.datasets.spec.entry_points", lambda group: points)
    assert load_dataset("lab-two").source is not None
    with pytest.raises(DependencyError, match="data set 'gone' cannot be imported from no_such"):
        load_dataset("gone")
