"""What logits are worth: shares of clips whose class is among the most likely, and the place of each clip's class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdbench.outcomes import Places

if TYPE_CHECKING:
    import torch


def top_k(logits: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    """Share of clips whose class is among the k most likely, 0..1, ties as in :func:`credits`."""
    return float(credits(logits, labels, k).mean())


def macro(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Top-1 of each class that has test clips, averaged over these classes, 0..1."""
    won = credits(logits, labels, 1)
    return float(np.mean([float(won[labels == label].mean()) for label in set(labels.tolist())]))


def credits(logits: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """For each clip, the chance that its class is among the k most likely: 0 or 1 unless there are ties.

    Ties are neither won nor lost: a clip whose class shares its logit with others counts by the chance that
    it is among the first k when they are put in random order. So a student that says the same of every class
    scores exactly k over the number of classes.

    Args:
        logits: finite, ``(N, classes)``.
        labels: int64 ``(N,)``.
        k: how many guesses a clip has.

    Returns:
        float64 ``(N,)``.
    """
    import torch

    return torch.from_numpy(places(logits, labels).won(k))


def places(logits: torch.Tensor, labels: torch.Tensor) -> Places:
    """Where the class of each clip came, for logits and labels as :func:`credits` takes them."""
    own = logits.gather(1, labels.unsqueeze(1))
    return Places((logits > own).sum(dim=1).numpy(), (logits == own).sum(dim=1).numpy() - 1)
