"""What a video file promises before it is decoded: the frames that it shows, and how they lie on the screen.

Every packet is read, none is decoded beyond the first frame. A header alone does not tell: it counts packets that an
edit list hides and, in AVI files, entries without data where frames were dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

WHOLE = 0.95
"""Share of the duration that the packets of a file without a frame count reach, if nothing was cut off."""


TRANSPORT_STREAM = "mpegts"
"""Of these decord 0.6 may never return the first group of pictures, and fills up the end with repeats."""


class ReadError(Exception):
    """A file that no clip can be made of; the message completes the sentence "this file ..."."""


@dataclass(frozen=True)
class Orientation:
    """How a frame is turned to stand upright: rows and columns swapped first, then mirrored.

    Attributes:
        swapped: whether its rows become columns.
        upside_down: whether top and bottom are then exchanged.
        mirrored: whether left and right are then exchanged.
    """

    swapped: bool = False
    upside_down: bool = False
    mirrored: bool = False


@dataclass(frozen=True)
class Promise:
    """What is known of a video file before it is decoded.

    Attributes:
        packets: packets that hold a frame to be shown.
        frames: packets that there would be if nothing of the file were lost.
        fps: frames per second.
        size: height and width of a frame as it is coded, in pixels.
        times: when each of these packets' frames is shown, in seconds after the first, in that order.
        plain: whether every packet is of the only video and shown as it is coded, so that decord can be trusted.
    """

    packets: int
    frames: int
    fps: float
    size: tuple[int, int]
    plain: bool
    times: tuple[float, ...] = ()


def probe(path: Path) -> Promise:
    """Read all packets of a file.

    Raises:
        ReadError: it is no video.
    """
    import av

    packets, hidden, reached = 0, 0, 0.0
    first: Any = None
    shown: list[float | None] = []
    with open_video(path) as (container, stream):
        units = {other.index: other.time_base for other in container.streams}  # of a packet, made anew when asked for
        with suppress(av.FFmpegError):
            for packet in container.demux():
                unit = units[packet.stream.index]
                reached = max(reached, _end(packet, unit))
                if packet.stream.index != stream.index or packet.size == 0:
                    continue
                if not packet.is_discard:
                    shown.append(None if packet.pts is None else _seconds(packet.pts, unit))
                packets, hidden = packets + (not packet.is_discard), hidden + packet.is_discard
                first = _first_frame(packet) if first is None else first
        reached -= (container.start_time or 0) / 1e6
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        shape = stream.codec_context if first is None else first
        return Promise(
            packets=packets,
            frames=_promised(path, container, stream, packets, hidden, reached),
            fps=round(fps, 6),
            size=(shape.height, shape.width),
            plain=not hidden
            and not path.is_dir()
            and container.format.name != TRANSPORT_STREAM
            and len(_videos(container)) == 1
            and (first is None or orientation(first) == Orientation()),
            times=tuple(after_first(shown, fps)),
        )


def after_first(times: Sequence[float | None], fps: float) -> list[float]:
    """When frames are shown, in seconds after the first one and in order; by their rate where a time is not known.

    Args:
        times: of the file, in any order; None where it does not say, as AVI files do not.
        fps: frames per second.
    """
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(set(known)) < len(known):
        return [number / fps if fps else 0.0 for number in range(len(times))]
    return [time - min(known) for time in sorted(known)]


@contextmanager
def open_video(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file and its first video stream, set to decode on one thread. A cover picture is no video.

    A folder of numbered JPEG files is a video too, of 12 frames per second, as Jester is handed out.

    Raises:
        ReadError: it cannot be opened, or holds no video.
    """
    import av

    try:
        container = _open_frames(path) if path.is_dir() else av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise ReadError(f"cannot be opened as a video ({error.strerror})") from error
    with container:
        videos = _videos(container)
        if not videos:
            raise ReadError(f"holds no video stream{', only a picture' if container.streams.video else ''}")
        if videos[0].codec_context is None:
            raise ReadError("holds a video that no decoder of PyAV is for")
        videos[0].codec_context.thread_type = "NONE"
        videos[0].codec_context.thread_count = 1
        yield container, videos[0]


def orientation(frame: Any) -> Orientation:
    """How a frame's display matrix wants it turned; oblique angles are left to the nearest right one."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(data)[:20], dtype=np.int32).tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):  # a point's x becomes its y
        return Orientation(swapped=True, upside_down=b < 0, mirrored=c < 0)
    return Orientation(upside_down=d < 0, mirrored=a < 0)


def _open_frames(folder: Path) -> Any:
    import av

    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    if not names:
        raise ReadError("is a folder without JPEG files")
    pattern = f"%0{len(Path(names[0]).stem)}d{Path(names[0]).suffix}"
    options = {"framerate": "12", "start_number": str(int(Path(names[0]).stem))}
    return av.open(str(folder / pattern), format="image2", options=options)


def _videos(container: Any) -> list[Any]:
    from av.stream import Disposition

    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _first_frame(packet: Any) -> Any:
    import av

    with suppress(av.FFmpegError):
        return next(iter(packet.decode()), None)
    return None


def _end(packet: Any, unit: Fraction) -> float:
    """When the last frame or sound of a packet is over, in seconds; 0 where it does not say."""
    start = packet.dts if packet.pts is None else packet.pts
    return 0.0 if start is None else _seconds(start + (packet.duration or 0), unit)


def _seconds(ticks: int, unit: Fraction) -> float:
    """The number nearest to a product of fractions, without making one of each."""
    return ticks * unit.numerator / unit.denominator


def _promised(path: Path, container: Any, stream: Any, packets: int, hidden: int, reached: float) -> int:
    """Packets to be shown in the whole file: of its index, of its header's count, or by its duration."""
    if stream.frames and _without_index(path, container):
        return int(stream.frames) - hidden
    if stream.frames:
        return sum(int(entry.size > 0) for entry in stream.index_entries) - hidden
    seconds = (container.duration or 0) / 1e6
    if reached <= 0 or reached >= WHOLE * seconds:
        return packets
    return max(packets + 1, int(packets * seconds / reached))


def _without_index(path: Path, container: Any) -> bool:
    """Whether an AVI file, whose index is at its end, is shorter than its first chunk says."""
    if container.format.name != "avi":
        return False
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8)[4:], "little") + 8
    return bool(path.stat().st_size < length)
