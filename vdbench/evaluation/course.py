"""The course of a training: a student tested on its way, after given shares of its steps."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from vdbench.records import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch


def steps_at(shares: Iterable[float], total: int) -> list[int]:
    """The steps, counted from 1, after which these shares of ``total`` steps are taken; rounded up, each once."""
    return sorted({max(1, math.ceil(round(share * total, 9))) for share in shares})


class Course:
    """Tests a student after certain steps. The clock stands still while it does, from the making of this on.

    Args:
        steps: after which it is tested, counted from 1.
        test: gives its top-1 now, and leaves it as it was.
        device: that it is trained on.
    """

    def __init__(self, steps: Iterable[int], test: Callable[[], float], device: torch.device) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.seconds = 0.0
        """Spent on tests."""
        self._steps, self._test, self._device = frozenset(steps), test, device
        self._begun = time.perf_counter()

    def after(self, step: int, clips: int) -> None:
        """Test the student, if it is time after so many steps and clips shown."""
        if step not in self._steps:
            return
        reached = self._now()
        top1 = self._test()
        trained = reached - self._begun - self.seconds
        self.seconds += self._now() - reached
        self.checkpoints.append(Checkpoint(step=step, clips=clips, seconds=trained, top1=top1))

    def _now(self) -> float:
        import torch

        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
