"""full: all train clips, the reference that methods are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card
from vdbench.selector import Selector, SelectorSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task


class Full(Selector[SelectorSettings]):
    """Every train clip; it has no IPC."""

    name: ClassVar[str] = "full"
    card: ClassVar[Card] = Card("All train clips, nothing distilled")
    budgeted: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """All of them."""
        return np.arange(k)
