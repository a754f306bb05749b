"""MiniC3D as an encoder: with fresh weights, and trained on the train split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from vdbench.assets import AssetSpec
from vdbench.encoders.features import Features, FeaturesSpec, embeddings
from vdbench.students import build_student
from vdbench.train import Recipe, train_student

if TYPE_CHECKING:
    import torch

    from vdbench.assets import Assets
    from vdbench.clipset import ClipSet
    from vdbench.students.student import Student


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

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Embed clips."""
        return embeddings(_fresh(assets.train, self.width, self.seed), clips, assets.device)


class TrainedMiniC3D(AssetSpec["dict[str, torch.Tensor]"]):
    """The weights of a MiniC3D trained on the train split, and on nothing else.

    Attributes:
        width: channels of the first layer.
        seed: of the initial weights and the batches.
        epochs: passes over the train split, in batches of 32.
        max_steps: training steps, at most.
    """

    kind: ClassVar[str] = "minic3d"
    width: int
    seed: int
    epochs: int
    max_steps: int

    def build(self, assets: Assets, folder: Path) -> None:
        """Train by the field's recipe, with smaller batches."""
        from safetensors.torch import save_file

        student = _fresh(assets.train, self.width, self.seed)
        recipe = Recipe(batch=32, epochs=self.epochs, max_steps=self.max_steps)
        train_student(student, assets.train, recipe, self.seed, assets.device, assets.report)
        weights = {name: tensor.cpu().contiguous() for name, tensor in student.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")

    def load(self, folder: Path) -> dict[str, torch.Tensor]:
        """Read the weights, as ``load_state_dict`` takes them."""
        from safetensors.torch import load_file

        weights: dict[str, torch.Tensor] = load_file(folder / "weights.safetensors")
        return weights


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

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Embed clips."""
        student = _fresh(assets.train, self.student.width, self.student.seed)
        student.load_state_dict(assets.get(self.student))
        return embeddings(student, clips, assets.device)


def _fresh(train: ClipSet, width: int, seed: int) -> Student:
    return build_student("minic3d", len(train.classes), train.frames, train.size, width, seed)
