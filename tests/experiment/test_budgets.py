"""Budgets of bytes: how they are read, and the IPC that they hold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench.clips.codecs import clip_bytes, parse_codec
from vdbench.distilled.recoding import stored_as
from vdbench.errors import UsageError
from vdbench.experiment.budgets import largest_fitting, parse_bytes, sample
from vdbench.registry import Registry
from vdbench.testing import tiny_clips, tiny_task


@pytest.mark.parametrize(
    ("text", "count"),
    [("bytes=4096", 4096), ("4096", 4096), ("12B", 12), ("bytes=256KiB", 1 << 18), ("1.5 MiB", 3 << 19)],
)
def test_bytes_are_read(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["9" * 17, "9" * 400, "", "bytes=", "0", "-3", "1MB", "ipc=5", "0.2B", "1e6"])
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no number of bytes"):
        parse_bytes(text)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30), st.integers(1, 120))
def test_the_ipc_is_the_largest_that_fits(sizes: list[int], allowed: int) -> None:
    fitting = [ipc for ipc, size in enumerate(sizes, start=1) if size <= allowed]
    found = largest_fitting(lambda ipc: sizes[ipc - 1], len(sizes), allowed)
    assert found == (fitting[-1] if fitting else 1)


@pytest.mark.parametrize("codec", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("method", ["random", "dm", "mtt", "sfvd", "prism", "frepo", "vdsd", "vdsd on frepo"])
def test_methods_promise_what_their_sets_take(tmp_path: Path, method: str, codec: str) -> None:
    short: dict[str, dict[str, object]] = {
        "dm": {"iterations": 1, "width": 2},
        "mtt": {"iterations": 1, "width": 2, "lr": 1.0, "trajectory": {"experts": 1, "max_start": 1}},
        "sfvd": {"iterations": 1, "width": 2, "lr": 1.0, "trajectory": {"experts": 1, "max_start": 1}},
        "prism": {"iterations": 1, "width": 2, "insert": False},
        "frepo": {"iterations": 1, "width": 2},
        "vdsd": {"iterations": 1, "static_iterations": 1, "width": 2, "static_width": 2},
    }
    short["vdsd on frepo"] = short["vdsd"] | {"base": "frepo"}
    task = tiny_task(tmp_path, ipc=2)
    subject = Registry().configure(method.split(maxsplit=1)[0], None, short.get(method, {}))
    made = subject.distill(task)
    assert made.stored_bytes == subject.stored_bytes(task)
    choice = parse_codec(codec)
    promised = subject.stored_bytes(task, clip_bytes(sample(task.train), choice))
    assert stored_as(made, choice).stored_bytes == promised


def test_the_sample_is_spread_over_the_split() -> None:
    clips = tiny_clips()
    assert len(sample(clips)) == len(clips)
