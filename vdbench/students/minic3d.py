"""MiniC3D: the small 3D network that the field trains on its distilled videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import nn

from vdbench.students.student import Student

if TYPE_CHECKING:
    import torch

SMALLEST = 64
"""Pixels per side of the smallest clips that the network was published for."""
PUBLISHED = ((7, 2), (7, 2), (7, 2))
"""Side and stride of each layer's window over space."""
SMALL = ((5, 2), (3, 1), (3, 1))
"""The same for clips smaller than that."""


class MiniC3D(Student):
    """Three strided 3D convolutions with max-pooling, then a convolution to classes and a maximum over time.

    At 16x112x112, width 64 and 50 classes it has the published geometry and 3,647,666 parameters. Clips of less
    than 64 pixels are smaller than any it was published for: there 7x7 windows would see mostly padding and a
    student of default weights would not learn for hundreds of steps, so the windows are 5x5, 3x3 and 3x3 and only
    the first layer strides. A pooling window that is larger than what is left of a clip shrinks to it.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T.
        size: height and width of a frame in pixels.
        width: channels of the first layer; the other two have twice as many.
    """

    name: ClassVar[str] = "minic3d"
    default_width: ClassVar[int] = 64

    def __init__(self, num_classes: int, frames: int, size: int, width: int) -> None:
        super().__init__(num_classes, frames, size, width)
        layers: list[nn.Module] = []
        channels, time, side = 3, frames, size
        for outputs, published, (kernel, stride) in zip(
            (width, 2 * width, 2 * width), (1, 2, 2), PUBLISHED if size >= SMALLEST else SMALL, strict=True
        ):
            side = -(-side // stride)
            window, across = min(published, time), min(2, side)
            layers += [
                nn.Conv3d(
                    channels,
                    outputs,
                    (3, kernel, kernel),
                    stride=(1, stride, stride),
                    padding=(1, kernel // 2, kernel // 2),
                ),
                nn.ReLU(inplace=True),  # after pooling, second derivatives would round otherwise
                nn.MaxPool3d((window, across, across)),
            ]
            channels, time, side = outputs, time // window, side // across
        self.features = nn.Sequential(*layers)
        self.pool = nn.AvgPool3d((min(2, time), side, side), stride=1)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Conv3d(channels, num_classes, 1)

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """The flattened output of the third pooling, ``(N, D)``: D is 2048 at 16x112x112 and width 64."""
        features: torch.Tensor = self.features(clips)
        return features.flatten(1)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""
        logits: torch.Tensor = self.classifier(self.dropout(self.pool(self.features(clips))))
        return logits.amax(dim=(2, 3, 4))
