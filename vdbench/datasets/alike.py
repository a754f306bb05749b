"""Clips that look alike, by a cheap hash of a few frames: the same scene in train and in test flatters every method."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vdbench.datasets.geometry import evenly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdbench.datasets.manifest import Manifest, StoredClip

SIDE = 16
"""Rows of a frame's hash, and bits in a row."""
SHOTS = 3
"""Frames of a clip that are hashed."""
CONTRAST = 4
"""Levels of 255 by which neighbours differ at least where one is brighter: less is noise."""
ALIKE = 0.6
"""Share of the bits of either clip that clips which look alike have in common at least."""
_BLOCK = 2048


def looks_of(clip: NDArray[np.uint8]) -> str:
    """What a clip looks like: where a coarse grey picture of each of three frames becomes brighter to the right.

    Args:
        clip: uint8 ``(T, H, W, 3)``.

    Returns:
        ``SHOTS * SIDE * SIDE`` bits in hexadecimal digits.
    """
    bits = []
    for place in evenly(len(clip), SHOTS):
        grey = Image.fromarray(clip[place]).convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
        levels = np.asarray(grey).astype(np.int16)
        bits.append(levels[:, 1:] - levels[:, :-1] >= CONTRAST)
    return np.packbits(np.stack(bits)).tobytes().hex()


def alike(first: Sequence[str], second: Sequence[str]) -> dict[int, int]:
    """Which of the first looks nearly agree with one of the second.

    Compared in blocks, and one partner kept of each: clips that all look alike have a pair for every two of them.
    Pictures in which nothing is brighter than its neighbour, such as black ones, are like no other.

    Returns:
        The position of each such look in the first list, and that of the look in the second that it agrees with most.
    """
    closest = np.zeros(len(first))
    partners = np.zeros(len(first), dtype=np.int64)
    for row in range(0, len(first), _BLOCK):
        rows, part = _bits(first[row : row + _BLOCK]), slice(row, row + _BLOCK)
        for column in range(0, len(second), _BLOCK):
            columns = _bits(second[column : column + _BLOCK])
            common = rows @ columns.T
            share = common / np.maximum(rows.sum(axis=1)[:, None] + columns.sum(axis=1)[None] - common, 1)
            best = share.argmax(axis=1)
            found = share[np.arange(len(rows)), best]
            partners[part] = np.where(found > closest[part], column + best, partners[part])
            closest[part] = np.maximum(found, closest[part])
    return {int(position): int(partners[position]) for position in np.flatnonzero(closest >= ALIKE)}


def _bits(looks: Sequence[str]) -> NDArray[np.float32]:
    """A row of 1 and 0 for each: the product of two counts the bits that both have."""
    packed = np.frombuffer(bytes.fromhex("".join(looks)), dtype=np.uint8).reshape(len(looks), -1)
    return np.unpackbits(packed, axis=1).astype(np.float32)


def tell_alike(manifest: Manifest) -> None:
    """Warn of each split that has clips in test which nearly look like clips in train."""
    for split in manifest.spec.splits:
        train, test = ([c for c in manifest.usable(split, role) if c.decode.looks] for role in ("train", "test"))
        pairs = alike(_looks(test), _looks(train))
        if pairs:
            one, other = next(iter(pairs.items()))
            warnings.warn(
                f"{len(pairs)} of {len(test)} test clips of {manifest.spec.name}, split {split}, look nearly like "
                f"train clips, such as {test[one].id} like {train[other].id}; if they were cut from one recording, "
                "name what they share as their group",
                stacklevel=2,
            )


def _looks(clips: Sequence[StoredClip]) -> list[str]:
    return [clip.decode.looks or "" for clip in clips]
