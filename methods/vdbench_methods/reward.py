"""What greedy-reward and vst-unet share: how well some clips of a class are spread and stand for its real clips.

The reward is that of DSN (arXiv 1801.00054), which summarises one video: diversity of what is kept, and how well it
represents the whole. Here clips take the place of frames, and the whole is the real train clips of a class.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from vdbench.method import identity
from vdbench.selector import ClassSelector, FrameSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from vdbench.encoders.features import FeaturesSpec
    from vdbench.method import Task
    from vdbench.work.assets import AssetSpec
    from vdbench.work.reports import Report

FLOOR = 0.1
"""Features that vary less than this share of what all vary on average are not scaled up further."""


class RewardSettings(FrameSettings):
    """Settings of a selector that is led by the reward."""

    pool: Literal["real", "generated"] = identity("generated", "where clips are chosen from")
    grid: int = identity(4, "cells per side that the encoder's map of a frame is averaged to", gt=0)


class Reward:
    """The reward of any choice among the candidates of a class.

    R = (R_div + R_rep) / 2, and 0 for no clips at all. R_div is the mean of 1 - cos(x_i, x_j) over pairs of chosen
    clips, 0 for a single one; R_rep is exp(-mean over real clips r of min over chosen j of ||r - x_j||^2 / D). The
    x are descriptors in D dimensions, standardised by the real clips; without the division by D, on which the sources
    are silent, the exponential would vanish.

    Args:
        candidates: descriptors of the clips to choose from, ``(n, D)``.
        real: descriptors of the class's real train clips, ``(m, D)``.
    """

    def __init__(self, candidates: NDArray[np.float64], real: NDArray[np.float64]) -> None:
        from scipy.spatial.distance import cdist

        spread = real.std(axis=0)
        scale = np.maximum(spread, FLOOR * spread.mean()) if spread.any() else np.ones(len(spread))
        candidates, real = ((rows - real.mean(axis=0)) / scale for rows in (candidates, real))
        lengths = np.linalg.norm(candidates, axis=1, keepdims=True)
        directions = candidates / np.where(lengths > 1e-12, lengths, 1)
        self._apart = 1 - directions @ directions.T
        np.fill_diagonal(self._apart, 0)
        self._away = cdist(real, candidates, "sqeuclidean") / candidates.shape[1]

    def __len__(self) -> int:
        """How many clips there are to choose from."""
        return len(self._apart)

    def __call__(self, chosen: NDArray[np.bool_] | Sequence[int] | NDArray[np.int64]) -> float:
        """R of a choice, a mask over the candidates or their positions."""
        rows = np.arange(len(self))[np.asarray(chosen)]
        if not len(rows):
            return 0.0
        diversity = self._apart[np.ix_(rows, rows)].sum() / max(1, len(rows) * (len(rows) - 1))
        return float(diversity + np.exp(-self._away[:, rows].min(axis=1).mean())) / 2

    def greedy(self, k: int) -> NDArray[np.int64]:
        """K clips, each of which adds most to R of those before it; the first of equals."""
        chosen: list[int] = []
        apart, nearest = np.zeros(len(self)), np.full(len(self._away), np.inf)
        total = 0.0
        for count in range(1, k + 1):
            diversity = (total + 2 * apart) / max(1, count * (count - 1))
            representation = np.exp(-np.minimum(nearest[:, None], self._away).mean(axis=0))
            rewards = (diversity + representation) / 2
            rewards[chosen] = -np.inf
            best = int(rewards.argmax())
            chosen.append(best)
            total += 2 * apart[best]
            apart += self._apart[best]
            nearest = np.minimum(nearest, self._away[:, best])
        return np.array(chosen, dtype=np.int64)


def describe(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Descriptors of clips: their frames' mean features in the order of time, ``(n, T * C)``.

    Args:
        maps: features of every frame over space, ``(n, T, C, g, g)``.
    """
    return np.asarray(maps.mean(axis=(3, 4), dtype=np.float64).reshape(len(maps), -1))


S = TypeVar("S", bound=RewardSettings)


class RewardSelector(ClassSelector[S]):
    """A selector that seeks clips with a high reward. Whoever writes one gives :meth:`choose`."""

    @abstractmethod
    def choose(
        self,
        maps: NDArray[np.float32],
        reward: Reward,
        k: int,
        rng: np.random.Generator,
        device: torch.device,
        report: Report,
    ) -> NDArray[np.int64]:
        """Choose k clips of one class.

        Args:
            maps: features of every frame of the candidates, ``(n, T, C, g, g)``.
            reward: of any choice among them.
            k: how many to choose, at most n.
            rng: the only source of chance.
            device: where to compute.
            report: ``report(step, of=steps, **metrics)``, of what is done for this class.
        """

    def features(self) -> FeaturesSpec:
        """A map per frame."""
        return self.settings.encoder.frames(self.settings.grid)

    def needs(self, task: Task) -> Sequence[AssetSpec[Any]]:
        """Beside what every selector needs, the features of the real clips that generated ones shall stand for."""
        needed = super().needs(task)
        return needed if self.settings.pool == "real" else (*needed, self.features().drawn(task.draw))

    def select_class(
        self, label: int, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task
    ) -> NDArray[np.int64]:
        """Choose with the real train clips of the class in view."""
        real = features
        if self.settings.pool == "generated":
            real = task.assets.get(self.features().drawn(task.draw))[task.train.rows_of(label)]
        reward = Reward(describe(features), describe(real))

        def report(step: int, of: int, **metrics: float) -> None:
            task.report(label * of + step, of=len(task.train.classes) * of, **metrics)

        return self.choose(features, reward, k, rng, task.device, report)
