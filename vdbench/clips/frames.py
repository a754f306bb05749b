"""A clip as files that any player or picture viewer opens: one H.264 movie, or a PNG per frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.clips.codecs import COARSEST
from vdbench.clips.streams import ENCODERS, LEAST, PLANES, TREE, conversion
from vdbench.errors import DataError, DependencyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RATE = 8
"""Frames per second of a movie: clips are short, and their own rate is not known."""
QUALITY = 18
"""Of movies where nothing is said: hard to tell from the original."""


@dataclass(frozen=True)
class Frames:
    """How the frames of a clip are written.

    Attributes:
        quality: constant rate factor of an H.264 movie, 0 best .. 51; None for PNG, which loses nothing.
    """

    quality: int | None = QUALITY

    def __str__(self) -> str:
        """The text that :func:`parse_frames` reads."""
        return "png" if self.quality is None else f"h264:{self.quality}"

    def encode(self, clip: NDArray[np.uint8]) -> list[tuple[str, bytes]]:
        """The files of a clip: the end of each one's name, such as ``mp4`` or ``03.png``, and its bytes.

        Equal clips give equal bytes.

        Args:
            clip: uint8 ``(T, H, W, 3)``.

        Raises:
            UsageError: a movie is asked for, and the frames are too small for one.
        """
        if self.quality is not None:
            return [("mp4", _movie(clip, self.quality))]
        width = max(2, len(str(len(clip) - 1)))
        return [(f"{number:0{width}}.png", _picture(frame)) for number, frame in enumerate(clip)]

    def decode(self, contents: Sequence[bytes]) -> NDArray[np.uint8]:
        """The clip of files that :meth:`encode` made, in their order: uint8 ``(T, H, W, 3)``.

        Raises:
            DataError: one cannot be decoded, or frames differ in size.
        """
        frames = [frame for content in contents for frame in (_frames if self.quality is not None else _image)(content)]
        if not frames or len({frame.shape for frame in frames}) > 1:
            raise DataError("it has no frames, or frames of several sizes")
        return np.stack(frames)


def parse_frames(text: str) -> Frames:
    """``png``, ``h264`` or ``h264:28``.

    Raises:
        UsageError: it is none of these.
    """
    found = re.fullmatch(r"png|h264(?::(0|[1-9][0-9]?))?", text)
    quality = None if text == "png" else int(found[1]) if found and found[1] else QUALITY
    if found is None or (quality or 0) > COARSEST:
        raise UsageError(f"frames cannot be written as '{text}'; write png, or h264 with a quality, as in h264:18")
    return Frames(quality)


def _movie(clip: NDArray[np.uint8], quality: int) -> bytes:
    """A movie of planes as large as the frame, so that small clips keep their colours."""
    import av
    from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

    height, width = clip.shape[1:3]
    if min(height, width) < LEAST["h264"]:
        raise UsageError(f"frames of {height}x{width} pixels are too small for H.264; write them with --frames png")
    buffer, colours, planes = BytesIO(), VideoReformatter(), conversion("dst")
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        try:
            stream: Any = container.add_stream(ENCODERS["h264"], rate=RATE)
        except ValueError as error:
            raise DependencyError("PyAV was built without libx264; install its wheel from PyPI") from error
        stream.width, stream.height, stream.pix_fmt = width, height, PLANES
        context = stream.codec_context
        context.thread_count = 1
        context.colorspace, context.color_range = int(Colorspace.ITU601), int(ColorRange.MPEG)
        stream.options = {"crf": str(quality), "tune": "psnr", "x264-params": TREE}
        for number, frame in enumerate(clip):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture = colours.reformat(picture, format=PLANES, **planes)
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _frames(content: bytes) -> list[NDArray[np.uint8]]:
    import av
    from av.video.reformatter import VideoReformatter

    colours, planes = VideoReformatter(), conversion("src")
    try:
        with av.open(BytesIO(content), "r") as container:
            pictures = list(container.decode(video=0))
        rgb = (colours.reformat(picture, format="rgb24", **planes).to_ndarray() for picture in pictures)
        return [frame.astype(np.uint8, copy=False) for frame in rgb]
    except (av.FFmpegError, IndexError) as error:
        raise DataError(f"it is no movie that can be decoded ({error})") from error


def _picture(frame: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(frame)).save(buffer := BytesIO(), format="PNG")
    return buffer.getvalue()


def _image(content: bytes) -> list[NDArray[np.uint8]]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(content)) as image:
            return [np.asarray(image.convert("RGB"))]
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DataError(f"it is no picture that can be decoded ({error})") from error
