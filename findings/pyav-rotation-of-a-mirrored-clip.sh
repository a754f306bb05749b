#!/usr/bin/env bash
# VideoFrame.rotation of PyAV 18.1.0 is -180 for a clip mirrored left to right, and 0 for one mirrored top to bottom.
#
# Code that corrects orientation by that number rotates the first by 180 degrees and leaves the second upside down; only
# the display matrix itself (side data DISPLAYMATRIX) is unambiguous. Front cameras and editors write such matrices.
# Quarter turns are reported correctly. Seen on Linux x86_64 with Python 3.11. Expected: 0 for both, as neither is a
# rotation.
# Prints {'none': 0, 'quarter': -90, 'half': -180, 'left-right': -180, 'top-bottom': 0}; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import struct
import sys

import av
import numpy as np

ONE, LAST = 1 << 16, 1 << 30
MATRICES = {  # as an MP4 stores them, row by row: a, b, u, c, d, v, x, y, w
    "none": (ONE, 0, 0, 0, ONE, 0, 0, 0, LAST),
    "quarter": (0, ONE, 0, -ONE, 0, 0, 0, 0, LAST),
    "half": (-ONE, 0, 0, 0, -ONE, 0, 0, 0, LAST),
    "left-right": (-ONE, 0, 0, 0, ONE, 0, 0, 0, LAST),
    "top-bottom": (ONE, 0, 0, 0, -ONE, 0, 0, 0, LAST),
}

path = f"{sys.argv[1]}/clip.mp4"
with av.open(path, "w") as file:
    stream = file.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for _ in range(5):
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
    file.mux(stream.encode(None))
plain = open(path, "rb").read()
seen = {}
for name, matrix in MATRICES.items():
    turned = bytearray(plain)
    struct.pack_into(">9i", turned, turned.find(b"tkhd") + 44, *matrix)  # of a version 0 track header
    open(path, "wb").write(turned)
    with av.open(path) as file:
        seen[name] = int(next(file.decode(video=0)).rotation)
print(seen)
assert (seen["none"], seen["top-bottom"]) == (0, 0), seen
assert abs(seen["quarter"]) == 90 and abs(seen["half"]) == 180, seen
assert seen["left-right"] == -180, seen
P
"$work/venv/bin/python" "$work/look.py" "$work"
