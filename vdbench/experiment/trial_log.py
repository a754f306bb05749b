"""What happened in a trial, for people: a file per trial with its stages, warnings and the traceback that ended it."""

from __future__ import annotations

import faulthandler
import os
import platform
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from vdbench.storage.amounts import human_seconds
from vdbench.version import installed

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 1 << 20
"""Bytes that a log takes at most; one that is half full is begun anew by the next attempt."""
FOR_WARNINGS = LIMIT * 3 // 4
"""Bytes from which on no warning is added, so that there is room for what ended the trial."""
LINE = 20_000
"""Characters of one entry at most; of longer ones the middle is left out."""
ATTEMPT = "== "
"""What the first line of every attempt begins with."""
CRASH = "Fatal Python error"
"""What Python writes when a process crashes."""


class TrialLog:
    """The log of one trial, which may be tried several times. That it cannot be written ends no trial.

    Args:
        path: the file; later attempts stand below earlier ones.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def attempt(self, title: str) -> Iterator[None]:
        """Log what the block warns of, beside showing it, and what ends it.

        Args:
            title: the trial in words.
        """
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > LIMIT // 2:
                os.truncate(self._path, 0)  # for whoever has it open, too
        self._write(f"{ATTEMPT}{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, vdbench {installed()}, {platform.node()}")
        self(title)
        shown = warnings.showwarning

        def show(message: Any, category: type[Warning], filename: str, *rest: Any, **named: Any) -> None:
            where = f"{filename}:{rest[0] if rest else named.get('lineno')}"
            self(f"{category.__name__}: {message} ({where})", most=FOR_WARNINGS)
            shown(message, category, filename, *rest, **named)

        warnings.showwarning = show
        try:
            yield
        except BaseException as error:
            self("".join(traceback.format_exception(error)).rstrip())
            raise
        finally:
            if warnings.showwarning is show:
                warnings.showwarning = shown

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Log when the block begins, and how long it took."""
        self(f"{name} begins")
        started, how = time.monotonic(), "broke off"
        try:
            yield
            how = "done"
        finally:
            self(f"{name} {how} after {human_seconds(time.monotonic() - started)}")

    @contextmanager
    def crashes(self) -> Iterator[None]:
        """Log where the process is, if it crashes in the block; for processes that do nothing but trials."""
        file: TextIO | None = None
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a", encoding="utf-8")
            faulthandler.enable(file, all_threads=False)
        try:
            yield
        finally:
            if file is not None:
                faulthandler.enable(sys.__stderr__ or 2, all_threads=False)
                file.close()

    def __call__(self, entry: str, most: int = LIMIT) -> None:
        """Add an entry, at the time that it is, unless the log would be larger than ``most`` bytes."""
        self._write(f"{datetime.now(UTC):%H:%M:%S} {entry}", most)

    def _write(self, text: str, most: int = LIMIT) -> None:
        if len(text) > LINE:
            text = f"{text[: LINE // 2]}\n[...]\n{text[-LINE // 2 :]}"
        line = f"{text}\n".encode("utf-8", "backslashreplace")
        with suppress(OSError), self._path.open("ab") as file:
            if file.tell() + len(line) <= most:
                file.write(line)


def crashed(path: Path) -> str:
    """What the log says of a crash that ended its last attempt; nothing where it says of none."""
    try:
        last = path.read_text(encoding="utf-8", errors="replace").rpartition(ATTEMPT)[2]
    except OSError:
        return ""
    return "".join(last.partition(CRASH)[1:])
