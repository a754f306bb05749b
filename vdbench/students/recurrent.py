"""CNN+GRU and CNN+LSTM: the field's cross-architecture students, a 2D network per frame and one recurrent layer."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from vdbench.errors import UsageError
from vdbench.students.student import Student

CROP = 64
"""Larger frames are cropped to this many pixels, around their centre."""


def frame_backbone(width: int) -> nn.Sequential:
    """Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2], from images ``(n, 3, H, W)`` to ``(n, width, H/8, W/8)``.

    Beside being what the recurrent students see frames through, this is the network that the field distils images with.

    Args:
        width: channels of all three convolutions.
    """
    layers: list[nn.Module] = []
    for inputs in (3, width, width):
        layers += [
            nn.Conv2d(inputs, width, 3, padding=1),
            nn.InstanceNorm2d(width, affine=True),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(2),
        ]
    return nn.Sequential(*layers)


class _CnnRecurrent(Student):
    """Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2] per frame, a recurrent layer, its mean over time, a Linear.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T; any number of them can be read.
        size: height and width of a frame in pixels, at least 8.
        width: channels of all three convolutions.
    """

    default_width: ClassVar[int] = 128
    cell: ClassVar[type[nn.GRU | nn.LSTM]]

    def __init__(self, num_classes: int, frames: int, size: int, width: int) -> None:
        super().__init__(num_classes, frames, size, width)
        if size < 8:
            raise UsageError(f"{self.name} halves its frames three times, so {size} pixels are too few; use 8 or more")
        self.features = frame_backbone(width)
        inputs = width * (min(size, CROP) // 8) ** 2
        hidden = max(1, inputs // 8)
        self.recurrent = self.cell(inputs, hidden, batch_first=True)
        self.classifier = nn.Linear(hidden, num_classes)

    def frame_maps(self, clips: torch.Tensor) -> torch.Tensor:
        """What the 2D network makes of every frame of normalised clips: ``(N * T, width, h, w)``."""
        height, width = clips.shape[-2:]
        top, left = max(0, height - CROP) // 2, max(0, width - CROP) // 2
        cropped = clips[..., top : top + CROP, left : left + CROP]
        maps: torch.Tensor = self.features(cropped.transpose(1, 2).flatten(0, 1).contiguous())
        return maps

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """The recurrent layer's output, averaged over time, ``(N, hidden)``."""
        features = self.frame_maps(clips).view(len(clips), clips.shape[2], -1)
        with torch.autocast(clips.device.type, enabled=False):  # GPUs would run the recurrence in float16
            states, _ = self.recurrent(features.float())
        mean: torch.Tensor = states.mean(dim=1)
        return mean

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""
        logits: torch.Tensor = self.classifier(self.embed(clips))
        return logits


class CnnGru(_CnnRecurrent):
    """CNN+GRU."""

    name: ClassVar[str] = "cnn-gru"
    cell: ClassVar[type[nn.GRU | nn.LSTM]] = nn.GRU


class CnnLstm(_CnnRecurrent):
    """CNN+LSTM."""

    name: ClassVar[str] = "cnn-lstm"
    cell: ClassVar[type[nn.GRU | nn.LSTM]] = nn.LSTM
