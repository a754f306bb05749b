"""Text of others where it is shown: one line, nothing that steers, stresses, links, heads or computes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench.storage.text import counted, harmless, in_a_cell, in_markdown


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    for shown in (harmless(text), in_markdown(text)):
        assert shown.isprintable()
        assert shown.splitlines() in ([], [shown])
    assert harmless(text) == text or not text.isprintable()


@pytest.mark.parametrize(
    "text", ["herding@generated", "ucf101, 9 of 101 classes", "größe 数", "a + b", "#1", "k-means"]
)
def test_usual_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == in_a_cell(text) == text
    assert in_markdown(text).lstrip("\\") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n# b", r"a\\n# b"),
        ("# b", r"\# b"),
        ("- b", r"\- b"),
        ("+ b", r"\+ b"),
        ("a | b", r"a \| b"),
        ("[x](http://y)", r"\[x\](http://y)"),
        ("<img src=x>", r"\<img src=x\>"),
        ("`a` *b* _c_", r"\`a\` \*b\* \_c\_"),
        ("\x1b[31m", r"\\x1b\[31m"),
    ],
)
def test_markdown_shows_it_as_it_is(text: str, shown: str) -> None:
    assert in_markdown(text) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_formulas_do(start: str) -> None:
    assert in_a_cell(f"{start}1+1") == f"'{start}1+1"


def test_one_is_singular_and_all_others_are_not() -> None:
    assert [counted(n, "trial") for n in (0, 1, 2, 1000)] == ["0 trials", "1 trial", "2 trials", "1,000 trials"]
    assert counted(1, "class", "classes") == "1 class" and counted(3, "class", "classes") == "3 classes"
