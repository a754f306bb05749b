#!/usr/bin/env bash
# PyAV 18.1.0: frames of a stream that is tagged as BT.709, or as full range, are stored as BT.601, limited range.
#
# codec_context.colorspace and .color_range of an output stream go into the file, but encode(), which turns rgb24 frames
# into the stream's format, does not look at them. Whoever reads the file does: clips written in lossless yuv444p come
# back 39 levels off in strong colours for BT.709, 20 for the full range, and 52 for both, by PyAV itself; OpenCV 5
# agrees to a level. So a set of clips that is tagged with care is worse off than one without tags, which is right.
# There is no warning, and grey clips tagged as BT.709 do not show it. Frames converted beforehand by reformat(), with
# dst_colorspace and dst_color_range, are right in each case. Seen on Linux x86_64 with Python 3.11, with FFV1, x264,
# x265 and VP9 alike.
# Expected: the colours that were given, to rounding, or no tag.
# Prints the largest difference from the colours given for each tag, written by encode() alone and converted beforehand,
# read by PyAV and by OpenCV; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6 opencv-python-headless==5.0.0.93
cat > "$work/look.py" <<'P'
import itertools
import sys

import av
import cv2
import numpy as np

SIDE = 32
COLOURS = np.array(list(itertools.product((0, 128, 255), repeat=3)), np.uint8)
FRAME = COLOURS[None].repeat(SIDE, axis=0).repeat(SIDE, axis=1)
BT709, BT601, LIMITED, FULL = 1, 5, 1, 2
TAGS = {"none": (None, None), "BT.601": (BT601, None), "BT.709": (BT709, None), "full range": (None, FULL)}
TAGS |= {"BT.709, full range": (BT709, FULL)}
WANTED = {"none": 1, "BT.601": 1, "BT.709": 39, "full range": 20, "BT.709, full range": 52}


def write(path, space, span, convert):
    with av.open(path, "w") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.height, stream.width = FRAME.shape[:2]
        stream.pix_fmt = "yuv444p"
        if space:
            stream.codec_context.colorspace = space
        if span:
            stream.codec_context.color_range = span
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(FRAME, format="rgb24")
            if convert:
                to = {"dst_colorspace": space or BT601, "dst_color_range": span or LIMITED}
                frame = frame.reformat(format="yuv444p", **to)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def error(frame):
    middles = frame[SIDE // 2, SIDE // 2 :: SIDE].astype(int)
    return int(np.abs(middles - COLOURS).max())


for name, tags in TAGS.items():
    for convert in (False, True):
        path = f"{sys.argv[1]}/clip.mkv"
        write(path, *tags, convert)
        with av.open(path) as file:
            by_av = error(next(file.decode(video=0)).to_ndarray(format="rgb24"))
        by_opencv = error(cv2.VideoCapture(path).read()[1][..., ::-1])
        print(f"{name}, {'converted before' if convert else 'encode() alone'}: PyAV {by_av}, OpenCV {by_opencv}")
        assert max(abs(read - (1 if convert else WANTED[name])) for read in (by_av, by_opencv)) <= 2
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
