#!/usr/bin/env bash
# PyAV 18.1.0: encoding AV1 with libsvtav1 leaves the calling thread of the superuser under SCHED_FIFO, priority 99.
#
# Seen on Linux x86_64 with Python 3.11, as root, as most containers run. Opening the encoder puts the thread that calls
# it into the highest class of real-time scheduling, and closing it does not put it back. Whatever the program starts
# later inherits that: data loaders, Ray's workers, a browser. Those are never interrupted in favour of ordinary
# processes, nor of each other. x264 and x265 leave the thread alone. In a thread of its own, SVT-AV1 changes that only.
# Expected: the policy of before, SCHED_OTHER (0), after each of them.
# Prints policy and priority after each encoder, and those of a child process; fails if that changes. Where the superuser
# may not ask for real-time scheduling, or the user is another, it says so and looks no further.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np

SHOW = "import os; print(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)"


def allowed():
    """Whether a child process may take real-time scheduling."""
    take = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))"
    return subprocess.run([sys.executable, "-c", take], stderr=subprocess.DEVNULL).returncode == 0


def encode(codec):
    with av.open(f"{sys.argv[1]}/{codec}.mp4", "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            pixels = np.zeros((64, 64, 3), np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))


def policy():
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


if not allowed():
    print("nothing to see here: this user may not have real-time scheduling")
    sys.exit()
seen = {}
for codec in ("libx264", "libx265"):
    encode(codec)
    seen[codec] = policy()
with ThreadPoolExecutor(1) as thread:
    thread.submit(encode, "libsvtav1").result()
seen["libsvtav1 in a thread"] = policy()
encode("libsvtav1")
seen["libsvtav1"] = policy()
seen["a child"] = tuple(map(int, subprocess.check_output([sys.executable, "-c", SHOW]).split()))
for name, found in seen.items():
    print(f"{name}: policy {found[0]}, priority {found[1]}")
wanted = dict.fromkeys(("libx264", "libx265", "libsvtav1 in a thread"), (os.SCHED_OTHER, 0))
assert seen == wanted | dict.fromkeys(("libsvtav1", "a child"), (os.SCHED_FIFO, 99)), seen
P
"$work/venv/bin/python" "$work/look.py" "$work" 2> "$work/log" || { tail -20 "$work/log"; exit 1; }
