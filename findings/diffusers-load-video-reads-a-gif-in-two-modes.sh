#!/usr/bin/env bash
# diffusers 0.42.1: load_video gives the first frame of a GIF as its palette's numbers, and the others in colour.
#
# GIF is what export_to_gif of the same library writes. A GIF of six frames comes back as six images of equal size, of
# which the first is in mode P and five are in mode RGB: as arrays they are (16, 16) and (16, 16, 3), so that the clip
# cannot be stacked, and the values of the first are places in a palette (0 throughout here) and no brightness. Seen on
# Linux x86_64, Python 3.11, Pillow 13.0.0.
# Expected: every frame in RGB.
# Prints modes, shapes and the first value of each frame; fails if the first is not in P and the others not in RGB.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet diffusers==0.42.1 pillow==13.0.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import numpy as np
from diffusers.utils import load_video
from PIL import Image

path = sys.argv[1] + "/clip.gif"
colours = [(40 * i, 255 - 30 * i, 20 * i) for i in range(6)]
frames = [Image.new("RGB", (16, 16), colour) for colour in colours]
frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
read = load_video(path)
for frame, colour in zip(read, colours, strict=True):
    print(f"{frame.mode:3} {np.asarray(frame).shape}, first value {np.asarray(frame)[0, 0]}, drawn as {colour}")
assert [frame.mode for frame in read] == ["P"] + 5 * ["RGB"]
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
