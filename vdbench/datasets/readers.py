"""From a video file to the frames of its clip: two decoders, one way to scale and crop.

Both decoders return the picked frames at their native size, so that the bytes of a clip agree as far as the decoders
do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from PIL import Image

from vdbench.errors import DependencyError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.datasets.geometry import Geometry

ReaderName = Literal["decord", "pyav"]
READERS: tuple[ReaderName, ...] = get_args(ReaderName)
_LIBRARIES: dict[ReaderName, str] = {"decord": "decord", "pyav": "av"}

Decoded = tuple[list["NDArray[np.uint8]"], int]
Pass = tuple[dict[int, "NDArray[np.uint8]"], int]

ESTIMATE = 0.95
"""Share of duration times frame rate that a container without a frame count surely promises."""


class ReadError(Exception):
    """A file that no clip can be made of; the message completes the sentence "this file ..."."""


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a video file.

    Attributes:
        frames: frames that could be decoded.
        header_frames: frames that the header promises; estimated from the duration where it holds no count.
        fps: frames per second.
        width: of a frame, in pixels.
        height: of a frame, in pixels.
    """

    frames: int
    header_frames: int
    fps: float
    width: int
    height: int


def reader_version(reader: ReaderName) -> str:
    """The version of a reader's library, which is part of what a store is.

    Raises:
        DependencyError: it is not installed.
    """
    library = _LIBRARIES[reader]
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        other = next(name for name in READERS if name != reader)
        raise DependencyError(
            f"the reader {reader} needs the library {library}; pip install {library}, or use --reader {other}"
        ) from None


def load_reader(reader: ReaderName) -> None:
    """Import what a reader needs now, so that its first file does not take longer than the others."""
    import_module("av")
    import_module(_LIBRARIES[reader])


def read_frames(path: Path, geometry: Geometry, reader: ReaderName) -> tuple[NDArray[np.uint8], ClipFacts]:
    """Decode the clip of a video, on one thread.

    What was decoded is counted, whatever the header says; a video shorter than the clip repeats its last frame.

    Args:
        path: the video file.
        geometry: which frames, and their size.
        reader: the decoder.

    Returns:
        uint8 ``(T, size, size, 3)``, RGB, and what is known of the file.

    Raises:
        ReadError: it is no video, or not one frame of it can be decoded.
    """
    packets, header_frames, fps = _header(path)
    native, frames = _decode(path, reader, geometry.picks, packets)
    if any(frame.ndim != 3 or frame.shape[2] != 3 for frame in native):  # decord gives more channels at some widths
        native, frames = _decode(path, "pyav", geometry.picks, packets)
    height, width = native[0].shape[:2]
    clip = np.stack([_crop(frame, geometry) for frame in native])
    return clip, ClipFacts(frames, header_frames, fps, width, height)


def _crop(frame: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    image = Image.fromarray(frame)
    scaled = geometry.scaled_size(width, height)
    if image.size != scaled:
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = ((side - geometry.size) // 2 for side in scaled)
    return np.asarray(image.crop((left, top, left + geometry.size, top + geometry.size)))


def _decode(path: Path, reader: ReaderName, picks: Callable[[int], Sequence[int]], expected: int) -> Decoded:
    """Decode from the first frame to the last, keeping the picked ones; again if the length was not as expected.

    Nothing seeks: in AVI files, which hold no presentation times, decord finds wrong frames by seeking.
    """
    decode = {"decord": _decord_pass, "pyav": _pyav_pass}[reader]
    while True:
        wanted = picks(max(expected, 1))
        kept, decoded = decode(path, set(wanted))
        if decoded == 0:
            raise ReadError("has no frame that can be decoded")
        if decoded == expected:
            return [kept[i] for i in wanted], decoded
        expected = decoded


def _decord_pass(path: Path, wanted: set[int]) -> Pass:
    """Every frame from first to last by decord: the wanted ones, and how many there were."""
    import decord

    errors = (decord.DECORDError, RuntimeError, IndexError, StopIteration)
    decord.logging.set_level(decord.logging.QUIET)
    try:
        reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    except errors as error:
        raise ReadError("cannot be opened by decord") from error
    kept: dict[int, NDArray[np.uint8]] = {}
    for i in range(len(reader)):
        try:
            frame = reader.next()
        except errors:
            return kept, i
        if i in wanted:
            kept[i] = frame.asnumpy()
    return kept, len(reader)


def _pyav_pass(path: Path, wanted: set[int]) -> Pass:
    """Every frame from first to last by PyAV: the wanted ones, and how many there were."""
    import av

    kept: dict[int, NDArray[np.uint8]] = {}
    decoded = 0
    with _open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:  # a damaged packet: the frames around it may still be good
                continue
            for frame in frames:
                if decoded in wanted:
                    kept[decoded] = frame.to_ndarray(format="rgb24")
                decoded += 1
    return kept, decoded


def _header(path: Path) -> tuple[int, int, float]:
    """Packets, frames promised, and frames per second."""
    import av

    with _open(path) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        seconds = (container.duration or 0) / 1e6
        packets = 0
        with suppress(av.FFmpegError):
            for packet in container.demux(stream):
                packets += packet.size > 0
        return packets, stream.frames or int(seconds * fps * ESTIMATE), round(fps, 6)


def _open(path: Path) -> Any:
    import av

    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise ReadError(f"cannot be opened as a video ({error.strerror})") from error
    if not container.streams.video:
        container.close()
        raise ReadError("holds no video stream")
    return container
