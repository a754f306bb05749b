#!/usr/bin/env bash
# diffusers 0.42.1: export_to_video writes 8-bit frames as their negative: 16 becomes 240, 200 becomes 56.
#
# Frames as every video reader returns them, arrays of uint8, are multiplied by 255 as if they lay between 0 and 1.
# Within 8 bits that is 256 less the value (and 0 stays 0, so that black stays black amid the rest). So what is read,
# cut or chosen and written again, as real clips beside generated ones or a distilled set, comes out with black and
# white exchanged, in a sound file and without a warning; motion, contrast and edges look as they should. The same
# frames as floats between 0 and 1, or as images, come out right, and so do 8-bit arrays by encode_video, of the same
# module. Seen on Linux x86_64 with Python 3.11, files read by PyAV 18.1.0.
# Expected: the frames that were given, to the codec's loss, or an error.
# Prints what six grey levels come back as, for each kind of frame; fails unless 8-bit arrays are negative (to 3 levels)
# and the others right (to 3 levels).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet diffusers==0.42.1 torch==2.13.0 numpy==2.4.6 pillow==13.0.0 av==18.1.0 \
  imageio==2.38.1 imageio-ffmpeg==0.8.1
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np
from diffusers.utils import encode_video, export_to_video
from PIL import Image

LEVELS = [0, 16, 64, 128, 200, 255]
FRAMES = [np.full((64, 64, 3), level, dtype=np.uint8) for level in LEVELS for _ in range(8)]
KINDS = {
    "8-bit arrays": FRAMES,
    "floats": [frame / 255 for frame in FRAMES],
    "images": [Image.fromarray(frame) for frame in FRAMES],
}


def levels(path):
    with av.open(path) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(frames) == len(FRAMES)
    return [round(float(frame.mean())) for frame in frames[4::8]]


def near(found, wanted):
    return all(abs(one - other) <= 3 for one, other in zip(found, wanted))


negative = [(256 - level) % 256 for level in LEVELS]
for kind, frames in KINDS.items():
    path = f"{sys.argv[1]}/{kind}.mp4"
    export_to_video(frames, path, fps=24)
    print(f"export_to_video, {kind}: {LEVELS} -> {levels(path)}")
    assert near(levels(path), negative if kind == "8-bit arrays" else LEVELS), levels(path)
path = f"{sys.argv[1]}/encoded.mp4"
encode_video(np.stack(FRAMES), 24, path)
print(f"encode_video, 8-bit arrays: {LEVELS} -> {levels(path)}")
assert near(levels(path), LEVELS), levels(path)
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
