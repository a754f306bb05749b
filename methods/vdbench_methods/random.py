"""random: the control that every method has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card
from vdbench.selector import Selector, SelectorSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdbench.method import Task


class Random(Selector[SelectorSettings]):
    """Clips drawn uniformly without replacement, anew for every seed."""

    name: ClassVar[str] = "random"
    card: ClassVar[Card] = Card("Random clips of each class")

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """The first k of a random order."""
        return rng.permutation(len(features))[:k]
