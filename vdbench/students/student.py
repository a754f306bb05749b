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
        depth: blocks per stage or layers, for a student that is sized by them; None for the others, whose
            constructors do not take it.

    Attributes:
        name: what users type.
        default_width: channels of its first layer unless others are asked for.
        default_depth: its blocks or layers unless others are asked for; None for a student of fixed depth.
        width: channels of its first layer.
        depth: its blocks or layers; None for a student of fixed depth.
        version: raised when the same arguments give another network; part of a trial's id.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    default_width: ClassVar[int]
    default_depth: ClassVar[int | None] = None

    def __init__(self, num_classes: int, frames: int, size: int, width: int, depth: int | None = None) -> None:
        super().__init__()
        self.width = width
        self.depth = depth

    @abstractmethod
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """The flattened last feature map, float32 ``(N, D)``, of clips as :meth:`forward` takes them."""

    @abstractmethod
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, classes)`` of normalised clips, float32 ``(N, 3, T, H, W)``."""

    def parameter_count(self) -> int:
        """How many numbers it learns."""
        return sum(parameter.numel() for parameter in self.parameters())
