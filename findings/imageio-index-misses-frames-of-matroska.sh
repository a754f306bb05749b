#!/usr/bin/env bash
# imageio 2.38.1: imread(index=k, plugin="pyav") returns frame k + 1 for many k of a Matroska file at 29.97 a second.
#
# Matroska keeps times in whole milliseconds. Where that puts a key frame a little before its true time, imageio takes it
# for the frame before and decodes one too many, and so for every frame up to the next key frame, without an error. Seen
# on Linux x86_64 with Python 3.11 and PyAV 18.1.0, in 72 frames of H.264 with a key frame every 12, and no B-frames, of
# which imageio's documentation warns: 26 are wrong. At 25 a second, and in MP4, all are right, and so are frames read in
# order (imiter) from each file. Expected: frame k.
# Prints the frames that differ as "asked>got"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet imageio==2.38.1 av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys
from fractions import Fraction

import av
import imageio.v3 as iio
import numpy as np

FRAMES, SIZE, BAR = 72, 128, 18
NTSC = Fraction(30000, 1001)


def frame(number):
    """A frame that shows its number as seven black or white bars."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    for bit in range(7):
        pixels[:, bit * BAR : (bit + 1) * BAR] = 255 * (number >> bit & 1)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def number(pixels):
    """What a frame shows."""
    return int(sum((pixels[:, bit * BAR + 5 : bit * BAR + 13].mean() > 128) << bit for bit in range(7)))


seen = {}
for suffix, rate in (("mp4", NTSC), ("mkv", Fraction(25)), ("mkv", NTSC)):
    path = f"{sys.argv[1]}/clip.{suffix}"
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        stream.options = {"x264-params": "keyint=12:min-keyint=12:scenecut=0:bframes=0"}
        for index in range(FRAMES):
            file.mux(stream.encode(frame(index)))
        file.mux(stream.encode(None))
    assert [number(pixels) for pixels in iio.imiter(path, plugin="pyav")] == list(range(FRAMES))
    got = [number(iio.imread(path, index=index, plugin="pyav")) for index in range(FRAMES)]
    seen[suffix, rate] = [f"{index}>{shown}" for index, shown in enumerate(got) if index != shown]
    print(f"{suffix}, {float(rate):.2f} a second: {' '.join(seen[suffix, rate]) or 'all right'}")
wrong = [*range(12, 25), *range(36, 49)]
assert seen == {
    ("mp4", NTSC): [],
    ("mkv", Fraction(25)): [],
    ("mkv", NTSC): [f"{index}>{index + 1}" for index in wrong],
}, seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
