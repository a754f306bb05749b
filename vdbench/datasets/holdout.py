"""Holding out a validation part of a train split, by group, so that clips of one source stay on one side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hold_out(labels: NDArray[np.int64], groups: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Choose groups to hold out, about a share of every class.

    Groups are visited in random order; one is held out if that brings the classes' held-out counts closer to the share
    and leaves every class a clip to train on. A class that got nothing then gets its smallest group that may go.
    A class with only one group stays in train.

    Args:
        labels: int64 ``(N,)``, the class of each clip.
        groups: the group of each clip; several classes may share one.
        share: of each class's clips, 0..1.
        seed: decides the order.

    Returns:
        bool ``(N,)``, true for the clips that are held out.
    """
    if share <= 0:
        return np.zeros(len(labels), dtype=bool)
    members: dict[str, Counter[int]] = defaultdict(Counter)
    for label, group in zip(labels.tolist(), groups, strict=True):
        members[group][label] += 1
    total = Counter(labels.tolist())
    names = sorted(members)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    held: Counter[int] = Counter()
    chosen: set[str] = set()

    def may_go(group: str) -> bool:
        return group not in chosen and all(held[c] + n < total[c] for c, n in members[group].items())

    def take(group: str) -> None:
        chosen.add(group)
        held.update(members[group])

    for group in order:
        change = sum(
            abs(held[c] + n - share * total[c]) - abs(held[c] - share * total[c]) for c, n in members[group].items()
        )
        if change < 0 and may_go(group):
            take(group)
    for label in sorted(total):
        if held[label] == 0:
            fitting = [group for group in order if label in members[group] and may_go(group)]
            if fitting:
                take(min(fitting, key=lambda group: members[group].total()))
    return np.array([group in chosen for group in groups], dtype=bool)
