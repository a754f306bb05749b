"""What the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderableType

NOBODY_READS = 1
"""What a command exits with whose output nobody reads to the end."""
ENDLESS = 100_000
"""Columns of a table that goes into a file or a pipe."""


class Screen(Console):
    """A console whose strings are text, never markup, and that shows harmlessly what would steer a terminal.

    A string is one line: a line break in it, as in the name of a file, is shown and not made.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **how: Any) -> Text:
        """As the base does, without characters that steer."""
        return super().render_str(harmless(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As the base does; texts and tables that were made elsewhere lose what steers a terminal here."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment("\n".join(map(harmless, text.split("\n"))), style)

    def on_broken_pipe(self) -> None:
        """End quietly, whichever of the two outputs broke."""
        silence(self.file)
        raise SystemExit(NOBODY_READS)


out = Screen()
err = Screen(stderr=True)
_endless = Screen(width=ENDLESS)


def harmless(text: str) -> str:
    """The text, with what cannot be printed (escapes, line breaks, bytes that are no UTF-8) written as Python does."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def silence(stream: TextIO | Any) -> None:
    """Let what is still to be written to a stream that is broken go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def replace_what_cannot_be_shown() -> None:
    """Write a question mark for a character that the encoding of an output lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(renderable: RenderableType) -> None:
    """Print tables: wrapped to the width of a terminal, on whole lines where there is none."""
    (out if out.is_terminal else _endless).print(renderable)


def print_json(value: Any) -> None:
    """Print a JSON value, with escapes where the output's encoding lacks a character, so that none is lost."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
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
    out.print(title, style="bold", soft_wrap=True)
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
