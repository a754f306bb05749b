"""What the pages say: their blocks, the commands that they type, and the command line that is to know these."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from vdbench.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "leaderboard/CONTRIBUTING.md")]
)
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def block(page: str, title: str) -> str:
    """The code block of a page that has a title."""
    (found,) = [code for _, name, code in FENCE.findall(text_of(page)) if name == title]
    return found


def typed(text: str) -> Iterator[list[str]]:
    """The words of every line of a code block and of every code span, without comments."""
    spoken = FENCE.sub("", text)
    lines = [line for _, _, code in FENCE.findall(text) for line in code.replace("\\\n", " ").splitlines()]
    for line in (*lines, *(" ".join(span.split()) for span in SPAN.findall(spoken))):
        if "vdbench " in line or "--set " in line:
            yield shlex.split(line, comments=True)


def commands(text: str) -> Iterator[list[str]]:
    """What stands after ``vdbench`` wherever a text types it as a command."""
    for words in typed(text):
        start = words.index("vdbench") + 1 if "vdbench" in words else len(words)
        if start < len(words) and re.match("[a-z]", words[start]):
            yield words[start:]


COMMANDS = [(page, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]


@cache
def command_line() -> Any:
    return typer.main.get_command(app)


def resolve(words: list[str]) -> tuple[list[str], Any]:
    """The words after a command, and the command; of ``list|show`` and the like it is the first, and all exist."""
    command = command_line()
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        first, *words = words
        known = [command.commands.get(name) for name in first.split("|")]
        assert None not in known, f"there is no command {first}"
        command = known[0]
    return words, command
