"""Listings answer at once, as tables and as JSON, and import neither torch nor ray."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, tiny_run
from vdbench.datasets.spec import dataset_names, declaration

QUICK = [
    ["--help"],
    ["--version"],
    ["run", "--help"],
    ["datasets", "--help"],
    ["datasets", "list"],
    ["methods", "list"],
    ["methods", "show", "herding"],
    ["results", "list"],
    ["leaderboard", "--help"],
    ["generator", "--help"],
    ["generator", "score", "--help"],
]


@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_listings_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['vdbench', *{arguments!r}]\n"
        "from vdbench.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    heavy = {'torch', 'ray', 'mlflow', 'pandas', 'sklearn', 'decord'} & set(sys.modules)\n"
        "    print('code', end.code, 'heavy', sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PATH": "", "VDBENCH_HOME": str(tmp_path), "COLUMNS": "100"},
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "code 0 heavy []"
    assert done.stdout


def test_data_sets_methods_and_results_as_json(cli: Cli, home: Path) -> None:
    sets = {row["name"]: row for row in json.loads(cli("datasets", "list", "--home", home, "--json").out)}
    assert set(sets) == set(dataset_names())
    assert sets["ucf101"]["classes"] == 101
    assert sets["ucf101"]["prepared"].startswith("yes")
    assert sets["hmdb51"]["prepared"] == "no"
    methods = {row["name"]: row for row in json.loads(cli("methods", "list", "--json").out)}
    assert {"random", "herding", "k-center", "k-means", "full"} <= set(methods)
    assert cli(*tiny_run(home)).code == 0
    listed = json.loads(cli("results", "list", "--home", home, "--json").out)
    assert sorted(row["method"] for row in listed) == ["full", "random"]
    shown = json.loads(cli("results", "show", listed[0]["id"][:6], "--home", home).out)
    assert shown["id"] == listed[0]["id"]


def test_exported_results_make_the_same_leaderboard(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli(*tiny_run(home)).code == 0
    stored, board = tmp_path / "results", tmp_path / "board"
    assert cli("results", "export", stored, "--home", home).code == 0
    assert cli("leaderboard", "build", "--results", stored, "--out", board).code == 0
    assert cli("leaderboard", "check", "--results", stored, "--out", board).code == 0
    assert (board / "README.md").read_bytes() == (home / "leaderboard" / "README.md").read_bytes()
    assert "random" in cli("leaderboard", "show", "--results", stored).out
    table = board / "leaderboard.csv"
    table.write_text(table.read_text().replace("random", "rnadom", 1))
    said = "leaderboard.csv is not what the results give"
    cli("leaderboard", "check", "--results", stored, "--out", board).ended(1, said)


def test_doctor_names_devices_decoders_and_data(cli: Cli, home: Path) -> None:
    answer = cli("doctor", "--home", home, "--data-root", home, "--json")
    rows = {row["what"]: row for row in json.loads(answer.out)}
    assert answer.code == 0
    assert {"processor", "memory", "GPU", "decord", "av", "torch", "ray", "libx264", "ucf101", "home"} <= set(rows)
    assert rows["mlflow"]["needed_for"] == "the mirror of results in MLflow"
    assert rows["ucf101"]["state"] == "absent"
    assert "prepared" in rows["ucf101"]["details"]


def test_doctor_looks_without_loading_what_takes_seconds(tmp_path: Path) -> None:
    program = (
        "import sys; from vdbench.cli import app; app(['doctor', '--home', sys.argv[1]], standalone_mode=False); "
        "print({'torch', 'ray', 'mlflow', 'pandas', 'sklearn', 'diffusers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "set()")


@pytest.mark.slow
def test_doctor_check_names_what_is_known_to_be_wrong(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vdbench.experiment.diagnosis.cuda_of_torch", lambda: "12.8")
    monkeypatch.setattr("vdbench.experiment.diagnosis.cudnn_version", lambda: "9.10.2")
    answer = cli("doctor", "--check", "--home", tmp_path, "--json")
    wrong = [row for row in json.loads(answer.out) if row["state"] == "wrong"]
    assert answer.code == 3
    assert [row["what"] for row in wrong] == ["cuDNN"]
    assert any(row["what"] == "Conv3d in bf16" and row["state"] == "ok" for row in json.loads(answer.out))


def test_doctor_tells_what_is_wrong_with_the_declaration_of_ones_own_data_set(cli: Cli, tmp_path: Path) -> None:
    file = declaration(tmp_path, "lab")
    file.parent.mkdir(parents=True)
    file.write_text("name: [")
    answer = cli("doctor", "--home", tmp_path, "--json")
    (row,) = [row for row in json.loads(answer.out) if row["what"] == "lab"]
    assert (answer.code, row["state"]) == (0, "unknown")
    assert "lab.yaml" in row["details"]
