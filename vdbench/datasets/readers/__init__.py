"""From a video file to the frames of its clip: several decoders, one way to scale and crop.

All readers return the picked frames upright and at their native size, so that the bytes of a clip agree as far as
the decoders do.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vdbench.datasets.readers.decoding import by_pyav
from vdbench.datasets.readers.libraries import (
    default_reader,
    load_reader,
    reader_title,
    reader_version,
)
from vdbench.datasets.readers.probe import Promise, ReadError, probe
from vdbench.datasets.readers.reader import READERS, Pass, Reader
from vdbench.datasets.readers.scaling import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.layouts.index import Segment

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


_HALF_MS = 0.0005
"""Segments are given in rounded seconds; the frame that begins there belongs to them."""


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a video file, or of a part of one.

    Attributes:
        frames: frames that could be decoded; of a part, those in it.
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


def read_frames(
    path: Path, geometry: Geometry, reader: str, segment: Segment | None = None
) -> tuple[NDArray[np.uint8], ClipFacts]:
    """Decode the clip of a video, or of a part of it, on one thread.

    What was decoded is counted, whatever the header says; a video shorter than the clip repeats its last frame. PyAV
    reads what decord cannot, or shows otherwise than it should: clips cut by an edit list, turned or mirrored ones,
    files with several videos, some narrow widths, AV1, and damaged files.

    Args:
        path: the video file.
        geometry: which frames, and their size.
        reader: the decoder.
        segment: from when to when the clip is shown, in seconds after the first frame; all of it when left out.

    Returns:
        uint8 ``(T, size, size, 3)``, RGB, several windows one after the other, and what is known of the file.

    Raises:
        ReadError: it is no video, or not one frame of it can be decoded, or it ends before its segment.
    """
    promise = probe(path)
    within, picks = _picks(geometry, promise.packets, promise.times, segment)
    done = READERS.get(reader)().decode(path, picks, promise)
    used = "pyav" if done is None else reader
    done = done or by_pyav(path, picks)
    if done.frames == 0:
        raise ReadError("has no frame that can be decoded")
    if done.frames != promise.packets:  # again, now that it is known how many there are
        within, picks = _picks(geometry, done.frames, done.times or by_pyav(path, ()).times, segment)
        done, used = by_pyav(path, picks), "pyav"
    if not within:
        raise ReadError("ends before its segment begins")
    native = [done.kept[i] for i in picks]
    height, width = native[0].shape[:2]
    clip = np.stack([_crop(frame, geometry) for frame in native])
    lost = _whole(done, promise) - done.frames
    return clip, ClipFacts(within, within + lost, promise.fps, width, height, used)


def _picks(geometry: Geometry, frames: int, times: Sequence[float], segment: Segment | None) -> tuple[int, list[int]]:
    """How many frames a segment has, at least the one that stands there, and the numbers of those that are picked."""
    if segment is None:
        return frames, geometry.picks(max(frames, 1))
    start, end = segment
    first = bisect_left(times, start - _HALF_MS)
    beyond = len(times) if end is None else bisect_left(times, end - _HALF_MS)
    if beyond <= first and 0 < first < len(times):
        first, beyond = first - 1, first
    within = max(0, beyond - first)
    return within, [first + pick for pick in geometry.picks(within)] if within else []


def _whole(done: Pass, promise: Promise) -> int:
    """Frames of the whole file. A sound packet without a frame of its own, as of one that was left out, lost none."""
    lost = done.damaged or promise.packets < promise.frames
    return max(done.frames, promise.frames) if lost else done.frames


def _crop(frame: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    wanted = geometry.scaled_size(width, height)
    left, top = ((side - geometry.size) // 2 for side in wanted)
    whole = scaled(frame, *wanted, antialias=geometry.antialias)
    return whole[top : top + geometry.size, left : left + geometry.size]
