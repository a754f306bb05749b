"""A residual (2+1)D network: every 3D convolution is one over space, then one over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import nn

from vdbench.students.student import Student

if TYPE_CHECKING:
    import torch

STAGES = 4
"""Stages at most; small frames have one for every map of 2x2 or more."""
LARGE = 64
"""Pixels per side from which the stem's window is the published 7x7; it is 5x5 below."""


class R2Plus1D(Student):
    """Stages of a factorised convolution, max-pooling and residual blocks, then the mean over time and space.

    After "A Closer Look at Spatiotemporal Convolutions" (Tran et al., CVPR 2018): (2+1)D convolutions with as many
    middle channels as give them the parameters of the 3D ones they stand for, blocks of two of them around an
    identity, channels that double from stage to stage while time and space halve. What differs is there for sets of
    a few clips:

    - GroupNorm with one group, over all of a clip, and none in the middle of a factorised convolution. Batch norm
      would tie a clip's logits to its neighbours', and its running statistics, of 8 to 32 clips over a few hundred
      steps, are not those that the weights were trained with. Norms of single channels would take out how strongly a
      channel answers, which is what tells motions apart, and leave nothing of maps of one pixel.
    - Channels and resolution change between blocks, by a factorised convolution and max-pooling, and the last norm
      of each block starts at zero. So a fresh network is a shallow one without blocks, and grows deep as far as the
      clips ask for it. On 5 clips per class of motion-digits it reaches 60 % top-1, strided blocks 25 %.
    - The stem quarters the frame as MiniC3D's does, and frames below 64 pixels have fewer stages.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T.
        size: height and width of a frame in pixels.
        width: channels of the first stage.
        depth: residual blocks per stage.
    """

    name: ClassVar[str] = "r2plus1d"
    default_width: ClassVar[int] = 32
    default_depth: ClassVar[int | None] = 2

    def __init__(self, num_classes: int, frames: int, size: int, width: int, depth: int) -> None:
        super().__init__(num_classes, frames, size, width, depth)
        side, time, channels = -(-size // 2), frames, 3
        layers: list[nn.Module] = []
        for stage in range(max(1, min(STAGES, side.bit_length() - 2))):
            outputs = width * 2**stage
            window = (7 if size >= LARGE else 5) if stage == 0 else 3
            halved = (min(1 if stage == 0 else 2, time), min(2, side), min(2, side))
            layers += [
                FactorisedConv3d(channels, outputs, window, stride=2 if stage == 0 else 1),
                clip_norm(outputs),
                nn.ReLU(inplace=True),
                nn.MaxPool3d(halved),
                *(ResidualBlock(outputs) for _ in range(depth)),
            ]
            channels, time, side = outputs, time // halved[0], side // halved[1]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """The last feature map, averaged over time and space, ``(N, D)``: D is ``8 * width`` at 64 pixels or more."""
        features: torch.Tensor = self.features(clips)
        return features.mean(dim=(2, 3, 4))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""
        logits: torch.Tensor = self.classifier(self.embed(clips))
        return logits


class ResidualBlock(nn.Module):
    """Two factorised 3x3x3 convolutions, added to what they are given; the identity where weights are fresh.

    Args:
        channels: of input and output, which is not negative.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = clip_norm(channels)
        nn.init.zeros_(last.weight)
        self.branch = nn.Sequential(
            FactorisedConv3d(channels, channels, 3),
            clip_norm(channels),
            nn.ReLU(inplace=True),
            FactorisedConv3d(channels, channels, 3),
            last,
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps ``(N, channels, T, H, W)`` to maps of the same shape."""
        added: torch.Tensor = maps + self.branch(maps)
        return added.relu()


class FactorisedConv3d(nn.Sequential):
    """A 1 x window x window convolution, ReLU, and a 3 x 1 x 1 convolution, which keep time and divide space.

    Args:
        inputs: channels.
        outputs: channels.
        window: side of the first one, odd.
        stride: of the first one.
    """

    def __init__(self, inputs: int, outputs: int, window: int, stride: int = 1) -> None:
        middle = middle_channels(inputs, outputs, window)
        space = nn.Conv3d(inputs, middle, (1, window, window), (1, stride, stride), (0, window // 2, window // 2))
        time = nn.Conv3d(middle, outputs, (3, 1, 1), padding=(1, 0, 0))
        for layer in (space, time):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        super().__init__(space, nn.ReLU(inplace=True), time)


def middle_channels(inputs: int, outputs: int, window: int) -> int:
    """Channels between the two convolutions, for at most the weights of a 3 x window x window one, and nearly as many.

    Tran et al., section 3.5: ``t d^2 N M / (d^2 N + t M)``, rounded down.
    """
    area = window**2
    return max(1, 3 * area * inputs * outputs // (area * inputs + 3 * outputs))


def clip_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm over all channels, times and places of each clip by itself."""
    return nn.GroupNorm(1, channels)
