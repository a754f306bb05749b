"""A miniature data set, and a home in which nothing is prepared."""

import hashlib
from pathlib import Path

import pytest

import worlds


@pytest.fixture
def world(tmp_path):
    return worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
