#!/usr/bin/env bash
# diffusers.utils.export_to_gif loses frames that equal the one before: of a still clip of 16 frames it writes one.
#
# Generated and distilled clips stand still often, in part or throughout. The file has as many frames as differ from
# their predecessor, and the time of those that are left out is added to that one's, in hundredths of a second cut off.
# Whoever reads the clip again, by Pillow's or imageio's frames, gets fewer, at other places of the clip: of a clip that
# moves at every other frame, half. There is no warning. Clips in which all frames differ are whole. Seen with diffusers
# 0.42.1, Pillow 13.0.0 and imageio 2.38.1 on Linux x86_64 with Python 3.11.
# Expected: 16 frames each.
# Prints how many frames are read of 16 for clips that stand still from some frame on; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 transformers==5.24.0 numpy==2.4.6 \
    pillow==13.0.0 imageio==2.38.1
cat > "$work/look.py" <<'P'
import sys

import imageio.v3 as iio
import numpy as np
from diffusers.utils import export_to_gif
from PIL import Image

LEVELS = {  # of a square on black, frame by frame
    "moves": range(20, 180, 10),
    "moves at every other frame": [20 + 10 * (place // 2) for place in range(16)],
    "stands still in the middle": [20 + 10 * min(place, max(4, place - 7)) for place in range(16)],
    "stands still": [20] * 16,
}
EXPECTED = (16, 8, 9, 1)
for (name, levels), expected in zip(LEVELS.items(), EXPECTED, strict=True):
    frames = np.zeros((16, 64, 64, 3), np.uint8)
    for frame, level in zip(frames, levels, strict=True):
        frame[16:48, 16:48] = level
    export_to_gif([Image.fromarray(frame) for frame in frames], sys.argv[1], fps=8)
    with Image.open(sys.argv[1]) as file:
        pillow = file.n_frames
    read = iio.imread(sys.argv[1], index=None, plugin="pillow", mode="RGB").reshape(-1, 64, 64, 3)
    print(f"{name}: {pillow} by Pillow, {len(read)} by imageio, of {len(frames)}")
    assert pillow == len(read) == expected, expected
    distinct = [levels[0], *(b for a, b in zip(levels, levels[1:], strict=False) if a != b)]
    assert np.abs(read[:, 32, 32, 0].astype(int) - distinct).max() <= 3
P
"$work/venv/bin/python" "$work/look.py" "$work/clip.gif" 2> "$work/log" || { cat "$work/log"; exit 1; }
