"""Videos as cameras, cutters and capture cards write them: whole, but not as plain as an encoder's own."""

import struct
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

ONE, W = 1 << 16, 1 << 30
MATRICES = {  # a, b, u, c, d, v, x, y, w of a display matrix: x' = a x + c y, y' = b x + d y
    "as it is": (ONE, 0, 0, 0, ONE, 0, 0, 0, W),
    "a quarter right": (0, ONE, 0, -ONE, 0, 0, 0, 0, W),
    "half round": (-ONE, 0, 0, 0, -ONE, 0, 0, 0, W),
    "a quarter left": (0, -ONE, 0, ONE, 0, 0, 0, 0, W),
    "left to right": (-ONE, 0, 0, 0, ONE, 0, 0, 0, W),
    "top to bottom": (ONE, 0, 0, 0, -ONE, 0, 0, 0, W),
    "along the diagonal": (0, ONE, 0, ONE, 0, 0, 0, 0, W),
    "along the other diagonal": (0, -ONE, 0, -ONE, 0, 0, 0, 0, W),
}


def numbered(frames: int, height: int = 32, width: int = 44) -> np.ndarray:
    """Each frame is one grey level, 3 apart, so that a frame's number can be read off it."""
    levels = (3 * np.arange(frames, dtype=np.uint8))[:, None, None, None]
    return np.broadcast_to(levels, (frames, height, width, 3)).copy()


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (frames, 48, 64, 3), dtype=np.uint8)


def cut_by_edit_list(source: Path, target: Path, first: int, until: int | None = None) -> None:
    """Copy the packets of an MP4 at 25 fps and show it from frame ``first`` on, and not after frame ``until``."""
    with av.open(str(source)) as whole, av.open(str(target), "w", format="mp4") as out:
        stream = whole.streams.video[0]
        copy = out.add_stream_from_template(stream)
        shift = round(Fraction(first, 25) / stream.time_base)
        for packet in whole.demux(stream):
            if packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                out.mux(packet)
    if until is not None:
        data = bytearray(target.read_bytes())
        (scale,) = struct.unpack_from(">I", data, data.find(b"mvhd") + 16)
        struct.pack_into(">I", data, data.find(b"elst") + 12, (until - first) * scale // 25)
        target.write_bytes(data)


def turn(path: Path, matrix: tuple[int, ...]) -> None:
    """Write a display matrix into an MP4."""
    data = bytearray(path.read_bytes())
    header = data.find(b"tkhd")
    struct.pack_into(">9i", data, header + (40 if data[header + 4] == 0 else 52) + 4, *matrix)
    path.write_bytes(bytes(data))


def rewrite(source: Path, target: Path, replace: Callable[[int, bytes], bytes | None]) -> None:
    """Copy an AVI packet by packet; ``replace(number, bytes)`` gives the new bytes, or None to drop the packet."""
    with av.open(str(source)) as whole, av.open(str(target), "w", format="avi") as out:
        stream = whole.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(whole.demux(stream)):
            data = replace(number, bytes(packet)) if packet.dts is not None else None
            if data is not None:
                new = av.Packet(data)
                new.pts, new.dts, new.duration, new.time_base = (
                    packet.pts,
                    packet.dts,
                    packet.duration,
                    packet.time_base,
                )
                new.stream, new.is_keyframe = copy, packet.is_keyframe
                out.mux(new)


def with_gaps(path: Path, pixels: np.ndarray, dropped: Collection[int]) -> None:
    """An AVI in which the muxer writes entries without data for dropped frames."""
    with av.open(str(path), "w", format="avi") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = pixels.shape[2], pixels.shape[1], "yuv420p"
        for number, frame in enumerate(pixels):
            if number not in dropped:
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                picture.pts, picture.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def left_out(number: int) -> bytes:
    """A frame of MPEG-4 at 25 fps that says "not coded": an encoder saw no change."""
    return b"\x00\x00\x01\xb6" + int(f"0101{number % 25:05b}1001111", 2).to_bytes(2, "big")


def add_cover(path: Path, video: np.ndarray | None) -> None:
    """An MP4 with sound, a white cover picture, and a video if one is given."""
    with av.open(str(path), "w", format="mp4") as out:
        cover = out.add_stream("png")
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 80, 80, "rgb24", Disposition.attached_pic
        stream = None if video is None else out.add_stream("libx264", rate=25, options={"crf": "8"})
        if video is not None:
            stream.width, stream.height, stream.pix_fmt = video.shape[2], video.shape[1], "yuv420p"
        sound = out.add_stream("aac", rate=44100)
        white = av.VideoFrame.from_ndarray(np.full((80, 80, 3), 255, np.uint8), format="rgb24")
        out.mux([*cover.encode(white), *cover.encode(None)])
        for frame in () if video is None else video:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        for number in range(40):
            samples = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            samples.rate, samples.pts = 44100, 1024 * number
            out.mux(sound.encode(samples))
        for ending in [sound] if stream is None else [stream, sound]:
            out.mux(ending.encode(None))


def two_videos(path: Path, first: np.ndarray, second: np.ndarray) -> None:
    """A file with two video streams."""
    with av.open(str(path), "w") as out:
        streams = []
        for pixels in (first, second):
            stream = out.add_stream("libx264", rate=25, options={"crf": "8"})
            stream.width, stream.height, stream.pix_fmt = pixels.shape[2], pixels.shape[1], "yuv420p"
            streams.append(stream)
        for stream, pixels in zip(streams, (first, second), strict=True):
            for number, frame in enumerate(pixels):
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                picture.pts, picture.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))


def encode(path: Path, pixels: np.ndarray, codec: str, **options: str) -> None:
    """Encode by any codec, at any width; the suffix decides the container.

    In a thread of its own, which ends: SVT-AV1 leaves the one that it was called in, of the superuser, under real-time
    scheduling, which all later threads and processes inherit.
    """
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_encode, path, pixels, codec, options).result()


def _encode(path: Path, pixels: np.ndarray, codec: str, options: dict[str, str]) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = pixels.shape[2], pixels.shape[1], "yuv420p"
        for frame in pixels:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        out.mux(stream.encode(None))


def tagged(path: Path, colour: tuple[int, int, int], space: int, frames: int = 20) -> None:
    """A video of one colour, converted by and tagged with a colour space: 1 is BT.709, 5 BT.601."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = space
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour, np.uint8), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=space)
            picture.pts, picture.time_base, picture.colorspace = number, Fraction(1, 25), space
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def stretched(source: Path, target: Path, when: Callable[[int], int]) -> None:
    """Copy a WebM packet by packet, each frame shown at the time of frame ``when(number)``."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as out:
        stream = whole.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(whole.demux(stream)):
            if packet.dts is not None:
                packet.pts = packet.dts = round(Fraction(when(number), 25) / stream.time_base)
                packet.stream = copy
                out.mux(packet)
