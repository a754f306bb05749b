"""The scripts that measure run to their end, those for a GPU on a CPU, at sizes that say nothing of speed."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "speed" / "gpu.py"
SCRIPTS = [*SCRIPT.parents[1].glob("*.py"), *SCRIPT.parent.glob("*.py")]
TINY = {"device": "cpu", "clips": 8, "size": 16, "frames": 4, "width": 4, "steps": 2}


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_started(script: Path) -> None:
    ended = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_every_row_of_the_table_is_measured() -> None:
    options = [f"--{name}={value}" for name, value in TINY.items()]
    command = [sys.executable, str(SCRIPT), *options, f"--base={SCRIPT.parents[2]}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split(" | ")[0].removeprefix("| ") for line in ended.stdout.splitlines() if line.startswith("| ")]
    for what in (
        "training step, 8 clips, bf16",
        "three test passes",
        "DM iteration",
        "MTT outer step",
        "training on all",
    ):
        assert any(row.startswith(what) for row in rows), what


@pytest.mark.slow
def test_every_stage_is_measured_over_clips() -> None:
    command = [sys.executable, str(SCRIPT.with_name("scale.py")), "--clips", "600", "900", "--trials", "20"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split(" | ") for line in ended.stdout.splitlines() if line.startswith("| ")]
    assert [len(row) for row in rows] == [4] * len(rows)
    for what in ("index", "fingerprint", "manifest check", "view", "plan of 20", "herding, 50", "k-center, 50"):
        assert any(row[0].startswith(f"| {what}") for row in rows), what


@pytest.mark.slow
def test_trials_with_nothing_to_do_are_measured() -> None:
    command = [sys.executable, str(SCRIPT.with_name("trials.py")), "--trials", "20", "--scheduler", "inline"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    heading, _, row = (line.strip("| ").split(" | ") for line in ended.stdout.splitlines() if line.startswith("|"))
    assert len(row) == len(heading)
    assert row[:2] == ["inline", "20"]
