"""The time left of a run: what was expected of what is left, corrected by how what is done went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdbench.experiment.estimate import Estimate

TRUST = 0.2
"""Share of the run that the estimate alone weighs as much as."""


SURE = 0.9
"""Share of a trial's evaluation that counts as done when the time expected of it is over, but it is not."""


class Remaining:
    """How far a run is.

    Args:
        estimate: of the run, made before it; without one, no time is told.
        clock: seconds, from wherever.
    """

    def __init__(self, estimate: Estimate | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._whole, self._trials, shared = (
            (estimate.seconds, estimate.trials, estimate.shared) if estimate is not None else (0.0, {}, ())
        )
        self._counts = {some.what: some.count for some in shared}
        self._expected = {some.what: some.seconds for some in shared}
        self._expected |= {trial: time.distill + time.rest for trial, time in self._trials.items()}
        self._done = dict.fromkeys(self._expected, 0.0)
        self._built = dict.fromkeys(self._counts, 0)
        self._judging: dict[str, float] = {}

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        """Shared work of this kind is at a step of ``metrics['of']``."""
        if what in self._counts:
            self._done[what] = min(1.0, (self._built[what] + _share(step, metrics)) / self._counts[what])

    def built(self, what: str) -> None:
        """One piece of this kind is there."""
        if what in self._counts:
            self._built[what] += 1
            self._done[what] = min(1.0, self._built[what] / self._counts[what])

    def progressed(self, trial: str, step: int, metrics: dict[str, Any]) -> None:
        """A trial is at a step of ``metrics['of']`` of its present stage."""
        expected, stage = self._trials.get(trial), metrics.get("stage")
        if expected is None or stage not in ("distill", "evaluate") or not expected.distill + expected.rest:
            return
        if stage == "distill":
            done = _share(step, metrics) * expected.distill
        else:  # how many networks there are is not told; they are taken to be as fast as expected
            spent = self._clock() - self._judging.setdefault(trial, self._clock())
            done = expected.distill + min(spent, SURE * expected.rest)
        self._done[trial] = done / (expected.distill + expected.rest)

    def ended(self, trial: str) -> None:
        """A trial has a result, and what it needed is there."""
        self._done[trial] = 1.0

    def all_built(self) -> None:
        """Shared work is over, whatever became of it."""
        for what in self._counts:
            self._done[what] = 1.0

    def seconds(self) -> float:
        """The time left; 0 where nothing was expected or nothing is left."""
        total = sum(self._expected.values())
        if not total:
            return 0.0
        share = sum(self._expected[name] * done for name, done in self._done.items() if name in self._expected) / total
        spent, trust = self._clock() - self._started, TRUST * self._whole
        slower = (spent + trust) / (share * self._whole + trust)
        return (1 - share) * self._whole * slower


def _share(step: int, metrics: dict[str, Any]) -> float:
    total = metrics.get("of")
    return min(1.0, step / total) if isinstance(total, int) and total else 0.0
