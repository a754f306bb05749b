"""Features of all clips of a pool, as a shared asset."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import SerializeAsAny

from vdbench.clips.pool import Pool
from vdbench.work.assets import Assets, AssetSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student
    from vdbench.work.workload import Work

Features = NDArray[np.float32]
BATCH = 64
"""Clips that are encoded together."""


class _Stored(AssetSpec[Features]):
    """Features in a file."""

    kind: ClassVar[str] = "features"

    def load(self, folder: Path) -> Features:
        """Read the features."""
        features: Features = np.load(folder / "features.npy", allow_pickle=False)
        return features


class FeaturesSpec(_Stored):
    """Features of the train clips, float32, one row per clip in the order of the split; ``(N, D)`` unless said so."""

    @abstractmethod
    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Compute features by an encoder that has seen ``assets.train`` at most.

        Args:
            assets: the train split, and trained encoders.
            clips: what to encode: the train split itself, or clips of its classes and geometry.
        """

    def build(self, assets: Assets, folder: Path) -> None:
        """Encode every train clip once."""
        np.save(folder / "features.npy", self.encode(assets, assets.train), allow_pickle=False)


class PoolFeatures(_Stored):
    """The same features of generated clips.

    Attributes:
        features: what encodes.
        pool: what is encoded.
    """

    features: SerializeAsAny[FeaturesSpec]
    pool: SerializeAsAny[AssetSpec[Pool]]

    def parts(self) -> tuple[AssetSpec[Pool], *tuple[AssetSpec[Any], ...]]:
        """The pool, and whatever the encoder needs."""
        return (self.pool, *self.features.parts())

    def work(self, assets: Assets) -> Sequence[Work] | None:
        """As much as for the train clips, whatever the pool holds: encoding is quick beside what fills it."""
        return self.features.work(assets)

    def build(self, assets: Assets, folder: Path) -> None:
        """Encode every clip of the pool once."""
        encoded = self.features.encode(assets, assets.get(self.pool).clips)
        np.save(folder / "features.npy", encoded, allow_pickle=False)


def embeddings(student: Student, clips: ClipSet, device: torch.device) -> Features:
    """A student's embedding of every clip.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to embed.
        device: where to compute, in float32.

    Returns:
        float32 ``(N, D)``.
    """
    import torch

    from vdbench.evaluation.batches import placed
    from vdbench.evaluation.parts import in_parts

    student.to(device).eval()
    shown, rows = clips.on(device), torch.split(torch.arange(len(clips)), BATCH)
    with torch.inference_mode():
        blocks = [in_parts(student.embed, placed(shown, chosen, device)[0]).float() for chosen in rows]
    features: Features = torch.cat(blocks).cpu().numpy()
    return features
