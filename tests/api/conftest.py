"""Homes in which a miniature UCF101 is prepared, and choices under which a trial takes a second."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import prepared_ucf, ucf_world

TINY: dict[str, Any] = {
    "protocol.frames": 4,
    "protocol.size": 16,
    "protocol.evaluation_seeds": 2,
    "protocol.students": [{"name": "minic3d", "width": 4}],
    "protocol.recipe": {"max_steps": 4, "min_steps": 1},
    "protocol.validation": 0.2,
}
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
