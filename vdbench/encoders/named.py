"""Our encoders, as they are named in settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.encoders.frames import ClipOfFrames, CnnGruFrames, TrainedCnnGru
from vdbench.encoders.minic3d import RandomFeatures, TrainedFeatures, TrainedMiniC3D
from vdbench.encoders.pixels import PixelFeatures
from vdbench.encoders.pretrained import Dino, EfficientNetLite0
from vdbench.encoders.settings import Encoder

if TYPE_CHECKING:
    from vdbench.encoders.features import FeaturesSpec
    from vdbench.encoders.frames import FrameFeatures
    from vdbench.encoders.settings import EncoderSettings


class Pixels(Encoder):
    """PCA of coarse frames."""

    name: ClassVar[str] = "pixels"
    saw: ClassVar[str] = "train"

    def features(self, settings: EncoderSettings) -> FeaturesSpec:
        """See :meth:`Encoder.features`."""
        return PixelFeatures(dim=settings.dim)


class MiniC3DRandom(Encoder):
    """A MiniC3D with fresh weights."""

    name: ClassVar[str] = "minic3d-random"
    saw: ClassVar[str] = "nothing"

    def features(self, settings: EncoderSettings) -> FeaturesSpec:
        """See :meth:`Encoder.features`."""
        return RandomFeatures(width=settings.width, seed=settings.seed)


class MiniC3DTrained(Encoder):
    """A MiniC3D trained on the train split."""

    name: ClassVar[str] = "minic3d-trained"
    saw: ClassVar[str] = "train"

    def features(self, settings: EncoderSettings) -> FeaturesSpec:
        """See :meth:`Encoder.features`."""
        fields = settings.model_dump(include=set(TrainedMiniC3D.model_fields))
        return TrainedFeatures(student=TrainedMiniC3D(**fields))


class _OfFrames(Encoder):
    """Sees single frames; a clip is the mean over its frames."""

    def features(self, settings: EncoderSettings) -> FeaturesSpec:
        """See :meth:`Encoder.features`."""
        return ClipOfFrames(frames=self.frames(settings, grid=1))


class CnnGru(_OfFrames):
    """The frame backbone of a CNN+GRU trained on the train split."""

    name: ClassVar[str] = "cnn-gru"
    saw: ClassVar[str] = "train"

    def frames(self, settings: EncoderSettings, grid: int) -> FrameFeatures:
        """See :meth:`Encoder.frames`."""
        fields = settings.model_dump(include=set(TrainedCnnGru.model_fields))
        return CnnGruFrames(grid=grid, student=TrainedCnnGru(**fields))


class EfficientNet(_OfFrames):
    """EfficientNet-Lite0 of ImageNet."""

    name: ClassVar[str] = "efficientnet-lite0"
    saw: ClassVar[str] = "ImageNet"

    def frames(self, settings: EncoderSettings, grid: int) -> FrameFeatures:
        """See :meth:`Encoder.frames`."""
        return EfficientNetLite0(grid=grid)


class DinoFrames(_OfFrames):
    """DINO of ImageNet."""

    name: ClassVar[str] = "dino"
    saw: ClassVar[str] = "ImageNet"

    def frames(self, settings: EncoderSettings, grid: int) -> FrameFeatures:
        """See :meth:`Encoder.frames`."""
        return Dino(grid=grid)
