"""moderate: clips that are neither near the centre of their class nor far from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings
from vdbench.selector import FeatureSettings, Selector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task


class Moderate(Selector[FeatureSettings]):
    """Keeps the clips whose distance to the class mean is nearest to the median of these distances.

    The first of equals in the order of the class.
    """

    name: ClassVar[str] = "moderate"
    Settings: ClassVar[type[Settings]] = FeatureSettings
    seeded: ClassVar[bool] = False
    card: ClassVar[Card] = Card(
        "Clips at the median distance from the class mean",
        paper="Moderate Coreset: A Universal Method of Data Selection for Real-world Data-efficient Deep Learning, "
        "ICLR 2023",
        bibtex="""@inproceedings{xia2023moderate,
  title = {Moderate Coreset: A Universal Method of Data Selection for Real-world Data-efficient Deep Learning},
  author = {Xia, Xiaobo and Liu, Jiale and Yu, Jun and Shen, Xu and Han, Bo and Liu, Tongliang},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
}""",
    )

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """The k nearest to the median distance."""
        exact = features.astype(np.float64)
        distance = np.linalg.norm(exact - exact.mean(axis=0), axis=1)
        return np.argsort(np.abs(distance - np.median(distance)), kind="stable")[:k]
