"""From a video file to the frames of its clip: several decoders, one way to scale and crop.

All readers return the picked frames upright and at their native size, so that the bytes of a clip agree as far as
the decoders do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vdbench.datasets.readers.decoding import by_pyav
from vdbench.datasets.readers.libraries import (
    default_reader,
    load_reader,
    reader_title,
    reader_version,
)
from vdbench.datasets.readers.probe import Promise, ReadError, probe
from vdbench.datasets.readers.reader import READERS, Pass, Reader

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.datasets.geometry import Geometry

__all__ = [
    "READERS",
    "ClipFacts",
    "ReadError",
    "Reader",
    "default_reader",
    "load_reader",
    "read_frames",
    "reader_title",
    "reader_version",
]


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a video file.

    Attributes:
        frames: frames that could be decoded.
        header_frames: frames that the whole file shows, more than ``frames`` only where some were lost; estimated
            from the duration where the header holds no count.
        fps: frames per second.
        width: of an upright frame, in pixels.
        height: of an upright frame, in pixels.
        reader: which decoder read it: PyAV reads what decord cannot.
    """

    frames: int
    header_frames: int
    fps: float
    width: int
    height: int
    reader: str


def read_frames(path: Path, geometry: Geometry, reader: str) -> tuple[NDArray[np.uint8], ClipFacts]:
    """Decode the clip of a video, on one thread.

    What was decoded is counted, whatever the header says; a video shorter than the clip repeats its last frame. PyAV
    reads what decord cannot, or shows otherwise than it should: clips cut by an edit list, turned or mirrored ones,
    files with several videos, some narrow widths, AV1, and damaged files.

    Args:
        path: the video file.
        geometry: which frames, and their size.
        reader: the decoder.

    Returns:
        uint8 ``(T, size, size, 3)``, RGB, and what is known of the file.

    Raises:
        ReadError: it is no video, or not one frame of it can be decoded.
    """
    promise = probe(path)
    picks = geometry.picks(max(promise.packets, 1))
    done = READERS.get(reader)().decode(path, picks, promise)
    used = "pyav" if done is None else reader
    done = done or by_pyav(path, picks)
    if done.frames == 0:
        raise ReadError("has no frame that can be decoded")
    if done.frames != promise.packets:  # again, now that it is known how many there are
        picks = geometry.picks(done.frames)
        done, used = by_pyav(path, picks), "pyav"
    native = [done.kept[i] for i in picks]
    height, width = native[0].shape[:2]
    clip = np.stack([_crop(frame, geometry) for frame in native])
    return clip, ClipFacts(done.frames, _whole(done, promise), promise.fps, width, height, used)


def _whole(done: Pass, promise: Promise) -> int:
    """Frames of the whole file. A sound packet without a frame of its own, as of one that was left out, lost none."""
    lost = done.damaged or promise.packets < promise.frames
    return max(done.frames, promise.frames) if lost else done.frames


def _crop(frame: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    image = Image.fromarray(frame)
    scaled = geometry.scaled_size(width, height)
    if image.size != scaled:
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = ((side - geometry.size) // 2 for side in scaled)
    return np.asarray(image.crop((left, top, left + geometry.size, top + geometry.size)))
