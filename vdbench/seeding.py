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


class Chance:
    """torch's generators by a seed, as :func:`seeded` has them, that go on where they stopped, whoever drew meanwhile.

    Args:
        seed: not negative.
        device: a GPU whose generator is seeded beside the processor's.
    """

    def __init__(self, seed: int, device: torch.device | None = None) -> None:
        self._gpus = [device] if device is not None and device.type == "cuda" else []
        with seeded(seed, device):
            self._states = self._now()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Draw by the seed inside the block; the process's own generators are as before after it."""
        import torch

        own, *others = self._states
        with torch.random.fork_rng(devices=self._gpus):
            torch.set_rng_state(own)
            for gpu, state in zip(self._gpus, others, strict=True):
                torch.cuda.set_rng_state(state, gpu)
            yield
            self._states = self._now()

    def _now(self) -> list[torch.Tensor]:
        import torch

        return [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in self._gpus)]
