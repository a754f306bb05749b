"""Wall-clock seconds and peak memory of a stretch of work."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench.storage.allocation import return_freed_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


CODE = 1
"""Recorded beside every timing, and raised when the same work takes another time: tables mix no two of these."""


@dataclass
class Cost:
    """What a stretch of work cost.

    Attributes:
        seconds: wall-clock time.
        peak_memory: bytes: allocated on the GPU by this process, or resident in memory on a CPU; 0 where unknown.
    """

    seconds: float = 0.0
    peak_memory: int = 0


@contextmanager
def measured(device: torch.device) -> Iterator[Cost]:
    """Measure the block; the values stand in the yielded cost when it ends. Blocks must not be nested."""
    cost = Cost()
    cuda = device.type == "cuda"
    if cuda:
        import torch

        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    else:
        return_freed_memory()  # what was freed before the block is not its own
        _reset_resident_peak()
    started = time.perf_counter()
    try:
        yield cost
    finally:
        if cuda:
            torch.cuda.synchronize(device)
            cost.peak_memory = torch.cuda.max_memory_allocated(device)
        else:
            cost.peak_memory = _resident_peak()
        cost.seconds = time.perf_counter() - started


def _reset_resident_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # no Linux, or not allowed: the peak since the process started is all there is
        return


def _resident_peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) * 1024
