"""Homes in which a miniature UCF101 is prepared, and choices under which a trial takes a second."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import ucf_world
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset

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
    root = tmp_path_factory.mktemp("prepared") / "home"
    world = ucf_world(tmp_path_factory.mktemp("world"))
    spec = load_dataset("ucf101")
    prepare(spec, world.root, root, partial=True, workers=1, geometry=spec.geometry.at(8, 32))
    return root


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, which calls find without being told."""
    monkeypatch.setenv("VDBENCH_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(prepared, tmp_path / "home"))
