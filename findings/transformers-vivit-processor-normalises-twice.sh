#!/usr/bin/env bash
# transformers 5.24.0: VivitImageProcessor with its defaults gives clips from -3 to 1, and grey as -1.
#
# ViViT, which features of clips are taken from, sees pixels from -1 to 1. Its processor has a switch of its own for
# that (offset, on by default), which maps 0 to -1 and 255 to 1; then it subtracts the default mean of 0.5 and divides
# by the default standard deviation of 0.5, which are made for pixels from 0 to 1. So black becomes -3, mid-grey -1,
# which stands for black, and white 1. VideoMAEImageProcessor, of the same library, mean and deviation, gives -1 to 1.
# Seen on Linux x86_64, Python 3.11.
# Expected: -1, 0 and 1.
# Prints what three brightnesses become by either; fails if it is not (-3, -1, 1) by Vivit and (-1, 0, 1) by VideoMAE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet transformers==5.24.0 torch==2.13.0 pillow==13.0.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import numpy as np
from transformers import VideoMAEImageProcessor, VivitImageProcessor

made = {}
for processor in (VivitImageProcessor(), VideoMAEImageProcessor(image_mean=[0.5] * 3, image_std=[0.5] * 3)):
    name = type(processor).__name__.removesuffix("Pil")
    made[name] = []
    for value in (0, 127, 255):
        clip = [np.full((224, 224, 3), value, np.uint8)] * 16
        pixels = processor(clip, return_tensors="np")["pixel_values"]
        made[name].append(round(float(pixels.mean()), 1))
    print(f"{name}: mean {processor.image_mean[0]}, 0, 127 and 255 become {made[name]}")
assert made == {"VivitImageProcessor": [-3, -1, 1], "VideoMAEImageProcessor": [-1, 0, 1]}
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
