#!/usr/bin/env bash
# moviepy 2.2.1: iterating over a clip of 40 frames at 30 a second, the rate of HMDB51, yields 39.
#
# VideoFileClip takes the duration from a line that the ffmpeg program prints for people, with two decimals, 1.33 s, and
# n_frames and iter_frames cut 1.33 * 30 = 39.9 to an integer. The last frame is never returned, without a warning, of
# files whose duration the two decimals make shorter; 32 frames, the input of many networks, become 31 at 15 or 24 a
# second. The files are whole: get_frame returns the last frame, and PyAV reads all. At 25 a second, with durations of
# whole hundredths, all is right. Seen on Linux x86_64 with Python 3.11, on H.264 in MP4 written by PyAV 18.1.0.
# Expected: as many frames as there are.
# Prints, for each rate, which of seven numbers of frames lose their last in iter_frames; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np
from moviepy import VideoFileClip


def write(path, count, rate):
    """Flat frames, each five levels brighter than the one before."""
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.options = 32, 32, "yuv420p", {"qp": "0"}
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 5 * index, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def number(pixels):
    """Which of the frames that is."""
    return round(float(pixels.mean()) / 5)


lost = {}
path = f"{sys.argv[1]}/clip.mp4"
for rate in (8, 12, 15, 24, 25, 30):
    lost[rate] = []
    for count in (8, 10, 14, 16, 20, 32, 40):
        write(path, count, rate)
        with av.open(path) as file:
            assert [number(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)] == list(range(count))
        with VideoFileClip(path, audio=False) as clip:
            seen = [number(pixels) for pixels in clip.iter_frames()]
            assert number(clip.get_frame((count - 0.5) / rate)) == count - 1
        assert seen in (list(range(count)), list(range(count - 1))), (count, rate, seen)
        lost[rate] += [count] * (len(seen) < count)
    print(f"{rate} a second:", *(lost[rate] or ["none"]))
assert lost == {8: [], 12: [10, 16, 40], 15: [8, 14, 20, 32], 24: [8, 14, 20, 32], 25: [], 30: [10, 16, 40]}, lost
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
