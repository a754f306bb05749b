#!/usr/bin/env bash
# diffusers.utils.export_to_video changes the size of clips whose side is not a multiple of 16.
#
# Seen with diffusers 0.42.1, imageio 2.37.4 and imageio-ffmpeg 0.8.1 on Linux x86_64 with Python 3.11: frames of 56x56
# become 64x64 and 100x100 become 112x112, upscaled and smoothed; 32x32 and 112x112 stay. There is no exception; imageio
# logs a line. A pool of generated clips that is saved and read again therefore differs from what the generator made.
# Expected: the given size.
# Prints "32 -> 32, 56 -> 64, 100 -> 112, 112 -> 112"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 imageio==2.37.4 imageio-ffmpeg==0.8.1 \
  av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np
from diffusers.utils import export_to_video

seen = []
for side in (32, 56, 100, 112):
    frames = [np.random.default_rng(t).random((side, side, 3), np.float32) for t in range(8)]
    path = export_to_video(frames, f"{sys.argv[1]}/{side}.mp4", fps=8)
    with av.open(path) as file:
        read = list(file.decode(video=0))
    assert len(read) == 8 and read[0].width == read[0].height
    seen.append(f"{side} -> {read[0].width}")
print(", ".join(seen))
assert seen == ["32 -> 32", "56 -> 64", "100 -> 112", "112 -> 112"], seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
