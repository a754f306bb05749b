#!/usr/bin/env bash
# OpenCV 5.0.0: a clip in an MPEG transport stream, rewound by set(CAP_PROP_POS_FRAMES, 0), starts at a later frame.
#
# Rewinding is how a clip is read a second time, after its frames were counted or for the next epoch. The first pass
# returns all 60 frames of H.264 with B-frames. After rewinding, those before the second key frame are missing: 12 with
# a key frame every 12, 24 with one every 24, and, with a single one, all 60: read() fails at once. set() returns True,
# and get() says 0 just after it. In MP4, Matroska and AVI the same streams are right, and so is the transport stream
# without B-frames, or if the file is opened anew. Seen on Linux x86_64 with Python 3.11, on files written by PyAV
# 18.1.0.
# Expected: frame 0, as in the first pass.
# Prints how many frames each pass reads and which is first; fails if the second does not read as many as the first but
# for transport streams with B-frames, or if it does for those.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6 opencv-python-headless==5.0.0.93
cat > "$work/look.py" <<'P'
import sys

import av
import cv2
import numpy as np

FRAMES, SIDE, BITS = 60, 64, 8
ORIGINAL = list(range(FRAMES))


def picture(number):
    """A frame that shows its number in black and white stripes, one per bit."""
    stripes = [235 if number >> bit & 1 else 16 for bit in range(BITS)]
    return np.repeat(np.repeat(np.uint8([stripes]), SIDE // BITS, axis=1), SIDE, axis=0)[..., None].repeat(3, axis=2)


def number(frame):
    stripes = frame.reshape(SIDE, BITS, SIDE // BITS, 3).mean(axis=(0, 2, 3))
    return sum(1 << bit for bit in range(BITS) if stripes[bit] > 128)


def rest(capture):
    read = []
    while (pair := capture.read())[0]:
        read.append(number(pair[1]))
    return read


for kind in ("mp4", "mkv", "avi", "ts"):
    for distance, most in ((12, 3), (24, 3), (60, 3), (12, 0)):
        options = {"g": str(distance), "bf": str(most), "sc_threshold": "0"}
        path = f"{sys.argv[1]}/clip.{kind}"
        with av.open(path, "w") as file:
            stream = file.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt, stream.options = SIDE, SIDE, "yuv420p", options
            for index in ORIGINAL:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
            file.mux(stream.encode(None))
        capture = cv2.VideoCapture(path)
        first = rest(capture)
        told = capture.set(cv2.CAP_PROP_POS_FRAMES, 0), capture.get(cv2.CAP_PROP_POS_FRAMES)
        again = rest(capture)
        how = f"{kind}, a key frame every {distance}, up to {most} B-frames"
        print(f"{how}: {len(first)} frames, rewound {len(again)}, from {again[:1]}; set and get say {told}")
        assert first == ORIGINAL and told == (True, 0)
        assert again == (ORIGINAL[distance:] if kind == "ts" and most else ORIGINAL)
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
