"""Random clips for what is measured here: how fast they are computed on does not depend on what they show."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

try:  # an earlier version first, for --base: beside it, an editable installation finds the new modules as well
    from vdbench.clipset import ClipSet, Normalisation
except ImportError:
    from vdbench.clips.clipset import ClipSet, Normalisation

FIELDS = 4
"""Coloured fields along each side of a clip that can be told from those of other classes."""


def noise(count: int, classes: int, frames: int, size: int) -> ClipSet:
    """So many clips, class by class in turn."""
    return _named(np.random.default_rng(0).integers(0, 256, (count, frames, size, size, 3), dtype=np.uint8), classes)


@lru_cache(2)
def coloured(count: int, classes: int, frames: int, size: int, seed: int = 0, strength: int = 128) -> ClipSet:
    """So many clips, class by class in turn, each with colours of its class, and of another, under noise of its own.

    About a quarter of them have more of the other class, so that no network can tell all of them.

    Args:
        count: of clips.
        classes: of clips.
        frames: of a clip.
        size: of a frame in pixels.
        seed: of the noise; colours are the same for every seed.
        strength: of colours, of 256.
    """
    colours = strength * np.random.default_rng(1).random((classes, FIELDS, FIELDS, 3))
    places = np.arange(size) * FIELDS // size
    pixels = np.empty((count, frames, size, size, 3), np.uint8)
    chance = np.random.default_rng(seed)
    for number, clip in enumerate(pixels):
        share, other = chance.uniform(0.3, 1), chance.integers(classes)
        mixed = (share * colours[number % classes] + (1 - share) * colours[other]).astype(np.uint8)
        clip[:] = chance.integers(0, 257 - strength, clip.shape, dtype=np.uint8) + mixed[places][:, places]
    return _named(pixels, classes)


def _named(pixels: np.ndarray, classes: int) -> ClipSet:
    names, scale = tuple(map(str, range(len(pixels)))), Normalisation((0.5, 0.5, 0.5), (0.3, 0.3, 0.3))
    labels = np.arange(len(pixels)) % classes
    return ClipSet(pixels, labels, tuple(map(str, range(classes))), names, names, scale, "noise")
