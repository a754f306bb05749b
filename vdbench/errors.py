"""Errors that a user can cause, each one sentence that says what was wrong, where, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Literal

FailureKind = Literal["oom", "timeout", "diverged", "data", "dependency", "bug", "interrupted"]
"""Every way in which a trial can fail; the record of a failed trial names one of them."""


class VdbenchError(Exception):
    """Base of the errors that are shown as one sentence instead of a traceback.

    Args:
        sentence: what was wrong, where, and what to do.
        command: words of a command of vdbench that helps, without ``vdbench``. It ends the sentence; the command line
            adds the places that its user typed, such as ``--home``.

    Attributes:
        sentence: without the command.
        command: its words; empty for none.
        exit_code: what the command line exits with when this error ends it.
        kind: the failure kind that is recorded when this error ends a trial.
    """

    exit_code: int = 1
    kind: FailureKind = "bug"

    def __init__(self, sentence: str = "", command: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.command = tuple(command)

    def __str__(self) -> str:
        return f"{self.sentence} {shlex.join(['vdbench', *self.command])}" if self.command else self.sentence


class UsageError(VdbenchError):
    """The command or a setting is wrong: an unknown name, a value out of range."""

    exit_code = 2
    kind: FailureKind = "data"


class DataError(VdbenchError):
    """A file or a data set is missing, malformed or too small, or a disk is full."""

    exit_code = 3
    kind: FailureKind = "data"


class LaterError(DataError):
    """A later version of vdbench wrote a file: it is neither moved, nor written over, nor made again.

    Args:
        path: the file.
        version: the schema that it says it is of.
        known: the latest schema that this version reads.
        writer: the version of vdbench that wrote it; empty where the file does not say.
    """

    def __init__(self, path: object, version: int, known: int, writer: str = "") -> None:
        by = f"vdbench {writer}, a later version" if writer else "a later version of vdbench"
        super().__init__(
            f"{path} was written by {by}: its schema is {version}, and this version reads {known} at most; upgrade "
            "vdbench, or use another --home; the file was left as it is"
        )


class DependencyError(VdbenchError):
    """A library or a plugin that the work needs cannot be imported."""

    exit_code = 3
    kind: FailureKind = "dependency"


class DivergedError(VdbenchError):
    """A loss is no longer finite.

    Args:
        what: what was trained, as a reader of the record would call it.
        step: the step at which the loss stopped being finite.
    """

    kind: FailureKind = "diverged"

    def __init__(self, what: str, step: int) -> None:
        super().__init__(f"the loss of {what} is not finite at step {step}; lower its learning rate")
        self.step = step


def nearest(name: str, known: list[str]) -> str:
    """A clause that helps after an unknown name: the nearest known names, and what exists.

    Args:
        name: what was typed.
        known: every name that would have been right.

    Returns:
        For example ``did you mean 'herding'? there are: full, herding, random``.
    """
    import difflib

    close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = "did you mean " + " or ".join(f"'{c}'" for c in close) + "? " if close else ""
    return f"{hint}there are: {', '.join(sorted(known)) or 'none'}"
