"""Budgets of bytes: how they are typed, and how many clips per class they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from vdbench.errors import UsageError
from vdbench.storage.amounts import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet

SAMPLED_CLIPS = 64
"""Train clips that a codec is tried on to learn what it takes for one."""
LARGEST = 2**53
"""Bytes of a budget at most, which a result still holds exactly."""


def parse_bytes(text: str) -> int:
    """``bytes=256KiB``, ``1.5MiB`` or ``4096`` as a number of bytes.

    Raises:
        UsageError: it is none of these.
    """
    found = re.fullmatch(r"(?:bytes=)?(\d+(?:\.\d+)?)\s*([KMG]iB|B)?", text.strip())
    count = float(found[1]) * UNITS[found[2] or "B"] if found else 0.0
    if not 0.5 < count <= LARGEST:
        raise UsageError(f"--budget {text} is no number of bytes; type one such as bytes=256KiB or bytes=1MiB")
    return round(count)


def sample(train: ClipSet) -> NDArray[np.uint8]:
    """Clips spread evenly over a train split, uint8 ``(n, T, H, W, 3)``."""
    rows = np.unique(np.linspace(0, len(train) - 1, SAMPLED_CLIPS).round().astype(int))
    return np.asarray(train.clips[rows])


def largest_fitting(stored: Callable[[int], float], most: int, allowed: int) -> int:
    """The largest IPC up to ``most`` that stores no more than so many bytes.

    Args:
        stored: bytes that an IPC takes; settings may differ from IPC to IPC, so that more clips may take less.
        most: the largest IPC that can be asked for.
        allowed: bytes; at least what IPC 1 takes.
    """
    return max((ipc for ipc in range(2, most + 1) if stored(ipc) <= allowed), default=1)
