"""A small video transformer over tubelets: first within each time, then across times."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import nn

from vdbench.students.student import Student

if TYPE_CHECKING:
    import torch

TOKENS = 8
"""Tubelets per side of a frame, at most."""
HEAD = 32
"""Channels of an attention head, at least, where the width has as many."""
POSITION = 0.02
"""Standard deviation of fresh positions."""


class VideoVit(Student):
    """Tubelets, a transformer over those of one time, a transformer over times, their mean, a linear layer.

    After the factorised encoder of "ViViT: A Video Vision Transformer" (Arnab et al., ICCV 2021, model 2), pre-norm,
    with learned positions and tokens averaged. A tubelet stands for 2 frames and for ``side`` x ``side`` pixels, where
    ``side`` is the smallest power of two of which a frame is at most 8 wide: 1 at 8 pixels, 4 at 32, 8 at 64, 16 at
    112. Frames that it does not divide, and odd numbers of frames, have one tubelet more, which reaches over the edge.

    Students share one recipe, SGD at the learning rate of convolutional networks, under which a transformer on plain
    patches learns less from few clips. So tubelets come from one 3x3x3 convolution with GroupNorm and ReLU per
    halving of the frame, the last of which halves time too ("Early Convolutions Help Transformers See Better", Xiao
    et al., NeurIPS 2021). All norms are of one clip or one token, and there is no dropout.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T.
        size: height and width of a frame in pixels.
        width: channels of a token; the heads of an attention have equal shares of them, of 32 or more.
        depth: layers of each of the two transformers.
    """

    name: ClassVar[str] = "video-vit"
    default_width: ClassVar[int] = 192
    default_depth: ClassVar[int | None] = 4

    def __init__(self, num_classes: int, frames: int, size: int, width: int, depth: int) -> None:
        import torch

        super().__init__(num_classes, frames, size, width, depth)
        halvings = halvings_of(size)
        times, places = -(-frames // 2), (-(-size // 2**halvings)) ** 2
        self.tubelets = tubelet_embedding(halvings, width)
        self.place = nn.Parameter(POSITION * torch.randn(places, width))
        self.time = nn.Parameter(POSITION * torch.randn(times, width))
        self.across_places = transformer(width, depth)
        self.across_times = transformer(width, depth)
        self.classifier = nn.Linear(width, num_classes)

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """What the second transformer gives, averaged over time, ``(N, width)``."""
        from torch.nn.attention import SDPBackend, sdpa_kernel

        maps = self.tubelets(clips)
        tokens = maps.permute(0, 2, 3, 4, 1).flatten(2, 3)
        with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative, which matching methods need
            moments = self.across_places(tokens.flatten(0, 1) + self.place).mean(dim=1)
            states: torch.Tensor = self.across_times(moments.view(*tokens.shape[:2], -1) + self.time)
        return states.mean(dim=1)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""
        logits: torch.Tensor = self.classifier(self.embed(clips))
        return logits


def halvings_of(size: int) -> int:
    """How often a frame of so many pixels is halved until it has at most 8 tubelets per side."""
    return max(0, (-(-size // TOKENS) - 1).bit_length())


def tubelet_embedding(halvings: int, width: int) -> nn.Sequential:
    """Convolutions from clips ``(N, 3, T, H, W)`` to tubelets ``(N, width, T/2, H/side, W/side)``, all rounded up.

    Args:
        halvings: of the frame; where there are none, one convolution halves time alone.
        width: channels of the last one; each one before has half as many.
    """
    layers: list[nn.Module] = []
    channels = 3
    for left in reversed(range(max(1, halvings))):
        outputs = -(-width // 2**left)
        space = 2 if halvings else 1
        conv = nn.Conv3d(channels, outputs, 3, stride=(1 if left else 2, space, space), padding=1)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers += [conv, nn.GroupNorm(1, outputs), nn.ReLU(inplace=True)]
        channels = outputs
    return nn.Sequential(*layers)


def transformer(width: int, depth: int) -> nn.Sequential:
    """Pre-norm layers and a last norm, on tokens ``(n, tokens, width)``."""
    heads = max(count for count in range(1, max(1, width // HEAD) + 1) if width % count == 0)
    layers = [
        nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        for _ in range(depth)
    ]
    return nn.Sequential(*layers, nn.LayerNorm(width))
