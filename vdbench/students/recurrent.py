"""CNN+GRU and CNN+LSTM: the field's cross-architecture students, a 2D network per frame and one recurrent layer."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d

from vdbench.errors import UsageError
from vdbench.students.student import Student

CROP = 64
"""Larger frames are cropped to this many pixels, around their centre."""


class FrameConv(nn.Conv2d):
    """A 3x3 convolution in front of a norm of single maps, which removes whatever a bias adds.

    The bias stays among the weights, with gradients of zero, and is never added, since summing its gradients costs a
    CPU as much as a norm.
    """

    bias: nn.Parameter

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps ``(n, inputs, h, w)`` as ``(n, outputs, h, w)``."""
        weight = self.weight + 0 * self.bias.view(-1, 1, 1, 1)
        return conv2d(maps, weight, padding=1)


class Halving(nn.Module):
    """Average pooling by 2, which rounds sizes down. On a CPU a product, several times as fast as torch's pooling."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps ``(n, c, h, w)`` as ``(n, c, h // 2, w // 2)``."""
        if maps.device.type != "cpu":
            return avg_pool2d(maps, 2)
        images, channels, height, width = maps.shape
        pairs = maps[..., : height // 2 * 2, :].reshape(-1, 2 * width)  # two rows of a map, one after the other
        halved: torch.Tensor = pairs @ _pooling(width, maps)
        return halved.view(images, channels, height // 2, width // 2)


def _pooling(width: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix ``(2 * width, width // 2)`` from two rows of pixels to one of half as many means."""
    means = torch.zeros(2, width, width // 2, dtype=like.dtype)
    columns = torch.arange(width // 2)
    means[:, 2 * columns, columns] = means[:, 2 * columns + 1, columns] = 0.25
    return means.flatten(0, 1)


def frame_backbone(width: int) -> nn.Sequential:
    """Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2], from images ``(n, 3, H, W)`` to ``(n, width, H/8, W/8)``.

    Args:
        width: channels of all three convolutions.
    """
    layers: list[nn.Module] = []
    for inputs in (3, width, width):
        layers += [
            FrameConv(inputs, width),
            nn.GroupNorm(width, width),  # InstanceNorm, of which torch has a slower one
            nn.ReLU(inplace=True),
            Halving(),
        ]
    return nn.Sequential(*layers)


class _CnnRecurrent(Student):
    """Three [Conv2d 3x3, InstanceNorm, ReLU, AvgPool 2] per frame, a recurrent layer, its mean over time, a Linear.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T; any number of them can be read.
        size: height and width of a frame in pixels, at least 8.
        width: channels of all three convolutions.

    Attributes:
        features_per_state: features of a frame for each number of the hidden state.
    """

    version: ClassVar[int] = 2
    default_width: ClassVar[int] = 128
    cell: ClassVar[type[nn.GRU | nn.LSTM]]
    features_per_state: ClassVar[int] = 8

    def __init__(self, num_classes: int, frames: int, size: int, width: int) -> None:
        super().__init__(num_classes, frames, size, width)
        if size < 8:
            raise UsageError(f"{self.name} halves its frames three times, so {size} pixels are too few; use 8 or more")
        self.features = frame_backbone(width)
        inputs = width * (min(size, CROP) // 8) ** 2
        hidden = max(1, inputs // self.features_per_state)
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


class CnnLstmAsPublished(CnnLstm):
    """CNN+LSTM as large as in the public code: a hidden number per feature, 538 million weights at 64 pixels.

    Published numbers of CNN+LSTM are of this network, if of any.
    """

    name: ClassVar[str] = "cnn-lstm-as-published"
    version: ClassVar[int] = 1
    features_per_state: ClassVar[int] = 1
