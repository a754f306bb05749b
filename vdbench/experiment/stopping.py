"""Asking a run to end: a signal to the driver becomes a file in the home, which workers look for between two steps.

A file reaches workers in other processes and, on a shared file system, on other machines. Work that does not look for
it in time is interrupted, and where that does not help either, the process is ended.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

GRACE = 9.0
"""Seconds that work has to keep its state and to end by itself; then it is interrupted wherever it is."""
END = 17.0
"""Seconds after which the process is ended, whatever it does."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether a run was asked to end.

    Args:
        home: of the run.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / ".stop"
        self._over = threading.Event()

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
    def on_sigterm(
        self, asked: Callable[[], None] | None = None, give_up: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Make the request when this process is sent SIGTERM, or Ctrl-C is typed, while the block runs.

        The request is withdrawn at the end of the block. A second signal interrupts the block at once, as
        :data:`GRACE` seconds do.

        Args:
            asked: told of the request, in a thread of its own.
            give_up: called, in that thread, after :data:`END` seconds, to end the process; also where the block has
                ended by then, but not what comes after it.
        """
        self._file.unlink(missing_ok=True)
        self._over.clear()
        ours = threading.current_thread() is threading.main_thread()  # no other thread may set a handler

        def handle(number: int, frame: FrameType | None) -> None:
            if self.made:
                raise KeyboardInterrupt("the run was asked to end")
            self._file.touch()
            threading.Thread(target=self._watch, args=(asked, give_up), daemon=True).start()

        before = {number: signal.signal(number, handle) for number in SIGNALS} if ours else {}
        try:
            yield
        finally:
            self._over.set()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._file.unlink(missing_ok=True)

    def _watch(self, asked: Callable[[], None] | None, give_up: Callable[[], None] | None) -> None:
        """Say what was asked, and see to it that it is done in time."""
        end = time.monotonic() + END
        if asked is not None:
            asked()
        if not self._over.wait(GRACE):
            os.kill(
                os.getpid(), signal.SIGINT
            )  # Python's own way into the main thread; Ray takes SIGTERM away at its end
        if give_up is not None:
            time.sleep(max(0.0, end - time.monotonic()))
            give_up()
