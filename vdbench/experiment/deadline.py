"""A time limit for work that may never look at the time itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 10.0
"""Seconds beyond a time limit that a trial has to notice it at a report, and to keep its state."""


@contextmanager
def deadline(seconds: float | None, give_up: Callable[[], None]) -> Iterator[None]:
    """Call ``give_up``, in a thread of its own, if the block goes on for longer; None never does."""
    over = threading.Event()

    def watch() -> None:
        if not over.wait(seconds):
            give_up()

    if seconds is not None:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
