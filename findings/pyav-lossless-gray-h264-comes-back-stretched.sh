#!/usr/bin/env bash
# PyAV 18.1.0: grey frames that x264 stores losslessly as gray come back with stretched contrast and both ends cut off.
#
# Moving MNIST and KTH are grey clips, as are flow and depth maps, and gray is a format of libx264. It keeps levels as
# they are, 0 to 255, and nothing in the file says so; FFmpeg's decoder takes the format for yuv420p, where black is 16
# and white 235. So 5 is read as 0, 64 as 56, and 250 as 255: levels below 16 become one, and so do those above 235.
# PyAV (gray and rgb24), OpenCV and decord agree within a level. The same frames through x265 and FFV1 as gray are exact
# in each of them. Naming the full range when writing (color_range = 2) mends x264's. Seen on Linux x86_64 with Python
# 3.11, on flat frames of each level, at qp 0. Expected: each level as it was given, everywhere.
# Prints what 5, 64, 128 and 250 become, and how many of 256 levels differ; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 decord==0.6.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import cv2
import decord
import numpy as np

SIZE = 64


def write(path, codec, options, color_range=None):
    """One flat grey frame of each level."""
    with av.open(path, "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = SIZE, SIZE, "gray", options
        if color_range is not None:
            stream.codec_context.color_range = color_range
        for level in range(256):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE, SIZE), level, np.uint8), format="gray")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def levels(path):
    """What each reader makes of the 256 frames."""
    with av.open(path) as file:
        frames = list(file.decode(video=0))
    capture, reader = cv2.VideoCapture(path), decord.VideoReader(path)
    return {
        "pyav gray": [frame.to_ndarray(format="gray").mean() for frame in frames],
        "pyav rgb24": [frame.to_ndarray(format="rgb24").mean() for frame in frames],
        "opencv": [capture.read()[1].mean() for _ in frames],
        "decord": [reader.next().asnumpy().mean() for _ in frames],
    }


for name, codec, options, color_range in (
    ("x264", "libx264", {"qp": "0"}, None),
    ("x264 full", "libx264", {"qp": "0"}, 2),
    ("x265", "libx265", {"x265-params": "lossless=1:log-level=none"}, None),
    ("ffv1", "ffv1", {}, None),
):
    write(f"{sys.argv[1]}/clip.mkv", codec, options, color_range)
    stretched = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255)
    for reader, seen in levels(f"{sys.argv[1]}/clip.mkv").items():
        differ = int(np.sum(np.array(seen) != np.arange(256)))
        print(f"{name}, {reader}:", *(round(seen[level]) for level in (5, 64, 128, 250)), f"{differ} differ")
        if name == "x264":
            assert np.abs(seen - stretched).max() < 1.5 and seen[16] == 0 and seen[235] == 255, seen
        else:
            assert differ == 0, seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
