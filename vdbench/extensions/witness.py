"""Telling what was imported when an import ended its process at once, as a signal or a crash of a library does."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TELLING = "import sys; sys.stdin.buffer.read(1) or print(sys.argv[1], file=sys.stderr)"
"""The program of the witness: it says its sentence when its input ends without a word."""


@contextmanager
def witnessed(sentence: str) -> Iterator[None]:
    """Have a sentence written to the standard error where this process does not live to leave the block.

    Args:
        sentence: what another process, which starts within milliseconds, says then.
    """
    command = [sys.executable, "-I", "-S", "-c", TELLING, sentence]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as witness:
        try:
            yield
        finally:
            witness.communicate(b".")  # a broken pipe is no fault: then there is nobody to tell
