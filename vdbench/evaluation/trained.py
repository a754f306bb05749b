"""A student trained on the whole train split, whose weights are a shared asset."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student, other_network
from vdbench.work.assets import AssetSpec
from vdbench.work.workload import Work, training

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.evaluation.networks import StudentSpec
    from vdbench.students.student import Student
    from vdbench.work.assets import Assets

WEIGHTS = "weights.safetensors"


class TrainedStudent(AssetSpec["dict[str, torch.Tensor]"]):
    """The weights of a student that saw the train clips and nothing else, as ``load_state_dict`` takes them.

    Attributes:
        seed: of its initial weights and its batches.
    """

    seed: int

    def drawn(self, draw: int) -> Self:
        """See :meth:`AssetSpec.drawn`."""
        return self.model_copy(update={"seed": self.seed + draw})

    def identity(self) -> dict[str, Any]:
        """See :meth:`AssetSpec.identity`; the version of the student, or its code, is part of it."""
        return super().identity() | other_network(self.network().name)

    def in_bf16(self, device: str) -> bool:
        """See :meth:`AssetSpec.in_bf16`; a recipe that names its precision is told by its fields."""
        recipe = self.training()
        return recipe.precision is None and recipe.on(device).precision == "bf16"

    @abstractmethod
    def network(self) -> StudentSpec:
        """Which network it is."""

    @abstractmethod
    def training(self) -> Recipe:
        """How it is trained."""

    def work(self, assets: Assets) -> list[Work]:
        """Its training."""
        spec, recipe, clips = self.network(), self.training(), len(assets.train)
        batch, steps = min(recipe.batch, clips), recipe.steps(clips)
        return [training(assets.train, spec.name, spec.width, batch, steps, assets.device, spec.depth)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Train it."""
        from safetensors.torch import save_file

        student, recipe = self.fresh(assets.train), self.training().on(assets.device.type)
        report = partial(assets.report, of=recipe.steps(len(assets.train)))
        train_student(student, assets.train, recipe, self.seed, assets.device, report)
        save_file({name: tensor.cpu().contiguous() for name, tensor in student.state_dict().items()}, folder / WEIGHTS)

    def load(self, folder: Path) -> dict[str, torch.Tensor]:
        """Read the weights."""
        from safetensors.torch import load_file

        weights: dict[str, torch.Tensor] = load_file(folder / WEIGHTS)
        return weights

    def fresh(self, train: ClipSet) -> Student:
        """The student before its training, on the CPU."""
        spec = self.network()
        return build_student(spec.name, len(train.classes), train.frames, train.size, spec.width, self.seed, spec.depth)

    def trained(self, assets: Assets) -> Student:
        """The student after it, on the CPU; trained first if nobody has."""
        student = self.fresh(assets.train)
        student.load_state_dict(assets.get(self))
        return student
