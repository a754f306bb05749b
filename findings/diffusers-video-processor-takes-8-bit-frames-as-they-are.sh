#!/usr/bin/env bash
# diffusers 0.42.1: VideoProcessor.preprocess_video maps 8-bit arrays and tensors to values from -1 to 509, silently.
#
# It makes the input of video autoencoders and of video-to-video pipelines, from -1 to 1. uint8 is what every reader
# of videos returns as an array; it is taken as if it lay between 0 and 1, while the same frames as PIL images, and
# those divided by 255, come out right. An autoencoder with random or trained weights takes either. Seen with torch
# 2.13.0 on Linux x86_64, Python 3.11.
# Expected: the values of the PIL images, or an error.
# Prints the range for each kind of input; fails if it is not -1 to 1, or, for uint8, -1 to 509.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 numpy==2.4.6 pillow==13.0.0
cat > "$work/look.py" <<'P'
import numpy as np
import torch
from diffusers.video_processor import VideoProcessor
from PIL import Image

frames = np.random.default_rng(0).integers(0, 256, (8, 32, 48, 3), dtype=np.uint8)
inputs = {
    "PIL images": [Image.fromarray(frame) for frame in frames],
    "float array": frames / 255,
    "float tensor": torch.from_numpy(frames).permute(0, 3, 1, 2) / 255,
    "uint8 array": frames,
    "uint8 tensor": torch.from_numpy(frames).permute(0, 3, 1, 2),
}
right = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].double() / 255 * 2 - 1
for name, video in inputs.items():
    made = VideoProcessor().preprocess_video(video)
    low, high = made.min().item(), made.max().item()
    print(f"{name:12} {low:g} to {high:g}")
    if name.startswith("uint8"):
        assert (low, high) == (-1, 509), (low, high)
    else:
        assert (made.double() - right).abs().max() < 1e-6
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
