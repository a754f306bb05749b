"""Comparing sets of points: Fréchet distance, improved precision and recall, nearest neighbours. NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Rows = NDArray[np.int64]

NEIGHBOURS = 3
"""Which nearest neighbour gives a point of a manifold its radius; Kynkäänniemi et al. recommend 3."""
BLOCK = 64
"""Points that distances are computed for at a time."""
BLOCK_VALUES = 2**25
"""Numbers that these points have together, at most, which bounds the memory used."""


def frechet_distance(first: Points, second: Points) -> float:
    """Squared Fréchet distance of Gaussians fitted to two sets of points, as in the FID (Heusel et al., 2017).

    It is ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)``, computed from eigenvalues of symmetric matrices.

    Args:
        first: ``(n, D)``, with n at least 2.
        second: ``(m, D)``, with m at least 2.
    """
    return gaussian_distance(first.mean(0), _covariance(first), second.mean(0), _covariance(second))


def gaussian_distance(mean: Points, covariance: Points, other_mean: Points, other_covariance: Points) -> float:
    """Squared Fréchet distance of two Gaussians: means ``(D,)`` and covariances ``(D, D)``."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(min=0)).sum()
    spread = np.trace(covariance) + np.trace(other_covariance) - 2 * shared
    return max(0.0, float(((mean - other_mean) ** 2).sum() + spread))


@dataclass(frozen=True)
class Manifold:
    """Where a set lies: balls around its points, each reaching to its point's k-th nearest neighbour within the set.

    Attributes:
        points: ``(n, D)``.
        radii: ``(n,)``.
    """

    points: Points
    radii: Points

    @classmethod
    def of(cls, points: Points, k: int = NEIGHBOURS) -> Manifold:
        """The manifold of points ``(n, D)``, n being larger than ``k``."""
        distances = [np.partition(block, k, axis=1)[:, k] for block in _blocks(points, points)]  # 0 is the point itself
        return cls(points, np.concatenate(distances))

    def covers(self, others: Points) -> NDArray[np.bool_]:
        """Which of other points ``(m, D)`` lie in one of the balls."""
        return np.concatenate([(block <= self.radii).any(axis=1) for block in _blocks(others, self.points)])


def precision_recall(judged: Points, against: Points, k: int = NEIGHBOURS) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al., 2019).

    Args:
        judged: ``(n, D)``, n being larger than ``k``.
        against: ``(m, D)``, m being larger than ``k``.
        k: whose distance is a point's radius.

    Returns:
        Share of ``judged`` within the manifold of ``against``, and the reverse.
    """
    precision, recall = Manifold.of(against, k).covers(judged), Manifold.of(judged, k).covers(against)
    return float(precision.mean()), float(recall.mean())


def nearest(points: NDArray[np.generic], others: NDArray[np.generic]) -> tuple[Rows, Points]:
    """For each point the nearest of others.

    Args:
        points: numbers ``(n, ...)``, which may lie on disk.
        others: numbers ``(m, ...)``, m being at least 1.

    Returns:
        Row of the nearest one, int64 ``(n,)``, and its Euclidean distance, ``(n,)``; that of equal points is 0.
    """
    rows = np.concatenate([block.argmin(axis=1) for block in _blocks(points, others)])
    gaps = (np.linalg.norm(_flat(points[i : i + 1]) - _flat(others[j : j + 1])) for i, j in enumerate(rows))
    return rows, np.fromiter(gaps, dtype=np.float64, count=len(rows))


def principal_axes(points: Points, most: int) -> Points:
    """Directions of largest variance of points ``(n, D)``: orthonormal columns, at most so many, ``(D, d)``."""
    _, vectors = np.linalg.eigh(_covariance(points))
    return np.ascontiguousarray(vectors[:, ::-1][:, :most])


def matched_rows(labels: Sequence[Rows], rng: np.random.Generator) -> list[Rows]:
    """Draw from several sets rows of equally many clips of every class: as many as the set with the fewest has.

    Args:
        labels: of each set, int64 ``(n,)``.
        rng: decides which ones.
    """
    rows: list[list[Rows]] = [[] for _ in labels]
    for label in np.unique(labels[0]):
        candidates = [np.flatnonzero(of_set == label) for of_set in labels]
        count = min(map(len, candidates))
        for drawn, own in zip(rows, candidates, strict=True):
            drawn.append(rng.choice(own, count, replace=False))
    return [np.concatenate(drawn) for drawn in rows]


def _covariance(points: Points) -> Points:
    return np.atleast_2d(np.cov(points, rowvar=False))


def _blocks(points: NDArray[np.generic], others: NDArray[np.generic]) -> Iterator[Points]:
    """Distances of some points after others, ``(b, m)``, to all others."""
    step = max(1, min(BLOCK, BLOCK_VALUES // max(1, points[0].size)))
    for start in range(0, len(points), step):
        own = _flat(points[start : start + step])
        parts = [_distances(own, _flat(others[at : at + step])) for at in range(0, len(others), step)]
        yield np.concatenate(parts, axis=1)


def _flat(points: NDArray[np.generic]) -> NDArray[np.floating]:
    """Points ``(n, D)``; pixels in single precision, which tells them apart well enough."""
    return points.reshape(len(points), -1).astype(np.float32 if points.dtype == np.uint8 else np.float64)


def _distances(first: NDArray[np.floating], second: NDArray[np.floating]) -> Points:
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    distances: Points = np.sqrt(squares.clip(min=0)).astype(np.float64)
    return distances
