"""The contract of an encoder: the features that it gives of clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from vdbench.errors import UsageError
from vdbench.extensions.kinds import Kind

if TYPE_CHECKING:
    from vdbench.encoders.features import FeaturesSpec
    from vdbench.encoders.frames import FrameFeatures
    from vdbench.encoders.settings import EncoderSettings


class Encoder(ABC):
    """What clips are compared by.

    Attributes:
        name: what users type.
        saw: what it was trained on: ``nothing``, ``train``, or the name of outside data.
    """

    name: ClassVar[str]
    saw: ClassVar[str]

    @abstractmethod
    def features(self, settings: EncoderSettings) -> FeaturesSpec:
        """The asset that holds the features of all train clips; settings that do not concern it are left out."""

    def frames(self, settings: EncoderSettings, grid: int) -> FrameFeatures:
        """The asset that holds features of every frame of all train clips, float32 ``(N, T, C, grid, grid)``.

        Raises:
            UsageError: the encoder does not see single frames.
        """
        raise UsageError(f"encoder {self.name} does not see single frames; use cnn-gru, efficientnet-lite0 or dino")


ENCODERS: Kind[Encoder] = Kind(
    "encoder",
    "vdbench.encoders",
    "vdbench.encoders.encoder:Encoder",
    {
        "pixels": "vdbench.encoders.named:Pixels",
        "minic3d-random": "vdbench.encoders.named:MiniC3DRandom",
        "minic3d-trained": "vdbench.encoders.named:MiniC3DTrained",
        "cnn-gru": "vdbench.encoders.named:CnnGru",
        "efficientnet-lite0": "vdbench.encoders.named:EfficientNet",
        "dino": "vdbench.encoders.named:DinoFrames",
    },
)
