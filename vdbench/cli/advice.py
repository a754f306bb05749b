"""Commands that are printed as advice: they keep the places that were typed, and can be typed as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import typer

KEPT = ("data_root", "partial", "home")
"""Parameters whose options an advised command gets where it takes them and they were typed."""
TO_FILL_IN = "FOLDER"
"""Stands where a place has to be typed that nobody knows."""

_typed = ContextVar[typer.Context | None]("typed", default=None)


def note(ctx: typer.Context, value: Any) -> Any:
    """Remember the command that was typed: the callback of the options that name places."""
    _typed.set(ctx)
    return value


def command(*words: str, also: Sequence[str] = ()) -> str:
    """A command to type, quoted for a shell.

    What the environment names is left out, as it names it to the next command too.

    Args:
        *words: of the command, without ``vdbench``.
        also: parameters beside :data:`KEPT` that the command shares with the one that was typed.
    """
    said, typed = list(words), _typed.get()
    options = {} if typed is None else _options(typed.find_root().command, words)
    for name in (*also, *KEPT):
        option, value = options.get(name), None if typed is None else typed.params.get(name)
        if typed is None or option is None or not value:
            continue
        if option in said and TO_FILL_IN in said[said.index(option) :][:2]:
            del said[said.index(option) : said.index(option) + 2]
        source = typed.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and option not in said:
            values = value if isinstance(value, list | tuple) else [value]
            said += [word for one in values for word in ([option] if one is True else [option, str(one)])]
    return shlex.join(["vdbench", *said])


def _options(group: Any, words: Sequence[str]) -> dict[str, str]:
    """The options that a command takes, by the names of their parameters."""
    for word in words:
        group = getattr(group, "commands", {}).get(word, group)
    return {parameter.name: parameter.opts[0] for parameter in group.params}
