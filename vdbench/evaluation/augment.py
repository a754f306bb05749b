"""Augmentation: training clips cropped, mirrored and shifted in time at random, anew at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from vdbench.clips.clipset import sent
from vdbench.records import Record

if TYPE_CHECKING:
    import torch


class Augmentation(Record):
    """How training clips are varied. All frames of a clip are varied alike, so that motion stays what it is.

    Attributes:
        mirror: whether every other clip, at random, is mirrored left to right; only where that keeps its class.
        crop: farthest shift of the frame in either direction, as a share of its side; what enters repeats the edge.
        jitter: farthest shift in time, in frames; what enters repeats the first or the last frame.
    """

    mirror: bool = True
    crop: float = Field(default=0.125, ge=0, lt=1)
    jitter: int = Field(default=1, ge=0)


def augmented(clips: torch.Tensor, how: Augmentation, chance: torch.Generator) -> torch.Tensor:
    """Vary clips, each in its own way.

    Args:
        clips: ``(N, 3, T, H, W)``, on any device; left as they are.
        how: what may be done to them.
        chance: on the CPU, so that every device sees the same clips.

    Returns:
        Clips of the same shape, type and device.
    """
    import torch

    count, _, frames, height, width = clips.shape

    def places(length: int, farthest: int) -> torch.Tensor:
        """For each clip, where along an axis its values are read: ``(N, length)``."""
        shift = torch.randint(-farthest, farthest + 1, (count, 1), generator=chance)
        return (torch.arange(length) + shift).clamp(0, length - 1)

    times = places(frames, how.jitter)
    rows, columns = (places(side, round(how.crop * side)) for side in (height, width))
    turned = torch.rand((count, 1), generator=chance) < 0.5
    if how.mirror:
        columns = torch.where(turned, columns.flip(1), columns)
    which = torch.arange(count, device=clips.device).view(-1, 1, 1, 1)
    times, rows, columns = (sent(axis, clips.device) for axis in (times, rows, columns))
    varied = clips.permute(0, 2, 3, 4, 1)[
        which, times[:, :, None, None], rows[:, None, :, None], columns[:, None, None]
    ]
    return varied.permute(0, 4, 1, 2, 3)  # channels last in memory, as networks read clips
