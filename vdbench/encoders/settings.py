"""Encoders: what they are, and which one a selector compares clips by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator, model_validator

from vdbench.errors import DependencyError, UsageError
from vdbench.extensions.kinds import Kind
from vdbench.method import Settings, identity

if TYPE_CHECKING:
    from vdbench.encoders.features import FeaturesSpec
    from vdbench.encoders.frames import FrameFeatures


ENCODERS: Kind[Encoder] = Kind(
    "encoder",
    "vdbench.encoders",
    "vdbench.encoders.settings:Encoder",
    {
        "pixels": "vdbench.encoders.named:Pixels",
        "minic3d-random": "vdbench.encoders.named:MiniC3DRandom",
        "minic3d-trained": "vdbench.encoders.named:MiniC3DTrained",
        "cnn-gru": "vdbench.encoders.named:CnnGru",
        "efficientnet-lite0": "vdbench.encoders.named:EfficientNet",
        "dino": "vdbench.encoders.named:DinoFrames",
    },
)


class EncoderSettings(Settings):
    """An encoder and what decides its features; a bare name stands for that encoder with its defaults."""

    name: str = identity(
        "minic3d-trained",
        "pixels: PCA of coarse frames; minic3d-random: a MiniC3D with fresh weights; minic3d-trained: one trained on "
        "the train split; frame by frame, and averaged where a clip is wanted: cnn-gru, the frame backbone of one "
        "trained on the train split; efficientnet-lite0 (vdbench[imagenet]) and dino (vdbench[hf]), of ImageNet",
    )
    dim: int = identity(128, "pixels: principal components to keep, at most", gt=0)
    width: int = identity(16, "minic3d and cnn-gru: channels of the first layer", gt=0)
    seed: int = identity(0, "minic3d and cnn-gru: of the weights and the training", ge=0)
    epochs: int = identity(40, "minic3d-trained and cnn-gru: passes over the train split, in batches of 32", gt=0)
    max_steps: int = identity(10_000, "minic3d-trained and cnn-gru: training steps, at most", gt=0)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ENCODERS.get(name)
        except (UsageError, DependencyError) as error:
            raise ValueError(str(error)) from None
        return name

    @property
    def saw(self) -> str:
        """What the encoder was trained on: ``nothing``, ``train``, or the name of outside data."""
        return ENCODERS.get(self.name).saw

    def features(self) -> FeaturesSpec:
        """The asset that holds the features of all train clips; settings that do not concern it are left out."""
        return ENCODERS.get(self.name)().features(self)

    def frames(self, grid: int = 1) -> FrameFeatures:
        """The asset that holds features of every frame of all train clips, float32 ``(N, T, C, grid, grid)``.

        Args:
            grid: cells per side that the encoder's map of a frame is averaged to.

        Raises:
            UsageError: the encoder does not see single frames.
        """
        return ENCODERS.get(self.name)().frames(self, grid)


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
