#!/usr/bin/env bash
# decord 0.6.0: get_batch of every fifth frame returns other frames than asked for in H.265 as x265 writes it by default.
#
# Seen on Linux x86_64 with Python 3.11; files written by PyAV 18.1.0 (libx265, libx264), 72 frames at 24 a second, a
# key frame every 24. x265 leaves its groups of pictures open unless told otherwise: the frames just before a key frame
# in time follow it in the file and need the group before. A decoder that starts at the key frame drops them, as the
# format asks, and decord, which counts frames from there, does not notice: from frame 45 on, sampled frames are 3 frames
# late, and the last, frame 70, is frame 68. There is no warning. Read in order, all 72 frames are right; so are samples
# of closed groups, and of H.264.
# Expected: the frames that were asked for, as from the other two files.
# Prints the wrong ones of each file as "asked>got"; fails if that changes.
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

FRAMES, SIZE, BAR = 72, 128, 18
KEYS = "keyint=24:min-keyint=24:scenecut=0:bframes=4:b-adapt=0"
FILES = {
    "h265": ("libx265", {"x265-params": f"{KEYS}:log-level=none:frame-threads=1"}),
    "h265, closed groups": ("libx265", {"x265-params": f"{KEYS}:log-level=none:frame-threads=1:open-gop=0"}),
    "h264": ("libx264", {"x264-params": KEYS}),
}


def frame(number):
    """A frame that shows its number as seven black or white bars."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    for bit in range(7):
        pixels[:, bit * BAR : (bit + 1) * BAR] = 255 * (number >> bit & 1)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def number(pixels):
    """What a frame shows."""
    return sum((pixels[:, bit * BAR + 5 : bit * BAR + 13].mean() > 128) << bit for bit in range(7))


seen = {}
for name, (codec, options) in FILES.items():
    path = f"{sys.argv[1]}/{codec}{len(seen)}.mp4"
    with av.open(path, "w") as file:
        stream = file.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt, stream.options = SIZE, SIZE, "yuv420p", options
        for index in range(FRAMES):
            file.mux(stream.encode(frame(index)))
        file.mux(stream.encode(None))
    reader = decord.VideoReader(path)
    in_order = [int(number(reader.next().asnumpy())) for _ in range(len(reader))]
    assert in_order == list(range(FRAMES)), in_order
    asked = range(0, FRAMES, 5)
    got = [int(number(pixels)) for pixels in decord.VideoReader(path).get_batch(list(asked)).asnumpy()]
    seen[name] = [f"{a}>{g}" for a, g in zip(asked, got) if a != g]
    print(f"{name}: {' '.join(seen[name]) or 'all right'}")
wrong = "45>48 50>53 55>58 60>63 65>68 70>68"
assert seen == {"h265": wrong.split(), "h265, closed groups": [], "h264": []}, seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
