#!/usr/bin/env bash
# moviepy 2.2.1: of 16 frames given to ImageSequenceClip at 24 or 12 a second, write_videofile writes 15.
#
# The clip's duration is the sum of 16 rounded durations, 0.6666666666666665 s, and the number of frames is that times
# the rate, cut to an integer. The last frame is missing in the file, without a warning: so for 14 to 28 frames at 24 or
# 12 a second, and for 6, 7, 12 to 15 and 24 to 31 at 30 or 15, the usual lengths of a distilled clip, whereas 8 and 32
# come out whole, and 16 at 30 or at 25. Seen on Linux x86_64 with Python 3.11; files read back in order by PyAV 18.1.0.
# Expected: as many frames as were given.
# Prints, for each rate, the numbers of frames up to 32 of which the last is lost, and what PyAV reads of four files;
# fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np
from moviepy import ImageSequenceClip


def clip(count, rate):
    """Flat frames, each five levels brighter than the one before."""
    return ImageSequenceClip([np.full((32, 32, 3), 5 * index, np.uint8) for index in range(count)], fps=rate)


def written(count, rate):
    """The levels of the frames that PyAV finds in the file, in steps of five."""
    path = f"{sys.argv[1]}/clip.mp4"
    clip(count, rate).write_videofile(path, codec="libx264", ffmpeg_params=["-qp", "0"], logger=None)
    with av.open(path) as file:
        return [round(float(frame.to_ndarray(format="rgb24").mean()) / 5) for frame in file.decode(video=0)]


lost = {}
for rate in (8, 12, 15, 24, 25, 30):
    counts = {count: sum(1 for _ in clip(count, rate).iter_frames()) for count in range(1, 33)}
    assert all(count - got in (0, 1) for count, got in counts.items()), counts
    lost[rate] = [count for count, got in counts.items() if got < count]
    print(f"{rate} a second:", *(lost[rate] or ["none"]))
at_24, at_30 = [6, 7, *range(14, 29)], [6, 7, *range(12, 16), *range(24, 32)]
assert lost == {8: [], 12: at_24, 15: at_30, 24: at_24, 25: [11, 12, 13, 14], 30: at_30}, lost
for count, rate, kept in ((8, 24, 8), (16, 24, 15), (16, 12, 15), (16, 25, 16)):
    seen = written(count, rate)
    print(f"{count} frames at {rate} a second: {len(seen)} in the file, the last is number {seen[-1] + 1}")
    assert seen == list(range(kept)), seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
