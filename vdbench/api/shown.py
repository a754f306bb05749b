"""How results show themselves in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_ROWS = 200
"""Rows of a table; a note tells of the rest."""


def escaped(text: object) -> str:
    """A text that is safe within HTML."""
    return escape(str(text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of texts, cut after :data:`MOST_ROWS` rows."""
    every = list(rows)
    lines = ["".join(f"<td>{escaped(cell)}</td>" for cell in row) for row in every[:MOST_ROWS]]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    note = f"<p>{MOST_ROWS} of {len(every)} rows</p>" if len(every) > MOST_ROWS else ""
    titles = "".join(f"<th>{escaped(title)}</th>" for title in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{note}"
