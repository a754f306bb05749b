"""Random clips for what is measured here: how fast they are computed on does not depend on what they show."""

from __future__ import annotations

import numpy as np

try:
    from vdbench.clips.clipset import ClipSet, Normalisation
except ImportError:  # an earlier version, for --base
    from vdbench.clipset import ClipSet, Normalisation


def noise(count: int, classes: int, frames: int, size: int) -> ClipSet:
    """So many clips, class by class in turn."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, frames, size, size, 3), dtype=np.uint8)
    names, scale = tuple(map(str, range(count))), Normalisation((0.5, 0.5, 0.5), (0.3, 0.3, 0.3))
    return ClipSet(pixels, np.arange(count) % classes, tuple(map(str, range(classes))), names, names, scale, "noise")
