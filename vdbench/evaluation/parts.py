"""Networks that are only read, in smaller parts where the memory of a GPU does not do for a whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

PARTS = 8
"""In how many parts a batch is read that did not fit."""


def in_parts(network: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    """What a network makes of inputs, of which none has a part in another's output.

    Only where the memory of the GPU runs out are they read in :data:`PARTS` parts, once. Training is not split so: its
    sums would round otherwise, and some layers normalise by the whole batch.

    Args:
        network: from inputs to as many outputs, in evaluation mode and without gradients.
        inputs: ``(n, ...)``.

    Returns:
        ``(n, ...)``.

    Raises:
        torch.cuda.OutOfMemoryError: a part does not fit either.
    """
    import torch

    try:
        return network(inputs)
    except torch.cuda.OutOfMemoryError:
        pass  # and the error is let go of, whose traceback holds what did not fit
    torch.cuda.empty_cache()
    return torch.cat([network(part) for part in torch.split(inputs, -(-len(inputs) // PARTS))])
