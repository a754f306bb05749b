#!/usr/bin/env bash
# decord 0.6.0, reading an MPEG transport stream in order, never returns its first group of pictures.
#
# Seen on Linux x86_64 with Python 3.11, PyAV 18.1.0 (FFmpeg 8) to encode and to compare: of 60 frames of H.264 with
# B-frames and a key frame every 12, decord starts at the 12th frame of the file (counted from 1); len() is still 60,
# next() succeeds 60 times without an error, and the end is padded with repeats.
# The same stream in MP4 or Matroska is read from its first frame. Expected: the same frames from every container.
# Prints "mp4: starts at frame 0, 60 distinct" and "ts: starts at frame 11, 49 distinct"; fails if that changes.
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

FRAMES, HEIGHT, WIDTH = 60, 64, 96


def picture(t):
    """A red that brightens with time, and a bar that moves."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = 20 + 3 * t
    pixels[:, t : t + 16, 1] = 200
    return pixels


def write(path):
    with av.open(path, "w") as file:
        options = {"x264-params": "bframes=3:keyint=12:threads=1"}
        stream = file.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for t in range(FRAMES):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(t), format="rgb24")))
        file.mux(stream.encode(None))


def which(path):
    """For each frame that decord returns, the frame of the file that it is."""
    with av.open(path) as file:
        true = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    assert len(true) == FRAMES
    reader = decord.VideoReader(path)
    assert len(reader) == FRAMES
    read = [reader.next().asnumpy() for _ in range(FRAMES)]
    return [int(np.argmin([np.abs(one - frame).mean() for one in true])) for frame in read]


seen = []
for suffix in ("mp4", "ts"):
    path = f"{sys.argv[1]}/clip.{suffix}"
    write(path)
    places = which(path)
    seen.append(f"{suffix}: starts at frame {places[0]}, {len(set(places))} distinct")
    print(seen[-1])
assert seen == ["mp4: starts at frame 0, 60 distinct", "ts: starts at frame 11, 49 distinct"], seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
