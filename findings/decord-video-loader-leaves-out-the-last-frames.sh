#!/usr/bin/env bash
# decord 0.6.0: VideoLoader never returns the last two frames of a file; from one of 16 frames it makes no batch of 16.
#
# shape=(16, ...) makes batches of 16 frames, the input of many networks. A file of 16 or 17 frames gives none: it is
# missing in the epoch, and a folder of clips cut to 16 frames is empty. One of 32 gives one, and one of 18 one. In
# batches of one frame, files of 16, 17 and 32 frames give 14, 15 and 30. len(), the number of batches, agrees, and there is
# no warning. VideoReader of the same package returns every frame of the same files. Seen on Linux x86_64 with Python
# 3.11, on H.264 in MP4 written by PyAV 18.1.0, with interval=0, skip=0 and shuffle=0.
# Expected: 16 // 16 = 1 batch, or as many batches of one frame as there are frames.
# Prints the batches of each file and the last frame in them; fails unless they are those of two frames fewer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet decord==0.6.0 av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import decord
import numpy as np


def write(path, frames):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for place in range(frames):
            grey = np.full((48, 64, 3), 20 + 6 * place, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        file.mux(stream.encode())


def levels(frames):
    """The places of frames in their file, as told by their grey levels."""
    return ((frames.asnumpy().mean((1, 2, 3)) - 20) / 6).round().astype(int).tolist()


for frames in (15, 16, 17, 18, 32, 34):
    path = f"{sys.argv[1]}/{frames}.mp4"
    write(path, frames)
    reader = decord.VideoReader(path)
    assert levels(reader.get_batch(range(frames))) == list(range(frames)) and len(reader) == frames
    for size in (1, 8, 16):
        loader = decord.VideoLoader([path], [decord.cpu(0)], shape=(size, 48, 64, 3), interval=0, skip=0, shuffle=0)
        told = len(loader)
        batches = [levels(batch) for batch, _ in loader]
        seen = [place for batch in batches for place in batch]
        print(f"{frames} frames in batches of {size}: {told}, the last frame is {seen[-1] if seen else None}")
        assert told == len(batches) == (frames - 2) // size
        assert seen == list(range(told * size))
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
