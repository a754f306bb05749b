"""Features of all train clips, as a shared asset."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from vdbench.assets import Assets, AssetSpec

if TYPE_CHECKING:
    import torch

    from vdbench.clipset import ClipSet
    from vdbench.students.student import Student

Features = NDArray[np.float32]


class FeaturesSpec(AssetSpec[Features]):
    """Features of the train clips, float32 ``(N, D)``, one row per clip in the order of the split."""

    kind: ClassVar[str] = "features"

    @abstractmethod
    def encode(self, assets: Assets) -> Features:
        """Compute the features of ``assets.train``."""

    def build(self, assets: Assets, folder: Path) -> None:
        """Encode every clip once."""
        np.save(folder / "features.npy", self.encode(assets), allow_pickle=False)

    def load(self, folder: Path) -> Features:
        """Read the features."""
        features: Features = np.load(folder / "features.npy", allow_pickle=False)
        return features


def embeddings(student: Student, clips: ClipSet, device: torch.device, batch: int = 64) -> Features:
    """A student's embedding of every clip.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to embed.
        device: where to compute, in float32.
        batch: clips per forward pass.

    Returns:
        float32 ``(N, D)``.
    """
    import torch

    from vdbench.train import on_device

    student.to(device).eval()
    rows = torch.split(torch.arange(len(clips)), batch)
    with torch.inference_mode():
        blocks = [student.embed(on_device(clips.render(chosen)[0], device)).float().cpu() for chosen in rows]
    features: Features = torch.cat(blocks).numpy()
    return features
