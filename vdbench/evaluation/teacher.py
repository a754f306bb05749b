"""The teacher: a student trained on the whole train split, whose distributions are the soft labels of any clips."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from vdbench.clips.clipset import on_device
from vdbench.evaluation.evaluate import StudentSpec
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.work.assets import AssetSpec
from vdbench.work.workload import Work, training

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student
    from vdbench.work.assets import Assets

TEMPERATURE = 4.0
"""Logits are divided by it, so that labels tell of the less likely classes too; Hinton et al., arXiv 1503.02531."""
BATCH = 64


class TrainedTeacher(AssetSpec["dict[str, torch.Tensor]"]):
    """The weights of a student that saw all train clips, and nothing else, by the protocol's recipe.

    Attributes:
        student: which network.
        recipe: how it is trained.
        seed: of its initial weights and its batches.
    """

    kind: ClassVar[str] = "teacher"
    student: StudentSpec
    recipe: Recipe
    seed: int = 0

    def work(self, assets: Assets) -> list[Work]:
        """Its training."""
        spec, recipe, clips = self.student, self.recipe, len(assets.train)
        batch, steps = min(recipe.batch, clips), recipe.steps(clips)
        return [training(assets.train, spec.name, spec.width, batch, steps, assets.device, spec.depth)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Train it."""
        from safetensors.torch import save_file

        network = self._fresh(assets.train)
        log = partial(assets.report, of=self.recipe.steps(len(assets.train)))
        train_student(network, assets.train, self.recipe, self.seed, assets.device, log)
        weights = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")

    def load(self, folder: Path) -> dict[str, torch.Tensor]:
        """Read the weights, as ``load_state_dict`` takes them."""
        from safetensors.torch import load_file

        weights: dict[str, torch.Tensor] = load_file(folder / "weights.safetensors")
        return weights

    def teacher(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """Get it ready to label clips: from float32 ``(n, 3, T, H, W)`` to float32 ``(n, classes)``, same device."""
        import torch

        network = self._fresh(assets.train)
        network.load_state_dict(assets.get(self))
        network.to(assets.device).eval()

        def label(clips: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                parts = [network(on_device(part, assets.device)).float() for part in torch.split(clips, BATCH)]
                return (torch.cat(parts) / TEMPERATURE).softmax(dim=1).to(clips.device)

        return label

    def _fresh(self, train: ClipSet) -> Student:
        spec = self.student
        return build_student(spec.name, len(train.classes), train.frames, train.size, spec.width, self.seed, spec.depth)
