"""Asking a run to end: SIGTERM to the driver becomes a file in the home, which workers look for between two steps.

A file reaches workers in other processes and, on a shared file system, on other machines.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StopRequest:
    """Whether a run was asked to end.

    Args:
        home: of the run.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / ".stop"

    @property
    def made(self) -> bool:
        """Whether it was."""
        return self._file.exists()

    def raise_if_made(self) -> None:
        """End what is going on, if it was.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.made:
            raise KeyboardInterrupt("the run was asked to end")

    @contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """Make the request when this process is sent SIGTERM while the block runs; it is withdrawn at the end."""
        self._file.unlink(missing_ok=True)
        ours = threading.current_thread() is threading.main_thread()  # no other thread may set a handler
        before = signal.signal(signal.SIGTERM, lambda *_: self._file.touch()) if ours else None
        try:
            yield
        finally:
            if ours:
                signal.signal(signal.SIGTERM, before)
            self._file.unlink(missing_ok=True)
