"""Homes in which a miniature UCF101 is prepared, and choices under which a trial takes a second."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import vdbench
from tests.worlds import prepared_ucf, ucf_world
from vdbench.api.runs import Run
from vdbench.cli import app

TINY: dict[str, Any] = {
    "protocol.frames": 4,
    "protocol.size": 16,
    "protocol.evaluation_seeds": 2,
    "protocol.students": [{"name": "minic3d", "width": 4}],
    "protocol.recipe": {"max_steps": 4, "min_steps": 1},
    "protocol.validation": 0.2,
}
SIX = ("distill", "evaluate", "load_dataset", "load_results", "new_dataset", "run")
SMALL: dict[str, Any] = {"suite": "quick", "set": TINY}
"""For calls that take no ``partial``; the miniature has 3 of 101 classes."""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the miniature UCF101 is prepared; never written to again."""
    return prepared_ucf(ucf_world(tmp_path_factory.mktemp("world")), tmp_path_factory.mktemp("prepared") / "home")


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, which calls find without being told."""
    monkeypatch.setenv("VDBENCH_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(prepared, tmp_path / "home"))


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process does with some code."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False, capture_output=True, text=True, timeout=300, env=os.environ | environment,
    )  # fmt: skip


def tiny_run(**more: object) -> Run:
    return vdbench.run(**{"datasets": "ucf101", "ipc": 1, "seeds": 1, "partial": True, **SMALL, **more})  # type: ignore[arg-type]


def typed(home: Path, *more: object) -> list[str]:
    """The same on the command line."""
    words: list[object] = ["run", "--home", home, "--datasets", "ucf101", "--suite", "quick", "--partial", "--ipc", 1]
    words += ["--seeds", 1, "--scheduler", "inline", *more]
    for name, value in TINY.items():
        words += ["--set", f"{name}={value}".replace("'", "")]
    return [str(word) for word in words]


def call(arguments: list[str]) -> None:
    """Type a command."""
    app(arguments, standalone_mode=False)
