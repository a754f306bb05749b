"""Differentiable siamese augmentation: one random change, the same for real and learned clips, with a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch

    Change = Callable[[torch.Tensor], torch.Tensor]

SCALE, DEGREES, SHIFT, HOLE = 1.2, 15.0, 0.125, 0.5
"""Farthest zoom and turn; farthest shift and side of the hole as shares of the frame."""
BRIGHTNESS, SATURATION, CONTRAST = 1.0, 2.0, 0.5
"""Width of the range of each change of colour."""


def drawn(rng: np.random.Generator) -> Change:
    """Draw a change of clips ``(N, 3, T, H, W)``: all clips and frames that it is given change alike.

    One of the published five, with the published ranges: colour, shift, hole, zoom, turn. Mirroring, which is the
    sixth, is left out: it may turn the motion of one class into that of another.
    """
    kind, first, second, third = int(rng.integers(5)), *rng.random(3)
    if kind == 0:
        return lambda clips: _coloured(clips, BRIGHTNESS * (first - 0.5), SATURATION * second, CONTRAST + third)
    if kind == 1:
        return lambda clips: _shifted(clips, 2 * first - 1, 2 * second - 1)
    if kind == 2:
        return lambda clips: _with_hole(clips, first, second)
    if kind == 3:
        wide, high = (SCALE ** (2 * chance - 1) for chance in (first, second))
        return lambda clips: _moved(clips, ((wide, 0.0), (0.0, high)))
    return lambda clips: _turned(clips, (2 * first - 1) * DEGREES)


def _coloured(clips: torch.Tensor, brighter: float, saturation: float, contrast: float) -> torch.Tensor:
    clips = clips + brighter
    grey = clips.mean(dim=1, keepdim=True)
    clips = (clips - grey) * saturation + grey
    level = clips.mean(dim=(1, 2, 3, 4), keepdim=True)
    return (clips - level) * contrast + level


def _shifted(clips: torch.Tensor, down: float, right: float) -> torch.Tensor:
    """What enters is zero, the mean of normalised clips."""
    import torch

    height, width = clips.shape[-2:]
    farthest = round(SHIFT * height)
    y, x = farthest + round(down * farthest), farthest + round(right * farthest)
    return torch.nn.functional.pad(clips, [farthest] * 4)[..., y : y + height, x : x + width]


def _with_hole(clips: torch.Tensor, down: float, right: float) -> torch.Tensor:
    import torch

    height, width = clips.shape[-2:]
    side = round(HOLE * height)
    top, left = round(down * height) - side // 2, round(right * width) - side // 2
    mask = torch.ones(height, width, dtype=clips.dtype, device=clips.device)
    mask[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = 0
    return clips * mask


def _turned(clips: torch.Tensor, degrees: float) -> torch.Tensor:
    import math

    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _moved(clips, ((cos, -sin), (sin, cos)))


def _moved(clips: torch.Tensor, matrix: tuple[tuple[float, float], tuple[float, float]]) -> torch.Tensor:
    """Every frame read at linearly transformed places."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    frames = clips.transpose(1, 2).flatten(0, 1)
    rows = torch.tensor([[*row, 0.0] for row in matrix], dtype=clips.dtype, device=clips.device)
    grid = affine_grid(rows.expand(len(frames), 2, 3), list(frames.shape), align_corners=False)
    moved = grid_sample(frames, grid, align_corners=False)
    return moved.view(clips.transpose(1, 2).shape).transpose(1, 2)
