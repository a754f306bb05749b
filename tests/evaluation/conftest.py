"""A set of real clips to judge."""

from pathlib import Path

import pytest

from vdbench.distilled import DistilledSet
from vdbench.testing import tiny_task
from vdbench_methods.random import Random


@pytest.fixture
def distilled(tmp_path: Path) -> DistilledSet:
    """Two random clips of each class of the tiny world."""
    return Random().distill(tiny_task(tmp_path, ipc=2))
