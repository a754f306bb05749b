"""Experts of trajectory matching: networks trained on real clips, with their weights after every epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from vdbench.evaluation.train import Recipe, train_student
from vdbench.seeding import generator, seed_of
from vdbench.students import build_student, other_network
from vdbench.work.assets import Assets, AssetSpec
from vdbench.work.workload import Work, training

if TYPE_CHECKING:
    import torch

    from vdbench.students.student import Student


class Expert(AssetSpec["Path"]):
    """The weights of a network after every epoch on the train split, the initial ones first.

    Attributes:
        student: which network.
        width: channels of its first layer.
        epochs: passes over the train split; later ones are never read.
        lr: learning rate of plain SGD.
        batch: clips per step.
        standardise: what scales their clips, as :class:`~vdbench.evaluation.train.Recipe` has it.
        number: tells experts apart: the seed of initial weights and batches.
    """

    kind: ClassVar[str] = "expert"
    student: str
    width: int
    epochs: int
    lr: float
    batch: int
    standardise: Literal["split", "batch"] = "split"
    number: int

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Experts on clips that the split scales have the identity that they had before there were others."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if (name, value) != ("standardise", "split")}

    def identity(self) -> dict[str, Any]:
        """See :meth:`AssetSpec.identity`; the version of the student, or its code, is part of it."""
        return super().identity() | other_network(self.student)

    def in_bf16(self, device: str) -> bool:
        """See :meth:`AssetSpec.in_bf16`."""
        return self._recipe().on(device).precision == "bf16"

    def work(self, assets: Assets) -> list[Work]:
        """Its training."""
        clips = len(assets.train)
        batch, steps = min(self.batch, clips), self._recipe().steps(clips)
        return [training(assets.train, self.student, self.width, batch, steps, assets.device)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Train, and store a row of weights per epoch."""
        import torch
        from safetensors.torch import save_file

        train, seed = assets.train, seed_of(generator(self.number, self.kind))
        student = build_student(self.student, len(train.classes), train.frames, train.size, self.width, seed)
        path, recipe = [flat(student)], self._recipe().on(assets.device.type)

        def log(step: int, loss: float) -> None:
            assets.report(step, of=recipe.steps(len(train)), loss=loss)

        train_student(student, train, recipe, seed, assets.device, log, lambda: path.append(flat(student)))
        save_file({"epochs": torch.stack(path)}, folder / "expert.safetensors")

    def load(self, folder: Path) -> Path:
        """Where it is; :func:`weights_at` reads one epoch of it."""
        return folder / "expert.safetensors"

    def _recipe(self) -> Recipe:
        return Recipe(
            lr=self.lr,
            momentum=0,
            weight_decay=0,
            decay=1,
            epochs=self.epochs,
            batch=self.batch,
            standardise=self.standardise,
        )


def flat(student: Student) -> torch.Tensor:
    """A copy of all weights in one row, float32 ``(P,)``, on the CPU."""
    import torch

    return torch.cat([weights.detach().cpu().flatten() for weights in student.parameters()])


def weights_at(path: Path, epoch: int) -> torch.Tensor:
    """An expert's weights after so many epochs, ``(P,)``; nothing else is read."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        row: torch.Tensor = file.get_slice("epochs")[epoch]
    return row
