"""What becomes of memory that was freed: kept for the next training step, given back between stretches of work.

Every training step allocates and frees the same few large tensors. By default glibc returns many of them to the system
at once, which hands the memory out again page by page, zeroed: 3 to 20 thousand page faults in a step of a small
network, a tenth to a third of its time. Values are the same either way.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

KEPT_TENSOR = 1 << 25
"""Bytes from which on a tensor is returned as soon as it is freed: the heap would come to have holes of such sizes."""
KEPT = 1 << 29
"""Bytes that may lie free at the end of the heap before they are returned."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3), as glibc's malloc.h numbers them."""


def keep_freed_memory() -> None:
    """Let this process reuse what it frees. Does nothing where the C library is not glibc."""
    if (libc := _glibc()) is not None:
        libc.mallopt(M_MMAP_THRESHOLD, KEPT_TENSOR)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)


def return_freed_memory() -> None:
    """Return to the system what is free now. Does nothing where the C library is not glibc."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
