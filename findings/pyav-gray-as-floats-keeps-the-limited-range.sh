#!/usr/bin/env bash
# PyAV 18.1.0: frames as floats in grey run from 0.06 to 0.92, black to white; as integers in grey from 0 to 255.
#
# to_ndarray(format="grayf32le") is the way to floats between 0 and 1 for networks and measures on grey frames. Black is
# 0.0625 in them and white 0.918, the limited range in which video is stored: contrast is 14 % too low, mean squared
# errors a quarter. So it is even for RGB frames, lossless ones too, which never were in that range. "gray" and
# "gray16le" stretch to the whole range, and so do colours as floats ("gbrpf32le"); only frames stored in full range
# come out right. There is no warning. Seen on Linux x86_64 with Python 3.11.
# Expected: 0 for black and 1 for white (0.996 as 255 of 256 would do).
# Prints black and white of each format as a part of its largest value; fails unless grey floats are the only ones off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np

LARGEST = {"gray": 255, "gray16le": 65535, "rgb24": 255, "gbrpf32le": 1, "grayf32le": 1}
CODECS = {"yuv420p": ("libx264", {"qp": "1"}), "yuvj420p": ("libx264", {"qp": "1"}), "bgr0": ("ffv1", {})}

halves = np.zeros((64, 64, 3), np.uint8)
halves[:, 32:] = 255
for stored, (codec, options) in CODECS.items():
    path = f"{sys.argv[1]}/{stored}.mkv"
    with av.open(path, "w") as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 64, stored
        for _ in range(4):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(halves, format="rgb24")))
        file.mux(stream.encode())
    with av.open(path) as file:
        frame = next(file.decode(video=0))
    for form, largest in LARGEST.items():
        values = frame.to_ndarray(format=form)
        black, white = (float(values[32, column].mean()) / largest for column in (8, 56))
        print(f"stored as {frame.format.name}, read as {form}: black {black:.3f}, white {white:.3f}")
        if form == "grayf32le" and stored != "yuvj420p":
            assert abs(black - 16 / 256) < 0.003 and abs(white - 235 / 256) < 0.003
        else:
            assert black < 0.003 and white > 0.99
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
