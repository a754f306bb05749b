"""What every student offers: logits, and the features behind them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import nn

if TYPE_CHECKING:
    import torch


class Student(nn.Module, ABC):
    """A network from clips to logits.

    Args:
        num_classes: logits to give.
        frames: frames per clip, T.
        size: height and width of a frame in pixels.
        width: channels of the first layer.

    Attributes:
        name: what users type.
        default_width: channels of its first layer as published.
        width: channels of its first layer.
        version: raised when the same arguments give another network; part of a trial's id.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    default_width: ClassVar[int]

    def __init__(self, num_classes: int, frames: int, size: int, width: int) -> None:
        super().__init__()
        self.width = width

    @abstractmethod
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """The flattened last feature map, float32 ``(N, D)``, of clips as :meth:`forward` takes them."""

    @abstractmethod
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""

    def parameter_count(self) -> int:
        """How many numbers it learns."""
        return sum(parameter.numel() for parameter in self.parameters())
