"""herding: clips whose mean follows the mean of their class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings
from vdbench.selector import FeatureSettings, Selector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task


class Herding(Selector[FeatureSettings]):
    """Greedily keeps the sum of the chosen features as close as it can to as many times the class mean.

    Clip n + 1 is the i that minimises ||(n + 1) mean - sum(chosen) - f_i||, the lowest i of equals.
    """

    name: ClassVar[str] = "herding"
    Settings: ClassVar[type[Settings]] = FeatureSettings
    seeded: ClassVar[bool] = False
    card: ClassVar[Card] = Card(
        "Greedy matching of the class mean",
        paper="Herding Dynamical Weights to Learn, ICML 2009",
        bibtex="""@inproceedings{welling2009herding,
  title = {Herding Dynamical Weights to Learn},
  author = {Welling, Max},
  booktitle = {International Conference on Machine Learning},
  pages = {1121--1128},
  year = {2009},
}""",
    )

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> list[int]:
        """Greedy choice, without replacement."""
        from scipy.spatial.distance import cdist

        centred = features.astype(np.float64)
        # With features centred, the criterion is ||sum(chosen) + f_i||. Times n, whole numbers stay whole, and
        # ties exact. In place, since a class may take most of the memory.
        total = centred.sum(axis=0)
        centred *= len(centred)
        centred -= total
        gone = np.zeros(len(centred))
        drift = np.zeros(centred.shape[1])
        chosen: list[int] = []
        for _ in range(k):
            best = int(np.argmin(cdist(-drift[None], centred, "sqeuclidean")[0] + gone))
            chosen.append(best)
            gone[best] = np.inf
            drift += centred[best]
        return chosen
