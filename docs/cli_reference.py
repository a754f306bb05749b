"""Writes ``docs/cli.md``: every command of vdbench with its options, as the command line itself declares them.

``python docs/cli_reference.py`` writes it anew; a test compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from vdbench.cli import app

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

This page is made from the program by `docs/cli_reference.py`; `--help` behind any command shows the same.
Exit codes: 0 done, 1 a trial failed, 2 a command that makes no sense, 3 data or a library is missing, 130 interrupted.
"""


def reference() -> str:
    """The page."""
    root = typer.main.get_command(app)
    return "\n".join([HEAD, *(line for name, command in _commands(root) for line in _section(name, command))])


def _commands(command: Any, name: str = "vdbench") -> Iterator[tuple[str, Any]]:
    """Every command below another, groups before what is in them."""
    yield name, command
    if isinstance(command, TyperGroup):
        for word, child in command.commands.items():
            yield from _commands(child, f"{name} {word}")


def _section(name: str, command: Any) -> Iterator[str]:
    """A heading, how it is typed, the help, and a row per argument and option."""
    context = command.context_class(command, info_name=name)
    usage = " ".join(command.get_usage(context).removeprefix("Usage:").split()).replace("[OPTIONS]", "...")
    yield from ("#" * min(name.count(" ") + 2, 3) + f" {name}", "")
    if not isinstance(command, TyperGroup):
        yield from ("```", usage, "```", "")
    yield from (_text(command.help or ""), "")
    records = [p.get_help_record(context) for p in command.params if not getattr(p, "hidden", False)]
    if rows := [(typed, told) for typed, told in filter(None, records) if "--help" not in typed]:
        yield from ("| option | what |", "|---|---|")
        yield from (f"| `{_cell(typed)}` | {_cell(told)} |" for typed, told in rows)
        yield ""


def _text(text: str) -> str:
    """Help as Markdown: its paragraphs stay, lines within them are joined."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip())


def _cell(text: str) -> str:
    """As a cell of a table. Brackets that Rich would take for markup come with a backslash, which is dropped."""
    return " ".join(text.replace("\\[", "[").replace("|", r"\|").split())


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
