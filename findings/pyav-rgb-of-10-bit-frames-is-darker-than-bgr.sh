#!/usr/bin/env bash
# PyAV 18.1.0: white of 10-bit and of NV12 frames is 253 as rgb24 and rgba, and 255 as bgr24 and gbrp.
#
# 10 bits are what HDR clips of phones and many HEVC and AV1 films have, NV12 what hardware decoders return, and rgb24 is
# how clips are read for networks. As rgb24 and rgba, the greys of such frames are darker by 1.6 levels on average, and
# white is 253. As bgr24, the same channels in the other order, and as gbrp they are right within a level, and so are the
# same greys stored in 8 bits (yuv420p), or in 10 bits with colour at full size (yuv444p10le), in all four. So clips of
# both kinds in a pool differ in brightness, as do two readers of one clip, without a warning. Seen on Linux x86_64 with
# Python 3.11.
# Expected: the same values in both orders, and white as 255.
# Prints white and the mean error of a ramp of greys for each; fails unless rgb24 and rgba of the former are 253 and
# darker by more than a level, and all others 255 and within 0.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import av
import numpy as np

ramp = np.linspace(0, 255, 64).round().astype(np.uint8)
greys = np.broadcast_to(ramp[:, None], (64, 64, 3))  # the columns of a frame
for stored in ("yuv420p", "yuv444p10le", "yuv420p10le", "yuv422p10le", "p010le", "nv12"):
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(greys), format="rgb24").reformat(format=stored)
    for form in ("rgb24", "rgba", "bgr24", "gbrp"):
        colours = frame.to_ndarray(format=form)[:, :, :3].astype(float)
        white, error = colours[:, -1].mean(), (colours - greys).mean()
        print(f"{stored} as {form}: white {white:.0f}, mean error {error:+.2f}")
        if form in ("rgb24", "rgba") and stored not in ("yuv420p", "yuv444p10le"):
            assert abs(white - 253) < 0.5 and -2 < error < -1
        else:
            assert white > 254.5 and abs(error) < 0.6
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
