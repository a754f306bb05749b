"""What the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from vdbench.api.screen import Screen
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

ENDLESS = 100_000
"""Columns of a table that goes into a file or a pipe."""


out = Screen()
err = Screen(stderr=True)
_endless = Screen(width=ENDLESS)


def replace_what_cannot_be_shown() -> None:
    """Write a question mark for a character that the encoding of an output lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(renderable: RenderableType) -> None:
    """Print tables: wrapped to the width of a terminal, on whole lines where there is none."""
    (out if out.is_terminal else _endless).print(renderable)


def print_json(value: Any) -> None:
    """Print a JSON value, with escapes where a character steers a terminal or the output's encoding lacks it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if not all(map(str.isprintable, text.split("\n"))):
        text = json.dumps(value, indent=2, default=str)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    print(text)


def show_rows(title: str, columns: Sequence[str], rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table, or as a JSON list.

    Args:
        title: above the table.
        columns: keys of the rows to show, in order.
        rows: one dictionary per row, of JSON values.
        as_json: print every key of every row as JSON instead.
    """
    if as_json:
        print_json(list(rows))
        return
    out.print(title, style="bold")
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(_cell(row[column]))) for column in columns))
    show(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value)
    return str(value)
