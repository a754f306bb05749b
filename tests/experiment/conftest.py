"""Folders of results."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.experiment.results import CLIPS
from vdbench.experiment.result import Result
from vdbench.experiment.result_store import ResultStore
from vdbench.storage import files

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("a", results)``: a folder of result files."""

    def call(name: str, results: Sequence[Result]) -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        for value in results:
            if value.test_set == CLIPS.fingerprint:
                ResultStore(tmp_path / name).clip_lists.write(CLIPS)
            files.write_json(tmp_path / name / f"{value.id}.json", value.model_dump(mode="json"))
        return tmp_path / name

    return call
