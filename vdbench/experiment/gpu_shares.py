"""How much of a GPU a trial occupies: by the memory that trials like it took, and until then as its method declares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vdbench.experiment.past import trial_likeness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdbench.experiment.result import Result

CONTEXT = 1 << 30
"""Bytes that a process takes on a GPU beside its tensors: CUDA's context, and the kernels that are loaded."""
MARGIN = 1.25
"""Of the peak of the tensors, for what the allocator keeps between them."""
STEPS = 20
"""Shares are multiples of one twentieth, so that Ray's sums of them come out even."""


def shares_learned(results: Iterable[Result]) -> dict[str, float]:
    """Shares of a GPU by likeness of trials, from all that ran on one; the whole card where the memory ran out.

    Of several trials that are alike, such as those of other seeds, the one that took most counts.
    """
    found: dict[str, float] = {}
    for result in results:
        share = _share(result)
        if share is not None:
            key = trial_likeness(result)
            found[key] = max(share, found.get(key, 0.0))
    return found


def _share(result: Result) -> float | None:
    """What a trial's like should have; None where nothing was measured."""
    card = result.environment.gpu_memory
    if card is None:
        return None
    if result.failure is not None:
        return 1.0 if result.failure.kind == "oom" else None
    peak = max((stage.peak_memory for stage in result.stages.values()), default=0)
    if not peak or result.judged_as is not None:
        return None
    return min(1.0, math.ceil(STEPS * (MARGIN * peak + CONTEXT) / card) / STEPS)
