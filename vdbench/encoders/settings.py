"""Which encoder a selector compares clips by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from vdbench.errors import UsageError
from vdbench.method import Settings, identity

if TYPE_CHECKING:
    from vdbench.encoders.features import FeaturesSpec
    from vdbench.encoders.frames import FrameFeatures


class EncoderSettings(Settings):
    """An encoder and what decides its features; a bare name stands for that encoder with its defaults."""

    name: Literal["pixels", "minic3d-random", "minic3d-trained", "cnn-gru", "efficientnet-lite0", "dino"] = identity(
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

    @property
    def saw(self) -> str:
        """What the encoder was trained on: ``nothing``, ``train``, or the name of outside data."""
        return {"minic3d-random": "nothing", "efficientnet-lite0": "ImageNet", "dino": "ImageNet"}.get(
            self.name, "train"
        )

    def features(self) -> FeaturesSpec:
        """The asset that holds the features of all train clips; settings that do not concern it are left out."""
        from vdbench.encoders.frames import ClipOfFrames
        from vdbench.encoders.minic3d import RandomFeatures, TrainedFeatures
        from vdbench.encoders.pixels import PixelFeatures
        from vdbench.encoders.trained import TrainedMiniC3D

        match self.name:
            case "pixels":
                return PixelFeatures(dim=self.dim)
            case "minic3d-random":
                return RandomFeatures(width=self.width, seed=self.seed)
            case "minic3d-trained":
                fields = self.model_dump(include=set(TrainedMiniC3D.model_fields))
                return TrainedFeatures(student=TrainedMiniC3D(**fields))
            case _:
                return ClipOfFrames(frames=self.frames())

    def frames(self, grid: int = 1) -> FrameFeatures:
        """The asset that holds features of every frame of all train clips, float32 ``(N, T, C, grid, grid)``.

        Args:
            grid: cells per side that the encoder's map of a frame is averaged to.

        Raises:
            UsageError: the encoder does not see single frames.
        """
        from vdbench.encoders.frames import CnnGruFrames
        from vdbench.encoders.pretrained import Dino, EfficientNetLite0
        from vdbench.encoders.trained import TrainedCnnGru

        match self.name:
            case "cnn-gru":
                fields = self.model_dump(include=set(TrainedCnnGru.model_fields))
                return CnnGruFrames(grid=grid, student=TrainedCnnGru(**fields))
            case "efficientnet-lite0":
                return EfficientNetLite0(grid=grid)
            case "dino":
                return Dino(grid=grid)
        raise UsageError(f"encoder {self.name} does not see single frames; use cnn-gru, efficientnet-lite0 or dino")
