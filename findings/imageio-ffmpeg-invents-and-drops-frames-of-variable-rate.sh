#!/usr/bin/env bash
# imageio 2.38.1 with imageio-ffmpeg 0.8.1: of five frames shown for unequal times, it reads eight, or four and a copy.
#
# Clips of phones and of the web, of which Kinetics and Something-Something are made, have frames of unequal duration.
# imageio's FFMPEG plugin, by which diffusers' load_video reads as well, has ffmpeg make the rate constant on the way
# through the pipe. Of five frames at 0, 100, 200, 600 and 700 ms it gives eight, three of them copies; of five at 0,
# 100, 110, 120 and 200 ms it gives five again, but the first of them twice and the last not at all. No warning is
# raised. The plugin "pyav" of the same imageio gives each frame once. Seen on Linux x86_64, Python 3.11.
# Expected: the frames that the clip holds, or a warning.
# Prints the numbers of the frames that each reads; fails if pyav does not give the five, or FFMPEG gives them where
# the times are unequal.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys
from fractions import Fraction

import av
import imageio.v3 as iio
import numpy as np

HELD = [20, 50, 80, 110, 140]
CLIPS = {"even": (0, 100, 200, 300, 400), "a pause": (0, 100, 200, 600, 700), "a burst": (0, 100, 110, 120, 200)}
READ = {"even": [0, 1, 2, 3, 4], "a pause": [0, 1, 2, 2, 2, 3, 3, 4], "a burst": [0, 0, 1, 2, 3]}
for name, milliseconds in CLIPS.items():
    path = f"{sys.argv[1]}/clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for value, moment in zip(HELD, milliseconds, strict=True):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), value, np.uint8), format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    read = {}
    for plugin in ("pyav", "FFMPEG"):
        bright = [frame.mean() for frame in iio.imiter(path, plugin=plugin)]
        read[plugin] = [int(np.abs(np.subtract(HELD, value)).argmin()) for value in bright]
        print(f"{name}, frames at {milliseconds} ms, {plugin}: frames {read[plugin]}")
    assert read == {"pyav": [0, 1, 2, 3, 4], "FFMPEG": READ[name]}
P
"$work/venv/bin/python" -W error "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
