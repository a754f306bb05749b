"""The step size that trajectory matching learns: a student's learning rate, by its value or by its logarithm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Form = Literal["plain", "log"]

SMALLEST_STEP = 1e-3
"""The learned step size is kept from falling below this."""


class StepSize:
    """A positive number a, learned by gradient descent on itself or on its logarithm.

    The matching loss is a ratio, so that its gradient in log a has no unit, and is cut off at 1: the learning rate is
    the largest share by which an iteration changes a, before momentum, whatever data and networks are. Descent on a
    itself has a learning rate in units of a squared, and a single large gradient throws it on its bound.

    Args:
        first: a before the first update, a scalar.
        form: what is learned: ``plain``, a itself; ``log``, its logarithm.

    Attributes:
        learned: a or log a, for an optimiser to update.
    """

    def __init__(self, first: torch.Tensor, form: Form) -> None:
        self._form = form
        self.learned = (first.log() if form == "log" else first.clone()).requires_grad_()

    @property
    def value(self) -> torch.Tensor:
        """a, without gradient."""
        learned = self.learned.detach()
        return learned.exp() if self._form == "log" else learned

    def descend(self, slope: torch.Tensor) -> None:
        """Give the optimiser its gradient, from that of the loss in a."""
        self.learned.grad = (self.value * slope).clamp(-1, 1) if self._form == "log" else slope

    def bound(self) -> None:
        """Keep a from becoming too small to learn from, or negative."""
        import torch

        least = math.log(SMALLEST_STEP) if self._form == "log" else SMALLEST_STEP
        with torch.no_grad():
            self.learned.clamp_(min=least)
