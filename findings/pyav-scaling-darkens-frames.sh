#!/usr/bin/env bash
# PyAV 18.1.0: a frame that is scaled while it becomes RGB comes out darker than one that becomes RGB at its own size.
#
# reformat, to_ndarray and to_image take a width and a height, the short way to clips of 112x112. From yuv420p, as nearly
# every clip is stored, each pixel then loses 1.8 grey levels on average, against half a level without scaling, and white
# is 253. Frames of an odd height are as dark without being scaled, while scaling first and converting afterwards is no
# worse than converting alone; yuv444p is right in every way. So clips that are read back at full size and scaled later
# are brighter than the same clips scaled by PyAV. Seen on Linux x86_64 (AVX2) with Python 3.11, on flat grey frames of
# each level from black to white, which scaling cannot change. Expected: the exact grey, rounded, from each way.
# Prints, for each way, the mean difference from the exact grey, and what white becomes; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import sys

import av
import numpy as np

BLACK, WHITE = 16, 235


def decoded(width, height, kind):
    """Flat frames of each luma from black to white, after lossless coding."""
    path = f"{sys.argv[1]}/{kind}{height}.mkv"
    with av.open(path, "w") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, kind
        for luma in range(BLACK, WHITE + 1):
            frame = av.VideoFrame(width, height, kind)
            for plane, value in zip(frame.planes, (luma, 128, 128)):
                plane.update(bytes([value]) * plane.buffer_size)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with av.open(path) as file:
        return list(file.decode(video=0))


WAYS = {  # the size of the frames, and how they become RGB
    "own size": ((340, 256), lambda frame: frame.to_ndarray(format="rgb24")),
    "odd height": ((340, 255), lambda frame: frame.to_ndarray(format="rgb24")),
    "scaled": ((340, 256), lambda frame: frame.to_ndarray(format="rgb24", width=112, height=112)),
    "scaled first": ((340, 256), lambda frame: frame.reformat(width=112, height=112).to_ndarray(format="rgb24")),
}
exact = (np.arange(BLACK, WHITE + 1) - BLACK) * 255 / (WHITE - BLACK)
wanted = {("yuv420p", "own size"): (-0.49, 255), ("yuv420p", "odd height"): (-1.77, 253)}
wanted |= {("yuv420p", "scaled"): (-1.77, 253), ("yuv420p", "scaled first"): (-0.49, 255)}
for kind in ("yuv420p", "yuv444p"):
    for name, (size, convert) in WAYS.items():
        greys = np.array([convert(frame).mean() for frame in decoded(*size, kind)])
        off, white = float(np.mean(greys - exact)), float(greys[-1])
        print(f"{kind}, {name}: {off:+.2f}, white {white:.0f}")
        mean, top = wanted.get((kind, name), (0, 255))
        assert abs(off - mean) < 0.05 and white == top, (off, white)
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
