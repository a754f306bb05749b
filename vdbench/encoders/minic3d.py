"""MiniC3D as an encoder: with fresh weights, and trained on the train split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vdbench.encoders.features import BATCH, Features, FeaturesSpec, embeddings
from vdbench.encoders.trained import TrainedMiniC3D
from vdbench.students import build_student
from vdbench.work.workload import Work, embedding

if TYPE_CHECKING:
    from typing import Self

    from vdbench.clips.clipset import ClipSet
    from vdbench.work.assets import Assets


class RandomFeatures(FeaturesSpec):
    """Embeddings of a MiniC3D that has seen nothing.

    Attributes:
        encoder: tells its address from that of other encoders.
        width: channels of the first layer.
        seed: of the weights.
    """

    encoder: Literal["minic3d-random"] = "minic3d-random"
    width: int
    seed: int

    def drawn(self, draw: int) -> Self:
        """See :meth:`AssetSpec.drawn`."""
        return self.model_copy(update={"seed": self.seed + draw})

    def work(self, assets: Assets) -> list[Work]:
        """Embedding every clip."""
        return [embedding(assets.train, "minic3d", self.width, BATCH, len(assets.train), assets.device)]

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Embed clips."""
        train = assets.train
        student = build_student("minic3d", len(train.classes), train.frames, train.size, self.width, self.seed)
        return embeddings(student, clips, assets.device)


class TrainedFeatures(FeaturesSpec):
    """Embeddings of a MiniC3D trained on the train split.

    Attributes:
        encoder: tells its address from that of other encoders.
        student: the trained network.
    """

    encoder: Literal["minic3d-trained"] = "minic3d-trained"
    student: TrainedMiniC3D

    def parts(self) -> tuple[TrainedMiniC3D]:
        """The trained network."""
        return (self.student,)

    def work(self, assets: Assets) -> list[Work]:
        """Embedding every clip."""
        return [embedding(assets.train, "minic3d", self.student.width, BATCH, len(assets.train), assets.device)]

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Embed clips."""
        return embeddings(self.student.trained(assets), clips, assets.device)
