"""Clips and weights by formula, on which the public code of the field was run once; its answers stand in tests."""

import math

import torch

from vdbench.students.minic3d import MiniC3D


def wave(clips: int, frames: int, size: int, phase: float = 0.0) -> torch.Tensor:
    """Clips as networks take them, float64 ``(N, 3, T, H, W)``."""
    n, c, t, y, x = torch.meshgrid(
        *(torch.arange(length, dtype=torch.float64) for length in (clips, 3, frames, size, size)), indexing="ij"
    )
    return torch.sin(0.4 + 1.9 * n + 0.7 * t + 1.1 * c + 0.23 * y + 0.31 * x + 0.05 * n * x + phase)


def flattened(clips: torch.Tensor) -> torch.Tensor:
    """Clips ``(N, 3, T, H, W)`` as rows in the order of frame, channel, row and column."""
    return clips.transpose(1, 2).flatten(1)


def sequence(count: int) -> torch.Tensor:
    """0, 1, 2, ... in double precision."""
    return torch.arange(count, dtype=torch.float64)


def minic3d() -> MiniC3D:
    """A MiniC3D of three classes for 8 frames of 64 pixels, in double precision, with weights by formula."""
    network = MiniC3D(3, 8, 64, 64).double()
    for number, weights in enumerate(network.parameters()):
        i = torch.arange(weights.numel())
        shares = (((i + 1) * (i + 17) * 7919 + 31 * number) % 100003).double() / 100003
        fan = math.prod(weights.shape[1:]) if weights.ndim > 1 else 2500
        weights.data = ((2 * shares - 1) / math.sqrt(fan)).view(weights.shape)
    return network
