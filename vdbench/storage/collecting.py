"""Python's garbage collector, kept from looking through what is being made and stays."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing within the block, or the function, which makes many records that stay.

    The collector looks through all records that are there whenever so many more were made, and finds nothing: that
    takes longer than making them.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
