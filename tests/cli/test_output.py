"""What commands print: whole lines where no terminal wraps them, in any encoding, and nothing that steers one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from vdbench.storage.text import harmless

ID = "0123456789abcdef"


def vdbench(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own, whose output goes into a pipe."""
    command = [sys.executable, "-m", "vdbench.cli", *map(str, arguments)]
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "PYTHONIOENCODING")}
    return subprocess.run(command, capture_output=True, env=env | environment, check=False)


def declare(folder: Path, title: str) -> Path:
    """A folder of results with one whose method, data set and suite have long and odd names."""
    shared = Path(__file__).parents[2] / "leaderboard" / "results"
    result = json.loads(sorted(shared.glob("*.json"))[0].read_text(encoding="utf-8"))
    result["id"] = ID
    result["suite"] = title
    folder.mkdir()
    (folder / f"{ID}.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def test_a_row_is_one_line_in_a_pipe(tmp_path: Path) -> None:
    suite = "a-suite-with-a-name-of-more-than-eighty-characters-" * 3
    listed = vdbench("results", "list", "--results", declare(tmp_path / "results", suite)).stdout.decode()
    assert [ID in line and suite in line for line in listed.splitlines()] == [False, False, True]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_what_an_encoding_lacks_is_replaced(tmp_path: Path, encoding: str) -> None:
    results = declare(tmp_path / "results", "größe-数")
    shown = {
        command: vdbench(*command.split(), "--results", results, PYTHONIOENCODING=encoding)
        for command in ("results list", "leaderboard show", "results list --json")
    }
    assert [(done.returncode, b"bug in vdbench" in done.stderr) for done in shown.values()] == [(0, False)] * 3
    expected = {"cp1252": "größe-?", "ascii": "gr??e-?", "utf-8": "größe-数"}[encoding]
    assert expected.encode(encoding) in shown["results list"].stdout
    assert json.loads(shown["results list --json"].stdout.decode(encoding))[0]["suite"] == "größe-数"


def test_warnings_and_errors_in_ascii(tmp_path: Path) -> None:
    results = declare(tmp_path / "größe", "quick")
    (results / "数.json").write_text("{")
    listed = vdbench("results", "list", "--results", results, PYTHONIOENCODING="ascii:strict")
    assert listed.returncode == 0
    assert b"warning: " in listed.stderr
    failed = vdbench("results", "list", "--results", tmp_path / "数", PYTHONIOENCODING="ascii:strict")
    assert failed.returncode == 3
    assert b"there is no folder" in failed.stderr


def test_files_are_utf_8_whatever_the_output_is(tmp_path: Path) -> None:
    results = declare(tmp_path / "results", "größe-数")
    built = vdbench("leaderboard", "build", "--results", results, "--out", tmp_path / "board", PYTHONIOENCODING="ascii")
    assert built.returncode == 0
    assert "größe-数" in (tmp_path / "board" / "leaderboard.csv").read_text(encoding="utf-8")


def test_escapes_and_line_breaks_are_shown(cli: Cli, tmp_path: Path) -> None:
    results = declare(tmp_path / "results", "red\x1b[31m\nnext")
    for command in ("results list", "leaderboard show"):
        shown = cli(*command.split(), "--results", results).out
        assert "\x1b" not in shown, command
        assert "red\\x1b[31m" in shown, command
    failed = cli("results", "list", "--results", tmp_path / "a\x1b[2J\nb [bold]:smile:").err
    assert failed.endswith("a\\x1b[2J\\nb [bold]:smile:; check the path\n")
    assert failed.count("\n") == 1


def test_harmless_writes_as_python_does() -> None:
    assert harmless("Clip-ä 数 ± †") == "Clip-ä 数 ± †"
    assert harmless("\x1b]0;x\x07\r\u202e\x9b\udcff") == "\\x1b]0;x\\x07\\r\\u202e\\x9b\\udcff"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nobody_reads_to_the_end(tmp_path: Path, form: list[str]) -> None:
    results = declare(tmp_path / "results", "long" * 50_000)
    command = [sys.executable, "-m", "vdbench.cli", "results", "list", "--results", str(results), *form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_behind_the_output_is_an_error(tmp_path: Path) -> None:
    results = declare(tmp_path / "results", "quick")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vdbench.cli", "results", "list", "--json", "--results", str(results)],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith(
        b"error: the disk refuses what was to be written (No space left on device); free some disk"
    )


def test_json_escapes_what_steers_a_terminal(cli: Cli, tmp_path: Path) -> None:
    results = declare(tmp_path / "results", "a\x9b2J\u202e\u2028b größe")
    shown = cli("results", "list", "--json", "--results", results).out
    assert all(line.isprintable() for line in shown.split("\n"))
    assert json.loads(shown)[0]["suite"] == "a\x9b2J\u202e\u2028b größe"
