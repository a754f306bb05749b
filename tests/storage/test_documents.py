"""Documents of others: what no JSON of ours holds is refused in one line, and later versions are told apart."""

import json
import math
import os
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench.errors import LaterError
from vdbench.records import Record
from vdbench.storage import documents

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Example(Record):
    schema_version: Literal[2] = 2
    size: int


@given(VALUES)
def test_whatever_can_be_written_is_read_alike(value: object) -> None:
    assert documents.parse(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "it says 'a' twice"),
        ('{"x": {"a": 1, "a": 2}}', "it says 'a' twice"),
        ("[NaN]", "NaN is no number that can be read"),
        ("[-Infinity]", "-Infinity is no number that can be read"),
        ("[1e999]", "1e999 is no number that can be read"),
        ("9" * 5000, "9" * 40 + " is no number that can be read"),
        ('"\\ud800"', "surrogates not allowed"),
        ('{"\\ud800": 1}', "surrogates not allowed"),
        ("[" * 101 + "]" * 101, "more than 100 deep"),
        ("[" * 100_000, "too deep"),
        ('{"a":' * 100_000, "too deep"),
        ("{", "Expecting"),
        (b"\xff\xfe\xfa", "decode"),
    ],
)
def test_what_no_document_of_ours_holds_is_refused_in_a_line(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        documents.parse(text)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


def test_as_deep_as_may_be_is_read() -> None:
    text = "[" * 99 + "1" + "]" * 99
    assert str(documents.parse(text)) == text


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", documents.LARGEST + 1)  # a hole, which takes no disk
    with pytest.raises(ValueError, match=f"{documents.LARGEST} are read at most"):
        documents.load(Example, tmp_path / "large")


@pytest.mark.parametrize("version", [3, 2**70])
def test_a_later_version_is_named(tmp_path: Path, version: int) -> None:
    (tmp_path / "file").write_text(json.dumps({"schema_version": version, "environment": {"vdbench": "7"}}))
    with pytest.raises(LaterError, match=f"file was written by vdbench 7, a later version: its schema is {version}"):
        documents.load(Example, tmp_path / "file")


@pytest.mark.parametrize("version", [1, True, "3", 3.5, None, math.pi])
def test_what_is_of_no_later_version_is_no_such_document(tmp_path: Path, version: object) -> None:
    (tmp_path / "file").write_text(json.dumps({"schema_version": version, "size": 1}))
    with pytest.raises(ValueError, match="schema_version"):
        documents.load(Example, tmp_path / "file")
