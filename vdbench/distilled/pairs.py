"""Which image and which motion of a class make each clip of an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdbench.seeding import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw_pairs(static: int, dynamic: int, ipc: int, classes: int, draw: int | None) -> torch.Tensor:
    """Which image and which motion make each clip of an epoch.

    Within a class each is used once before any is used again; which go together is drawn anew for every epoch.

    Args:
        static: images per class.
        dynamic: motions per class.
        ipc: clips per class.
        classes: how many there are.
        draw: the epoch's number for chance; None pairs the first image with the first motion, and so on.

    Returns:
        int64 ``(2, classes * ipc)``: rows of the images and of the motions.
    """
    rng = None if draw is None else generator(draw, "pairs")

    def order(count: int) -> NDArray[np.int64]:
        rounds = [np.arange(count) if rng is None else rng.permutation(count) for _ in range(-(-ipc // count))]
        return np.concatenate(rounds)[:ipc]

    chosen = [(label * static + order(static), label * dynamic + order(dynamic)) for label in range(classes)]
    return torch.from_numpy(np.stack([np.concatenate(side) for side in zip(*chosen, strict=True)]))


def same_numbers(static: int, dynamic: int, ipc: int, classes: int, draw: int | None) -> torch.Tensor:
    """Every image with the motion of the same number, in every epoch; as many of either as there are clips.

    Arguments and answer are those of :func:`draw_pairs`.
    """
    return torch.arange(classes * ipc).expand(2, -1)


def draw_within_slots(static: int, dynamic: int, ipc: int, classes: int, draw: int | None) -> torch.Tensor:
    """Pairs as the public code draws them: every clip of a class has images and motions of its own, and of no other.

    Which image and which motion of its own make a clip is drawn anew for every epoch, one independently of the other.

    Args:
        static: images per class, a multiple of ``ipc``.
        dynamic: motions per class, a multiple of ``ipc``.
        ipc: clips per class.
        classes: how many there are.
        draw: as for :func:`draw_pairs`; None takes the first of each clip's own.

    Returns:
        As :func:`draw_pairs`.
    """
    rng, slots = None if draw is None else generator(draw, "slots"), np.arange(classes * ipc)
    chosen = []
    for count in (static, dynamic):
        own = count // ipc
        chosen.append(own * slots + (0 if rng is None else rng.integers(own, size=len(slots))))
    return torch.from_numpy(np.stack(chosen))
