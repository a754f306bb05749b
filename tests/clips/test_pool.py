"""Pools on disk: what does not fit itself, or was written by a later version, is a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vdbench.clips.pool import open_pool, write_pool
from vdbench.clips.rows import MANIFEST
from vdbench.errors import DataError, LaterError
from vdbench.records import PoolRecord
from vdbench.testing import tiny_clips

RECORD = PoolRecord(
    generator="g", weights="w", saw="train", per_class=2, scheduler="s", steps=1, guidance=1.0, seed=0
)  # fmt: skip


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    like = tiny_clips()
    blocks = [(name, like.clips[:2]) for name in like.classes]
    write_pool(tmp_path, blocks, like, RECORD)
    return tmp_path


def change(pool: Path, **values: Any) -> None:
    path = pool / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_what_is_written_is_read(pool: Path) -> None:
    like, opened = tiny_clips(), open_pool(pool)
    assert opened.clips.classes == like.classes
    assert opened.clips.counts().tolist() == [2] * len(like.classes)
    assert np.array_equal(opened.clips.clips[:2], like.clips[:2])


def test_one_of_a_later_version_is_named(pool: Path) -> None:
    change(pool, schema_version=2, surprise=1)
    with pytest.raises(LaterError, match=r"manifest\.json was written by a later version of vdbench: its schema is 2"):
        open_pool(pool)


@pytest.mark.parametrize("row", [-1, 10**6, 2**80])
def test_a_row_that_is_not_there_is_a_sentence(pool: Path, row: int) -> None:
    clips = json.loads((pool / MANIFEST).read_text())["clips"]
    change(pool, clips=[*clips[:-1], clips[-1] | {"row": row}])
    with pytest.raises(DataError, match="cannot be read .*it is sampled again"):
        open_pool(pool)


def test_a_class_that_it_does_not_name_is_a_sentence(pool: Path) -> None:
    change(pool, classes=["other", "names"])
    with pytest.raises(DataError, match="cannot be read .*it is sampled again"):
        open_pool(pool)
