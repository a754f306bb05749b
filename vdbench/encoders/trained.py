"""Encoders that are trained on the train split, and on nothing else."""

from __future__ import annotations

from typing import ClassVar

from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe
from vdbench.evaluation.trained import TrainedStudent


class TrainedEncoder(TrainedStudent):
    """A student trained by the field's recipe, with smaller batches. Its kind is its name.

    Attributes:
        width: channels of the first layer.
        epochs: passes over the train split, in batches of 32.
        max_steps: training steps, at most.
    """

    width: int
    epochs: int
    max_steps: int

    def network(self) -> StudentSpec:
        """The student of that name."""
        return StudentSpec(name=self.kind, width=self.width)

    def training(self) -> Recipe:
        """The recipe of students, with batches of 32."""
        return Recipe(batch=32, epochs=self.epochs, max_steps=self.max_steps)


class TrainedMiniC3D(TrainedEncoder):
    """A MiniC3D."""

    kind: ClassVar[str] = "minic3d"


class TrainedCnnGru(TrainedEncoder):
    """A CNN+GRU; :mod:`vdbench.encoders.frames` uses its convolutions."""

    kind: ClassVar[str] = "cnn-gru"
