"""When steps on a device were done, from inside the work that takes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch


class EnoughError(Exception):
    """The work was timed for as long as it should be, and need not be finished."""


class Mark(NamedTuple):
    """A moment at which everything so far was done."""

    seconds: float
    steps: int
    clips: int


class Marks:
    """Called after each step, by ``train_student`` as ``after_step``; every so many steps it waits for the device.

    What comes before the first mark is not measured: uploads, and what a first step sets up.

    Args:
        device: that is waited for.
        every: steps between two marks; a wait after each would show in short steps.
        most: seconds after the first mark when enough was measured; :class:`EnoughError` is raised at the next.
        clock: tells seconds.
    """

    def __init__(
        self,
        device: torch.device,
        every: int = 1,
        most: float = float("inf"),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.taken: list[Mark] = []
        self._device, self._every, self._most, self._clock = device, every, most, clock

    def __call__(self, step: int, clips: int = 0) -> None:
        """Note that so many steps are taken, on so many clips in all."""
        if step % self._every:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.taken.append(Mark(self._clock(), step, clips))
        if self.taken[-1].seconds - self.taken[0].seconds >= self._most and len(self.taken) > 1:
            raise EnoughError

    @property
    def whole(self) -> Mark:
        """What lies between the first mark and the last.

        Raises:
            ValueError: there are less than two.
        """
        if len(self.taken) < 2:
            raise ValueError(f"{len(self.taken)} marks, of which two are needed")
        (began, first, before), (ended, last, after) = self.taken[0], self.taken[-1]
        return Mark(ended - began, last - first, after - before)
