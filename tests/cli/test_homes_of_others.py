"""Commands that only read do so where nothing can be written, and homes are merged as they are."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, tiny_run
from vdbench.experiment.home import Home


def test_commands_that_only_read_make_no_home(cli: Cli, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for words in (["home", "check"], ["datasets", "list"], ["doctor"], ["generator", "show"]):
        assert cli(*words, "--home", home).code == (3 if "show" in words else 0)
        assert not home.exists()


@pytest.mark.slow
def test_a_dry_run_makes_no_home(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    dry = ["run", "--dry-run", "--methods", "random", "--seeds", 1, "--ipc", 1]
    assert "2 trials, 0 done, 2 to run" in cli(*dry, "--home", tmp_path / "home").ended(0).out
    assert [path.name for path in tmp_path.rglob("*")] == ["scratch"]


READING = """
import sys
from tests.faults.commands import obey_modes
from vdbench.cli import main
obey_modes()
for words in {commands!r}:
    sys.argv = ["vdbench", *words]
    try:
        main()
    except SystemExit as ended:
        print("ended with", ended.code, flush=True)
"""


def test_commands_that_only_read_need_no_home_that_can_be_written(cli: Cli, home: Path) -> None:
    dry = [str(word) for word in tiny_run(home, "--dry-run")]
    assert cli(*dry).code == 0  # makes the view
    commands = [["datasets", "show", "ucf101", "--home", str(home)], dry, ["doctor", "--home", str(home)]]
    folders = [home, *(path for path in home.rglob("*") if path.is_dir())]
    modes = [folder.stat().st_mode for folder in folders]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READING.format(commands=commands)],
            capture_output=True, text=True, timeout=240, check=False,
            env=os.environ | {"COLUMNS": "300", "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)
    assert [line for line in done.stdout.splitlines() if "ended with" in line] == [
        "ended with 0", "ended with 0", "ended with 3"
    ], done.stderr  # fmt: skip
    assert "no contact sheet is written (Permission denied); name a file for it with --sheet" in done.stderr
    assert f"wrong    home {home} cannot be written" in done.stdout


def test_a_home_is_merged_into_another(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli(*tiny_run(home, "--seeds", 1)).code == 0
    other = tmp_path / "other"
    assert "added" in cli("results", "merge", home, "--home", other).out
    assert list((other / "results").glob("*.json"))
    assert cli("results", "validate", home).code == 0
    assert cli("results", "merge", home, "--home", other, "--into", tmp_path).code == 2


def test_many_may_try_a_home_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(Home.at, [tmp_path] * 2000))) == 1
    assert not list(tmp_path.iterdir())
