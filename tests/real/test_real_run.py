"""The main job on real clips: prepare, run through Ray, and a leaderboard that says what is partial."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(os.environ.get("VDBENCH_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "hmdb51").is_dir(), reason=f"NO REAL CLIPS in {DATA}: set VDBENCH_TEST_DATA"),
]


def vdbench(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vdbench.cli", *map(str, arguments), "--home", str(home)],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def test_hmdb51_from_files_to_leaderboard_through_ray(tmp_path: Path) -> None:
    prepared = vdbench("datasets", "prepare", "hmdb51", "--partial", "--data-root", DATA,
                       "--frames", 8, "--size", 32, home=tmp_path)  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr
    done = vdbench("run", "--datasets", "hmdb51", "--partial", "--suite", "quick", "--methods", "random", "--ipc", 1,
                   "--seeds", 2, "--set", "protocol.recipe.max_steps=20", "--set", "protocol.recipe.min_steps=1",
                   home=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed = json.loads(vdbench("results", "list", "--json", home=tmp_path).stdout)
    assert {(row["method"], row["state"]) for row in listed} == {("random", "done"), ("full", "done")}
    assert {row["dataset"] for row in listed} == {"hmdb51, 10 of 51 classes"}
    assert "hmdb51, 10 of 51 classes" in done.stdout
