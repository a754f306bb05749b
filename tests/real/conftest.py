"""Real clips, where there are any: below VDBENCH_TEST_DATA, or ../shared/data beside the repository."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """The data root of the real clips; a test that asks for it is skipped where there are none."""
    default = Path(__file__).parents[3] / "shared" / "data"
    root = Path(os.environ.get("VDBENCH_TEST_DATA", default)).absolute()
    if not root.is_dir():
        pytest.skip(f"THERE ARE NO REAL CLIPS at {root}; set VDBENCH_TEST_DATA to run this test")
    return root
