"""Signs that a method which learns its clips did not learn them well, each by a rule that looks at no test clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.records import HealthMark

Curves = Mapping[str, Sequence[tuple[int, float]]]

SATURATED = 0.25
"""Share of pixel values beyond black and white from which clips count as saturated."""
UNCHANGED = 0.01
"""Change of the clips, in standard deviations of the train split, below which they count as those of the start."""
FALLING = 0.02
"""Share by which the last quarter of the losses lies below the one before, from which the loss counts as falling."""
NEAR = 1e-3
"""Share by which a step size may lie above its bound and still count as on it."""


def health(
    distilled: DistilledSet,
    curves: Curves,
    start: ClipSet | None,
    standstill: float | None = None,
    least_step_size: float | None = None,
) -> tuple[HealthMark, ...]:
    """The marks of a learned set, in the order of :data:`vdbench.records.HealthMark`.

    Args:
        distilled: as its method returned it.
        curves: what the method reported: ``loss`` by step, and whatever else.
        start: the clips that it may have begun with, in the order of the classes.
        standstill: the loss of a method that gains nothing, if it is known.
        least_step_size: the bound of a learned step size, if it has one.
    """
    losses = [value for _, value in curves.get("loss", ())]
    step_size, least = distilled.record.step_size, least_step_size
    on_bound = step_size is not None and least is not None and step_size <= least * (1 + NEAR)
    quarter = _tail(losses)
    clips = distilled.render()[0]
    found: dict[HealthMark, bool] = {
        "astray": standstill is not None and bool(quarter) and _mean(quarter) >= standstill,
        "bound": on_bound,
        "saturated": _outside(clips, distilled) > SATURATED,
        "unchanged": start is not None and _unchanged(clips, start),
        "unfinished": bool(quarter) and _falling(losses, len(quarter)),
    }
    return tuple(mark for mark, there in found.items() if there)


def _tail(losses: Sequence[float]) -> Sequence[float]:
    """The last quarter; nothing of too short a curve."""
    return losses[-(len(losses) // 4) :] if len(losses) >= 8 else ()


def _falling(losses: Sequence[float], size: int) -> bool:
    before, last = losses[-2 * size : -size], losses[-size:]
    return _mean(before) - _mean(last) > FALLING * abs(_mean(before))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _outside(clips: torch.Tensor, distilled: DistilledSet) -> float:
    """Share of pixel values of normalised clips that are blacker than black or whiter than white."""
    import torch

    mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in distilled.record.normalisation)
    pixels = clips * std + mean
    beyond = 0.5 / 255
    return float(((pixels < -beyond) | (pixels > 1 + beyond)).float().mean())


def _unchanged(clips: torch.Tensor, start: ClipSet) -> bool:
    import torch

    if len(clips) != len(start):
        return False
    begun = start.render(torch.arange(len(start)))[0]
    return float((clips - begun).square().mean().sqrt()) < UNCHANGED
