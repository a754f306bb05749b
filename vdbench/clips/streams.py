"""Clips as one H.264 or H.265 stream and back: raw Annex B, no container, one header, a key frame per clip.

Pixels are kept as ``yuv444p`` (BT.601, studio range): all three planes have the size of the frame, so that tiny frames
keep their colours and odd sizes work. Frames that are too small for an encoder have their border repeated for it, and
are cut again by the decoder. Encoders are tuned for squared error, since networks and not eyes look at the clips, and
use one thread, so that equal clips give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vdbench.errors import DataError, DependencyError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Standard = Literal["h264", "h265"]

ENCODERS = {"h264": "libx264", "h265": "libx265"}
DECODERS = {"h264": "h264", "h265": "hevc"}
LEAST = {"h264": 16, "h265": 24}
"""Height and width that an encoder is given, at least."""
PLANES = "yuv444p"
TREE = "mbtree=0"
"""x264's tree of macroblocks reads memory that was never written where a row has few: other bytes every time."""
# A message of x264's version and options, some 700 bytes: a unit of type 6 from one start code to the next.
NOTE = re.compile(rb"\x00{2,3}\x01\x06.*?(?=\x00{2,3}\x01)", re.DOTALL)


def encode(clips: NDArray[np.uint8], standard: Standard, quality: int) -> bytes:
    """Encode clips one after the other, each as a closed group of pictures.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``, RGB; read frame by frame, so that it may be memory-mapped.
        standard: of the stream.
        quality: constant rate factor, 0 best .. 51. At 0, H.264 loses nothing but what turning colours into integers
            of another space does: a pixel is off by at most 2.

    Returns:
        The stream. It holds neither ``N`` nor ``T``, which :func:`decode` has to be told.

    Raises:
        UsageError: there is no frame.
        DependencyError: the installed PyAV has no such encoder.
    """
    import av
    from av.video.reformatter import VideoReformatter

    if 0 in clips.shape:
        raise UsageError(f"clips {clips.shape} have no frame that could be stored as {standard}")
    context, colours, planes = _encoder(standard, quality, clips.shape), VideoReformatter(), conversion("dst")
    stream = bytearray(context.extradata)
    for i, frame in enumerate(frame for clip in clips for frame in clip):
        picture = av.VideoFrame.from_ndarray(_padded(frame, LEAST[standard]), format="rgb24")
        picture = colours.reformat(picture, format=PLANES, **planes)
        picture.pts = i
        stream += b"".join(map(bytes, context.encode(picture)))
    stream += b"".join(map(bytes, context.encode(None)))
    return NOTE.sub(b"", stream, count=1) if standard == "h264" else bytes(stream)


def decode(stream: bytes, standard: Standard, shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The clips of a stream, uint8 ``(N, T, H, W, 3)``, RGB.

    Args:
        stream: that :func:`encode` made.
        standard: of the stream.
        shape: ``(N, T, H, W)``.

    Raises:
        DataError: the stream cannot be decoded, or its frames are not as many or as large as the shape says. Bytes
            that were changed can also give other pixels without an error.
    """
    import av
    from av.video.reformatter import VideoReformatter

    count, frames, height, width = shape
    least = LEAST[standard]
    broken = f"the {standard} stream of {count} clips is broken ({{}}); make the distilled set again"
    context: Any = av.CodecContext.create(DECODERS[standard], "r")
    context.thread_count, context.thread_type = 1, "NONE"
    context.options = {"err_detect": "explode"}
    colours, planes, done = VideoReformatter(), conversion("src"), 0
    ahead = memoryview(stream + bytes(64))[: len(stream)]  # the parser looks a few bytes past the end
    try:
        packets = [*context.parse(ahead), *context.parse(None)]
        if len(packets) != count * frames:
            raise DataError(broken.format(f"{len(packets)} frames instead of {count * frames}"))
        pixels = np.empty((count * frames, height, width, 3), dtype=np.uint8)
        for picture in _pictures(context, packets):
            if (picture.height, picture.width) != (max(height, least), max(width, least)):
                raise DataError(broken.format(f"frames of {picture.height}x{picture.width}, not {height}x{width}"))
            frame = colours.reformat(picture, format="rgb24", **planes).to_ndarray()
            pixels[done] = frame[:height, :width]
            done += 1
    except av.FFmpegError as error:
        raise DataError(broken.format(error.strerror)) from error
    if done != len(pixels):
        raise DataError(broken.format(f"{done} frames instead of {len(pixels)}"))
    return pixels.reshape(count, frames, height, width, 3)


def _encoder(standard: Standard, quality: int, shape: tuple[int, ...]) -> Any:
    """An open encoder for clips of a shape, its header in ``extradata`` and nowhere else."""
    import av
    from av.codec.context import Flags

    _, frames, height, width, _ = shape
    try:
        context: Any = av.CodecContext.create(ENCODERS[standard], "w")
    except ValueError as error:
        sentence = f"PyAV was built without {ENCODERS[standard]}, which writes {standard}; install its wheel from PyPI"
        raise DependencyError(sentence) from error
    context.width, context.height = max(width, LEAST[standard]), max(height, LEAST[standard])
    context.pix_fmt = PLANES
    context.time_base, context.framerate, context.thread_count = Fraction(1, 25), Fraction(25), 1
    context.flags |= int(Flags.global_header) | int(Flags.closed_gop)
    groups = f"keyint={frames}:min-keyint={frames}:scenecut=0"
    own = TREE if standard == "h264" else _x265(min(context.width, context.height))
    options = {"h264": "x264-params", "h265": "x265-params"}[standard]
    context.options = {"crf": str(quality), "tune": "psnr", options: f"{groups}:{own}"}
    context.open()
    return context


def _x265(side: int) -> str:
    """Settings that keep x265 4.x quiet, on one thread, and out of its errors on small frames.

    Its ``cutree`` writes past its arrays where a row has few blocks. Where one coding unit spans the height or the
    width of a frame, it reads memory that was never written, and predicts other pixels than the decoder.
    """
    unit = 64 if side > 64 else 32 if side > 32 else 16
    return f"ctu={unit}:cutree=0:pools=none:frame-threads=1:wpp=0:info=0:log-level=none"


def _pictures(context: Any, packets: list[Any]) -> Iterator[Any]:
    """Decoded frames in the order of time, the last ones after all packets."""
    for packet in (*packets, None):
        yield from context.decode(packet)


def conversion(side: Literal["src", "dst"]) -> dict[str, Any]:
    """How colours are converted: on one thread, and with equal results on every processor.

    Args:
        side: where the planes are: ``dst`` to encode pictures, ``src`` to decode them.

    Returns:
        Arguments of PyAV's ``VideoReformatter.reformat``.
    """
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT
    planes = {f"{side}_colorspace": int(Colorspace.ITU601), f"{side}_color_range": int(ColorRange.MPEG)}
    return {**planes, "interpolation": int(exact), "threads": 1}


def _padded(frame: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    """A frame with its border repeated below and to the right up to the size that encoders take."""
    missing = [(0, max(0, least - side)) for side in frame.shape[:2]]
    return np.ascontiguousarray(np.pad(frame, (*missing, (0, 0)), mode="edge"))
