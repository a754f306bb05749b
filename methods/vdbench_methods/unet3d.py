"""The network of vst-unet: a small 3D U-Net over the features of one clip."""

from __future__ import annotations

import torch
from torch import nn

Shape = tuple[int, int, int]
"""Of frames, height and width."""
GROUPS = 4
"""Of channels that are normalised together."""


class UNet3d(nn.Module):
    """Down and up again over space and time, with skip connections, to one logit per clip.

    An axis is halved at a level only while it is longer than 1, so that any number of frames and any grid will do.
    All its operations have deterministic gradients.

    Args:
        channels: of the features, C.
        shape: frames, height and width of the features.
        width: channels at full resolution, a multiple of 4; twice as many one level down, four times as many two.
    """

    def __init__(self, channels: int, shape: Shape, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv3d(channels, width, 1)
        self.fine = _block(width, width)
        first, second = _steps(shape, 1), _steps(shape, 2)
        self.down1, self.down2 = _down(width, first), _down(2 * width, second)
        self.middle = _block(2 * width, 2 * width)
        self.bottom = _block(4 * width, 4 * width)
        self.up2, self.up1 = _up(4 * width, second), _up(2 * width, first)
        self.merge2, self.merge1 = _block(4 * width, 2 * width), _block(2 * width, width)
        self.head = nn.Linear(width, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Logits ``(n,)`` of the features of clips, float32 ``(n, C, T, g, g)``."""
        fine = self.fine(self.stem(maps))
        middle = self.middle(self.down1(fine))
        bottom = self.bottom(self.down2(middle))
        middle = self.merge2(torch.cat([middle, _cropped(self.up2(bottom), middle)], dim=1))
        fine = self.merge1(torch.cat([fine, _cropped(self.up1(middle), fine)], dim=1))
        logits: torch.Tensor = self.head(fine.mean(dim=(2, 3, 4)))[:, 0]
        return logits


def _steps(shape: Shape, longer: int) -> Shape:
    """2 for every axis that is longer than so much, 1 for the others."""
    t, h, w = (2 if length > longer else 1 for length in shape)
    return t, h, w


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, padding=1, bias=False), nn.GroupNorm(GROUPS, outputs), nn.ReLU(inplace=True)
    )


def _down(channels: int, step: Shape) -> nn.Conv3d:
    """Halve the axes whose step is 2, rounding up."""
    t, h, w = step
    return nn.Conv3d(channels, 2 * channels, (2 * t - 1, 2 * h - 1, 2 * w - 1), step, (t - 1, h - 1, w - 1))


def _up(channels: int, step: Shape) -> nn.ConvTranspose3d:
    return nn.ConvTranspose3d(channels, channels // 2, step, step)


def _cropped(maps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Without the last row of axes whose length was odd before they were halved."""
    return maps[..., : like.shape[2], : like.shape[3], : like.shape[4]]
