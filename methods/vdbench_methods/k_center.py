"""k-center: clips that leave no clip of their class far away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings
from vdbench.selector import FeatureSettings, Selector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task

ROWS = 1024
"""Clips that are multiplied at a time, which bounds the memory used."""


class KCenter(Selector[FeatureSettings]):
    """Farthest-first traversal that starts at the clip nearest to the class mean.

    Each further clip is the one whose distance to its nearest chosen clip is largest, the lowest of equals.
    """

    name: ClassVar[str] = "k-center"
    Settings: ClassVar[type[Settings]] = FeatureSettings
    seeded: ClassVar[bool] = False
    card: ClassVar[Card] = Card(
        "Greedy k-center cover of the class",
        paper="Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018",
        bibtex="""@inproceedings{sener2018coreset,
  title = {Active Learning for Convolutional Neural Networks: A Core-Set Approach},
  author = {Sener, Ozan and Savarese, Silvio},
  booktitle = {International Conference on Learning Representations},
  year = {2018},
}""",
    )

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> list[int]:
        """Greedy choice, without replacement."""
        from scipy.spatial.distance import cdist

        exact = features.astype(np.float64)
        # Times n, the distance to the mean of whole numbers is whole, and ties exact.
        total, some = exact.sum(axis=0)[None], range(0, len(exact), ROWS)
        from_mean = [cdist(total, len(exact) * exact[row : row + ROWS], "sqeuclidean")[0] for row in some]
        chosen = [int(np.argmin(np.concatenate(from_mean)))]
        distance = np.full(len(exact), np.inf)
        while len(chosen) < k:
            distance = np.minimum(distance, cdist(exact[chosen[-1:]], exact, "sqeuclidean")[0])
            distance[chosen[-1]] = -1  # below the zero of a duplicate, so that no clip is taken twice
            chosen.append(int(np.argmax(distance)))
        return chosen
