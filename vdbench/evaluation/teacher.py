"""The teacher: a student trained on the whole train split, whose distributions are the soft labels of any clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from vdbench.clips.clipset import on_device
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.parts import in_parts
from vdbench.evaluation.train import Recipe
from vdbench.evaluation.trained import TrainedStudent

if TYPE_CHECKING:
    import torch

    from vdbench.work.assets import Assets

TEMPERATURE = 4.0
"""Logits are divided by it, so that labels tell of the less likely classes too; Hinton et al., arXiv 1503.02531."""
BATCH = 64


class TrainedTeacher(TrainedStudent):
    """The weights of a student that saw all train clips, and nothing else, by the protocol's recipe.

    Attributes:
        student: which network.
        recipe: how it is trained.
    """

    kind: ClassVar[str] = "teacher"
    student: StudentSpec
    recipe: Recipe
    seed: int = 0

    def network(self) -> StudentSpec:
        """The student."""
        return self.student

    def training(self) -> Recipe:
        """The recipe."""
        return self.recipe

    def teacher(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """Get it ready to label clips: from float32 ``(n, 3, T, H, W)`` to float32 ``(n, classes)``, same device."""
        import torch

        network = self.trained(assets).to(assets.device).eval()

        def label(clips: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                batches = torch.split(clips, BATCH)
                parts = [in_parts(network, on_device(batch, assets.device)).float() for batch in batches]
                return (torch.cat(parts) / TEMPERATURE).softmax(dim=1).to(clips.device)

        return label
