"""Which encoder a selector compares clips by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from vdbench.method import Settings, identity

if TYPE_CHECKING:
    from vdbench.encoders.features import FeaturesSpec


class EncoderSettings(Settings):
    """An encoder and what decides its features; a bare name stands for that encoder with its defaults."""

    name: Literal["pixels", "minic3d-random", "minic3d-trained"] = identity(
        "minic3d-trained",
        "pixels: PCA of coarse frames; minic3d-random: a MiniC3D with fresh weights; minic3d-trained: one trained on "
        "the train split",
    )
    dim: int = identity(128, "pixels: principal components to keep, at most", gt=0)
    width: int = identity(16, "minic3d: channels of the first layer", gt=0)
    seed: int = identity(0, "minic3d: of the weights and the training", ge=0)
    epochs: int = identity(40, "minic3d-trained: passes over the train split, in batches of 32", gt=0)
    max_steps: int = identity(10_000, "minic3d-trained: training steps, at most", gt=0)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def saw(self) -> str:
        """What the encoder was trained on: ``nothing`` or ``train``."""
        return "nothing" if self.name == "minic3d-random" else "train"

    def features(self) -> FeaturesSpec:
        """The asset that holds the features of all train clips; settings that do not concern it are left out."""
        from vdbench.encoders.minic3d import RandomFeatures, TrainedFeatures, TrainedMiniC3D
        from vdbench.encoders.pixels import PixelFeatures

        match self.name:
            case "pixels":
                return PixelFeatures(dim=self.dim)
            case "minic3d-random":
                return RandomFeatures(width=self.width, seed=self.seed)
            case "minic3d-trained":
                fields = self.model_dump(include=set(TrainedMiniC3D.model_fields))
                return TrainedFeatures(student=TrainedMiniC3D(**fields))
