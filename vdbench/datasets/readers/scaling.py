"""How a frame is scaled: by Pillow, whose filter widens as it shrinks, or from two pixels per direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scaled(frame: NDArray[np.uint8], width: int, height: int, *, antialias: bool) -> NDArray[np.uint8]:
    """A frame of another size, bilinear.

    Args:
        frame: uint8 ``(H, W, 3)``.
        width: wanted, in pixels.
        height: wanted, in pixels.
        antialias: whether all pixels of the frame count where it is shrunk. Without, a pixel is mixed from the two by
            two around its place, as by OpenCV, whose numbers these are to one grey level.
    """
    if frame.shape[:2] == (height, width):
        return frame
    if antialias:
        return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))
    rows, columns = _taps(frame.shape[0], height), _taps(frame.shape[1], width)
    lines = _mixed(frame.astype(np.float64), *rows, axis=0)
    return np.floor(_mixed(lines, *columns, axis=1) + 0.5).astype(np.uint8)


def _taps(length: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each wanted place, the first of the two that it lies between, and how far it is towards the second."""
    places = np.clip((np.arange(wanted) + 0.5) * length / wanted - 0.5, 0, length - 1)
    first = np.minimum(places.astype(np.int64), max(0, length - 2))
    return first, places - first


def _mixed(
    values: NDArray[np.float64], first: NDArray[np.int64], share: NDArray[np.float64], axis: int
) -> NDArray[np.float64]:
    weight = np.expand_dims(share, tuple(other for other in range(values.ndim) if other != axis))
    second = np.minimum(first + 1, values.shape[axis] - 1)
    mixed: NDArray[np.float64] = values.take(first, axis) * (1 - weight) + values.take(second, axis) * weight
    return mixed
