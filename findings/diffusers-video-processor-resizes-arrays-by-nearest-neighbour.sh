#!/usr/bin/env bash
# diffusers 0.42.1: VideoProcessor resizes arrays and tensors by nearest neighbour, whatever `resample` says.
#
# Clips given as PIL images are resized by Lanczos' filter, the default, or by the filter that `resample` names. The
# same clips as arrays or tensors lose every other pixel instead: fine patterns alias, from frame to frame where they
# move, and what an autoencoder encodes depends on the type that a reader of videos returns. Seen with torch 2.13.0
# on Linux x86_64, Python 3.11.
# Expected: about the same pixels for each kind of input, as the setting is one of the processor, not of a type.
# Stripes one pixel wide, black and white, are halved in size: grey (0) if they are filtered. Prints the mean and the
# largest distance from grey; fails if PIL images are not about grey, or arrays and tensors are not all black (-1).
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

SIDE = 64
row = (np.arange(SIDE) % 2 * 255).astype(np.uint8)
frames = np.ascontiguousarray(np.broadcast_to(row[None, None, :, None], (8, SIDE, SIDE, 3)))
inputs = {
    "PIL images": [Image.fromarray(frame) for frame in frames],
    "array": frames / 255,
    "tensor": torch.from_numpy(frames).permute(0, 3, 1, 2) / 255,
}
for resample in ("lanczos", "bilinear"):
    for name, video in inputs.items():
        made = VideoProcessor(resample=resample).preprocess_video(video, height=SIDE // 2, width=SIDE // 2)
        inner = made[..., 4:-4]  # the border of a picture is filtered otherwise
        print(f"{resample:8} {name:10} mean {inner.mean():+.3f}, at most {inner.abs().max():.3f} from grey")
        if name == "PIL images":
            assert inner.abs().max() < 0.05
        else:
            assert (made == -1).all()
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
