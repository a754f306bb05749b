"""YAML in which values mean what they look like."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vdbench.errors import UsageError
from vdbench.storage import plain_yaml

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x85"))  # PyYAML makes spaces of that line break
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0), ("1E-3", 0.001), (".5", 0.5), ("5.", 5.0), ("-2", -2), ("+1", 1),
        ("010", 10), ("0x10", "0x10"), ("1_000", "1_000"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"),
        ("yes", "yes"), ("off", "off"), ("true", True), ("False", False),
        ("", None), ("null", None), ("~", None), ("pixels", "pixels"), ("'1e3'", "1e3"),
        ("[{name: minic3d, width: 4}, no]", [{"name": "minic3d", "width": 4}, "no"]),
    ],
)  # fmt: skip
def test_values_mean_what_they_look_like(text: str, value: object) -> None:
    read = plain_yaml.read(text, "x")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [".inf", "-.INF", ".nan", "1e999", "[1, {a: .NaN}]", "!!float .inf", "!!int x", "9" * 5000, '"\\ud800"', "\ud800"],
)
def test_what_no_result_could_hold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="^the width is not valid: "):
        plain_yaml.read(text, "the width")


NESTED = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))])
"""Twelve short lines that stand for 10**12 values."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NESTED, "it has more than 100000 values"),
        ("&a [*a]", "a value holds itself"),
        ("&a {b: {c: *a}}", "a value holds itself"),
        ("{lr: 1, lr: 2}", "it says 'lr' twice"),
        ("a: {lr: 1, width: 2, lr: 3}", "it says 'lr' twice"),
        ("[" * 50_000, "its values lie too deep within each other"),
        ("{[a, b]: 1}", "the width is not valid: "),
    ],
)
def test_what_no_memory_holds_or_says_two_things_is_refused(text: str, said: str) -> None:
    with pytest.raises((UsageError, yaml.YAMLError), match=said if said != "the width is not valid: " else ""):
        plain_yaml.read(text, "the width")


def test_a_value_may_be_repeated_and_merged() -> None:
    read = plain_yaml.read("a: &a {x: 1, y: [2]}\nb: *a\nc: {<<: *a, x: 3}", "x")
    assert read == {"a": {"x": 1, "y": [2]}, "b": {"x": 1, "y": [2]}, "c": {"x": 3, "y": [2]}}


def test_a_file_is_read_up_to_a_size_and_as_utf_8(tmp_path: Path) -> None:
    (tmp_path / "ok.yaml").write_text("a: ü", encoding="utf-8")
    assert plain_yaml.read_file(tmp_path / "ok.yaml", "x") == {"a": "ü"}
    (tmp_path / "latin.yaml").write_text("a: ü", encoding="latin-1")
    with pytest.raises(UsageError, match="no text in UTF-8"):
        plain_yaml.read_file(tmp_path / "latin.yaml", "x")
    (tmp_path / "large.yaml").touch()
    os.truncate(tmp_path / "large.yaml", 10**12)  # a hole, which takes no disk
    with pytest.raises(UsageError, match="more than 1048576 bytes"):
        plain_yaml.read_file(tmp_path / "large.yaml", "x")


@pytest.mark.parametrize("text", ["{a: 1", "*a", "!!set {a}", "!!timestamp 2026-01-01", "!!python/name:os.system ''"])
def test_what_is_no_plain_value_is_no_yaml(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        plain_yaml.read(text, "x")


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))
def test_what_is_written_is_read_again(value: Any) -> None:
    assert plain_yaml.read(plain_yaml.write(value), "x") == value


@pytest.mark.parametrize("text", ["1e3", "no", "010", "12:30", "2026-01-01", "null"])
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert plain_yaml.write({"a": text}) == f"{{a: '{text}'}}"


def test_what_ships_reads_as_it_did() -> None:
    for folder in ("suites", "datasets"):
        for file in (files("vdbench_benchmarks") / folder).iterdir():
            text = file.read_text(encoding="utf-8")
            assert repr(plain_yaml.read(text, file.name)) == repr(yaml.safe_load(text))
