"""MiniC3D as an encoder: with fresh weights, and trained on the train split."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from vdbench.encoders.features import BATCH, Features, FeaturesSpec, embeddings
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.work.assets import AssetSpec
from vdbench.work.workload import Work, embedding, training

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student
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

    def work(self, assets: Assets) -> list[Work]:
        """Embedding every clip."""
        return [embedding(assets.train, "minic3d", self.width, BATCH, len(assets.train), assets.device)]

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

    def work(self, assets: Assets) -> list[Work]:
        """Its training."""
        recipe, clips = self._recipe(), len(assets.train)
        batch = min(recipe.batch, clips)
        return [training(assets.train, "minic3d", self.width, batch, recipe.steps(clips), assets.device)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Train by the field's recipe, with smaller batches."""
        from safetensors.torch import save_file

        student = _fresh(assets.train, self.width, self.seed)
        recipe = self._recipe()
        log = partial(assets.report, of=recipe.steps(len(assets.train)))
        train_student(student, assets.train, recipe, self.seed, assets.device, log)
        weights = {name: tensor.cpu().contiguous() for name, tensor in student.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")

    def load(self, folder: Path) -> dict[str, torch.Tensor]:
        """Read the weights, as ``load_state_dict`` takes them."""
        from safetensors.torch import load_file

        weights: dict[str, torch.Tensor] = load_file(folder / "weights.safetensors")
        return weights

    def _recipe(self) -> Recipe:
        return Recipe(batch=32, epochs=self.epochs, max_steps=self.max_steps)


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
        student = _fresh(assets.train, self.student.width, self.student.seed)
        student.load_state_dict(assets.get(self.student))
        return embeddings(student, clips, assets.device)


def _fresh(train: ClipSet, width: int, seed: int) -> Student:
    return build_student("minic3d", len(train.classes), train.frames, train.size, width, seed)
