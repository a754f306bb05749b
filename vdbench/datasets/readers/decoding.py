"""Decoding from the first frame to the last, by decord and by PyAV.

Nothing seeks: in AVI files, which hold no presentation times, decord finds wrong frames by seeking. What decord does
not show as it should, it declines, and PyAV decodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vdbench.datasets.readers.libraries import library_version
from vdbench.datasets.readers.probe import Orientation, Promise, after_first, open_video, orientation
from vdbench.datasets.readers.reader import Pass, Reader

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray


class Decord(Reader):
    """decord, or another distribution of a module ``decord``."""

    name: ClassVar[str] = "decord"

    def version(self) -> str:
        """See :meth:`Reader.version`; ``decord2 3.4.0`` for another distribution than decord's own."""
        return library_version("decord")

    def decode(self, path: Path, wanted: Collection[int], promise: Promise) -> Pass | None:
        """See :meth:`Reader.decode`."""
        return by_decord(path, wanted, promise) if promise.plain else None


class PyAV(Reader):
    """PyAV, which reads whatever FFmpeg reads."""

    name: ClassVar[str] = "pyav"

    def version(self) -> str:
        """See :meth:`Reader.version`."""
        return library_version("pyav")

    def decode(self, path: Path, wanted: Collection[int], promise: Promise) -> Pass:
        """See :meth:`Reader.decode`; it declines nothing."""
        return by_pyav(path, wanted)


def by_pyav(path: Path, wanted: Collection[int]) -> Pass:
    """Decode a file by PyAV, which drops what an edit list hides; the frames around a damaged packet are good."""
    import av
    from av.video.reformatter import VideoReformatter

    done, shown = Pass(), list[float | None]()
    colours: Any = VideoReformatter()
    with open_video(path) as (container, stream):
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                done.damaged += 1
                continue
            for frame in frames:
                if done.frames in wanted:
                    picture = colours.reformat(frame, format="rgb24", threads=1)  # else one for each core
                    done.kept[done.frames] = _upright(picture.to_ndarray(), orientation(frame))
                shown.append(frame.time)
                done.frames += 1
    done.times = after_first(shown, rate)
    return done


def by_decord(path: Path, wanted: Collection[int], promise: Promise) -> Pass | None:
    """Decode a file by decord; None unless each packet gives one frame of the promised size, or in doubt.

    Decord repeats the last frame for packets that show nothing, such as those of frames that an encoder left out.
    """
    import decord

    errors = (decord.DECORDError, RuntimeError, IndexError, StopIteration)
    decord.logging.set_level(decord.logging.QUIET)
    done, shape = Pass(), (*promise.size, 3)
    try:
        reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
        if len(reader) != promise.packets:
            return None
        ending: list[NDArray[np.uint8]] = []
        for i in range(promise.packets):
            frame = reader.next()
            if i in wanted or i >= promise.packets - 2:
                pixels = frame.asnumpy()
                if pixels.shape != shape or pixels.dtype != np.uint8:
                    return None
                if i in wanted:
                    done.kept[i] = pixels
                ending = [*ending[-1:], pixels]
    except errors:
        return None
    done.frames = promise.packets
    stands_still = len(ending) > 1 and np.array_equal(ending[-2], ending[-1])
    return None if stands_still and by_pyav(path, ()).frames != promise.packets else done


def _upright(pixels: NDArray[np.uint8], wanted: Orientation) -> NDArray[Any]:
    turned = pixels.swapaxes(0, 1) if wanted.swapped else pixels
    turned = turned[::-1] if wanted.upside_down else turned
    return turned[:, ::-1] if wanted.mirrored else turned
