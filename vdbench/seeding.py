"""Random draws by a seed that leave the process's own generators as they were."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """The chance of one purpose: the same for the same seed and purpose, whatever else was drawn.

    Args:
        seed: of a trial.
        purpose: what the draws are for, such as a class's name, or a method's name and the number of its iteration.
    """
    return np.random.default_rng([seed, *(crc32(p.encode()) if isinstance(p, str) else p for p in purpose)])


def seed_of(rng: np.random.Generator) -> int:
    """Draw a seed for :func:`seeded`, or for initial weights."""
    return int(rng.integers(2**62))


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed torch's generators inside the block, and put their state back after it.

    Initial weights and dropout draw from torch's global generators; inside this block they draw by ``seed``.

    Args:
        seed: not negative.
        device: a GPU whose generator is seeded beside the processor's.
    """
    import torch

    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
