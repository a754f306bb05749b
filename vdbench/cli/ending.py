"""Ending early, in words: what is said when the user asks for it, and the last resort."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from vdbench.cli.output import err

INTERRUPTED = 130
GO_ON = "interrupted; type the same command again to go on"


class _Commands:
    """How many commands of this process have ended."""

    ended = 0


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, so that what it holds is let go and it says that it was interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        _Commands.ended += 1
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def say_asked() -> None:
    """Say that the request was heard."""
    from vdbench.experiment.stopping import END

    err.print(f"asked to stop: what runs keeps its state and ends, within {END:.0f} s; ask again to end at once")


def leaving() -> Callable[[], None]:
    """What ends this process, whatever it is doing, as long as the present command has not ended by itself."""
    ours = _Commands.ended

    def leave() -> None:
        if _Commands.ended != ours:
            return
        err.show_cursor()
        err.print(GO_ON)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)

    return leave
