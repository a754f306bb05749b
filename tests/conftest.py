"""One thread per test process: two math threads on busy cores are many times slower than one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("RAY_worker_niceness", "0")  # or workers wait for everything else that runs here

from hypothesis import settings  # noqa: E402  (numpy reads the variables above when it is imported)

settings.register_profile("vdbench", deadline=None)  # how long a test takes says nothing on a busy machine
settings.load_profile("vdbench")


Watch = Callable[[Any, str], Any]
Digits = Callable[[Path], Path]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch a function without changing what it does: ``watched(Random, "distill").call_args_list`` are its calls."""

    def watch(owner: Any, name: str) -> Any:
        function = getattr(owner, name)
        monkeypatch.setattr(owner, name, create_autospec(function, side_effect=function))
        return getattr(owner, name)

    return watch


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """``digits(folder)``: a home there with the embedded data set, which takes ten seconds and is rendered once."""
    from vdbench.datasets.prepare import prepared_store

    rendered = tmp_path_factory.mktemp("digits")
    prepared_store("motion-digits", rendered)

    def home(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        for name in ("videos", "stores"):
            (folder / name).symlink_to(rendered / name)
        return folder

    return home
