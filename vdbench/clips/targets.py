"""Labels as distributions over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def nearest_distribution(labels: torch.Tensor) -> torch.Tensor:
    """The distribution over classes that is nearest to each row.

    The Euclidean projection on the simplex: what is added to each value so that those above zero sum to one. A constant
    that is added to a whole row changes nothing, so rows may be centred.

    Args:
        labels: ``(n, classes)``, one-hot or learned labels less their mean, for example.
    """
    import torch

    descending = labels.sort(dim=1, descending=True).values
    counts = torch.arange(1, labels.shape[1] + 1, device=labels.device)
    shifts = (1 - descending.cumsum(dim=1)) / counts
    last = (descending + shifts > 0).sum(dim=1, keepdim=True)
    return (labels + shifts.gather(1, last - 1)).clamp(min=0)
