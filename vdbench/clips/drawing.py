"""Drawing clips of a class: how many can be asked for, and in which order chance takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.errors import UsageError
from vdbench.seeding import generator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet


def checked_ipc(ipc: int | None, clips: ClipSet, source: str) -> int:
    """An IPC that every class can give.

    Args:
        ipc: that was asked for, if one was.
        clips: to choose from.
        source: where they are from, for people.

    Raises:
        UsageError: there is no IPC, or it is not in 1..n, where n are the clips of the smallest class.
    """
    if ipc is None or ipc < 1:
        raise UsageError(f"the IPC has to be at least 1, not {ipc}; give one with --ipc")
    counts = clips.counts()
    smallest = int(counts.argmin())
    if ipc > counts[smallest]:
        raise UsageError(
            f"IPC {ipc} is more than {source} has: class '{clips.classes[smallest]}' has {counts[smallest]} clips to "
            f"choose from; ask for --ipc {counts[smallest]} or less"
        )
    return ipc


def random_rows(clips: ClipSet, label: int, seed: int) -> NDArray[np.int64]:
    """The rows of a class in the order of chance; the first k are what the method ``random`` keeps at IPC k.

    Args:
        clips: to draw from.
        label: of the class.
        seed: of the trial.
    """
    rows = clips.rows_of(label)
    return rows[generator(seed, clips.classes[label]).permutation(len(rows))]
