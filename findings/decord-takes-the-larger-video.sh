#!/usr/bin/env bash
# If a file has two video streams, decord 0.6.0 reads the larger one, PyAV's streams.video[0] the first.
#
# Seen on Linux x86_64 with Python 3.11 and PyAV 18.1.0: an MP4 whose first video is 64x48 and dark and whose second is
# 160x120 and bright, as in files with a thumbnail track or two camera angles. decord opens it without a warning,
# returns frames of 160x120, and has no option to select the other stream. With the larger one first, both agree.
# Expected: the first stream from both readers.
# Prints "small first: pyav 64x48, decord 160x120" and "large first: pyav 160x120, decord 160x120"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 decord==0.6.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import decord
import numpy as np

SMALL, LARGE = (64, 48, 40), (160, 120, 200)  # width, height, grey level


def write(path, kinds):
    """A file with a video of 20 frames of each kind."""
    with av.open(path, "w") as file:
        streams = []
        for width, height, _ in kinds:
            stream = file.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for _ in range(20):
            for stream, (width, height, grey) in zip(streams, kinds):
                pixels = np.full((height, width, 3), grey, np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        for stream in streams:
            file.mux(stream.encode(None))


seen = []
for name, kinds in (("small first", (SMALL, LARGE)), ("large first", (LARGE, SMALL))):
    path = f"{sys.argv[1]}/{name.replace(' ', '-')}.mp4"
    write(path, kinds)
    with av.open(path) as file:
        first = next(file.decode(file.streams.video[0]))
    height, width, _ = decord.VideoReader(path).next().shape
    seen.append(f"{name}: pyav {first.width}x{first.height}, decord {width}x{height}")
    print(seen[-1])
assert seen == ["small first: pyav 64x48, decord 160x120", "large first: pyav 160x120, decord 160x120"], seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
