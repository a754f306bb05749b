"""Reading the clips of a store in the shape of a view: in the middle of a video, or from a random start.

A random reading is one of the windows that the store holds of a video, mirrored or not, as the public code of the field
reads clips: train clips once, test clips anew for every test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vdbench.datasets.geometry import evenly
from vdbench.seeding import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.datasets.store import ClipStore


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of the videos of a store, in another shape.

    Attributes:
        store: with one window of every video or several.
        frames: frames per clip, evenly picked from those of a window.
        size: side in pixels.
    """

    store: ClipStore
    frames: int
    size: int

    def middle(self, row: int) -> NDArray[np.uint8]:
        """The window nearest to the middle of a video: uint8 ``(frames, size, size, 3)``."""
        return self._window(row, (self.store.manifest.geometry.windows - 1) // 2)

    def at_random(self, row: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A window drawn at random, mirrored every other time unless classes have a direction."""
        window = int(rng.integers(self.store.manifest.geometry.windows))
        mirrored = rng.random() < 0.5 and not self.store.manifest.spec.directed
        clip = self._window(row, window)
        return clip[:, :, ::-1] if mirrored else clip

    def _window(self, row: int, window: int) -> NDArray[np.uint8]:
        stored = self.store.manifest.geometry.frames
        picks = [window * stored + pick for pick in evenly(stored, self.frames)]
        return shrunk(self.store.clips[row][picks], self.size)


@dataclass(frozen=True, eq=False)
class Readings:
    """Test clips that are read at random, and anew for every network.

    Attributes:
        windows: of their pixels.
        rows: of the clips in the store, those of one reading after those of another.
        count: how often each clip is read.
        first: these clips as seed 0 reads them.
    """

    windows: Windows
    rows: tuple[int, ...]
    count: int
    first: ClipSet

    def of(self, seed: int) -> ClipSet:
        """The clips as a network of this seed is shown them, in memory."""
        rng, clips = generator(seed, "readings"), np.empty(self.first.clips.shape, np.uint8)
        for place, row in enumerate(self.rows):
            clips[place] = self.windows.at_random(row, rng)
        return replace(self.first, clips=clips)


def shrunk(clip: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Frames at the size of a suite, each pixel the mean of the area that it covers.

    Args:
        clip: uint8 ``(T, H, W, 3)``, with H equal to W.
        size: side in pixels, at most H.
    """
    if clip.shape[1] == size:
        return clip
    frames = [np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BOX)) for frame in clip]
    return np.stack(frames)
