"""The encoder without a network: principal components of coarse frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from vdbench.encoders.features import BATCH, Features, FeaturesSpec
from vdbench.work.workload import Work

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.work.assets import Assets

GRID = 8
"""Frames are averaged down to this many cells in each direction."""


class PixelFeatures(FeaturesSpec):
    """PCA of clips whose frames are averaged over a coarse grid.

    Attributes:
        encoder: tells its address from that of other encoders.
        dim: components to keep, at most.
    """

    encoder: Literal["pixels"] = "pixels"
    dim: int
    version: ClassVar[int] = 2

    def work(self, assets: Assets) -> list[Work]:
        """Averaging every clip; the components take seconds."""
        import torch

        train = assets.train

        def average(items: int) -> None:
            _averaged(train, torch.arange(items))

        batch = min(BATCH, len(train))
        return [Work(("coarse frames", train.clips.shape[1:]), lambda: average, batch, len(train) / batch)]

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Fit PCA to the train clips and project ``clips``, float32 ``(N, dim)`` or narrower for few train clips."""
        from sklearn.decomposition import PCA

        coarse = coarse_frames(assets.train)
        mean = coarse.mean(axis=0, dtype=np.float64).astype(np.float32)
        coarse -= mean  # in float32 the second solver takes rounding for variance where clips share what they show
        count, values = coarse.shape
        # Both solvers are exact and fix the signs; the second one is the faster where clips are many.
        solver = "full" if count <= values else "covariance_eigh"
        pca = PCA(min(self.dim, count, values), svd_solver=solver)
        components = pca.fit_transform(coarse)
        if clips is not assets.train:
            components = pca.transform(coarse_frames(clips) - mean)
        return np.ascontiguousarray(components, dtype=np.float32)


def coarse_frames(clips: ClipSet) -> Features:
    """Frames averaged over a grid of at most ``GRID`` x ``GRID`` cells.

    Returns:
        float32 ``(N, T * cells * 3)``, normalised as network input is.
    """
    import torch

    blocks = [_averaged(clips, rows) for rows in torch.split(torch.arange(len(clips)), BATCH)]
    coarse: Features = torch.cat(blocks).numpy()
    return coarse


def _averaged(clips: ClipSet, rows: torch.Tensor) -> torch.Tensor:
    from torch.nn.functional import adaptive_avg_pool3d

    cells = min(GRID, clips.size)
    return adaptive_avg_pool3d(clips.render(rows)[0], (clips.frames, cells, cells)).flatten(1)
