#!/usr/bin/env bash
# decord 0.6.0: VideoLoader's random order is one and the same in every run, and no seed changes it.
#
# shuffle=2 is documented as random order, shuffle=1 as random order of files. There is no argument for a seed. Within
# a run the order looks random: it differs after each reset() and from loader to loader. But each process starts over
# from one state, which neither time nor Python's nor NumPy's seed moves: the first epoch of every run of a training
# has the same batches in the same order, and so have the second and the third. Runs of several seeds thus share what
# their order contributes, and their spread comes out too small, without a warning. decord has no option to select another
# start. Seen on Linux x86_64 with Python 3.11; 40 batches from four files of H.264, written by PyAV 18.1.0.
# Expected: another order in each run, or one that a seed changes.
# Prints the start of each order of three runs; fails unless the runs agree in three epochs and in a second loader, and
# these four orders differ from each other and from that of the files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet decord==0.6.0 av==18.1.0 numpy==2.4.6
cat > "$work/write.py" <<'P'
import sys

import av
import numpy as np

for name in "abcd":
    with av.open(f"{sys.argv[1]}/{name}.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(42):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), level * 5, np.uint8), format="rgb24")))
        file.mux(stream.encode())
P
cat > "$work/look.py" <<'P'
import json
import random
import sys

import decord
import numpy as np

folder, seed, shuffle = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
np.random.seed(seed)


def loader():
    files = [f"{folder}/{name}.mp4" for name in "abcd"]
    return decord.VideoLoader(files, [decord.cpu(0)], shape=(4, 48, 64, 3), interval=0, skip=0, shuffle=shuffle)


def epoch(batches):
    """The file and the first frame of each batch."""
    return [places.asnumpy()[0].tolist() for _, places in batches]


batches = loader()
orders = []
for _ in range(3):
    orders.append(epoch(batches))
    batches.reset()
orders.append(epoch(loader()))
print(json.dumps(orders))
P
"$work/venv/bin/python" "$work/write.py" "$work" 2> "$work/log" || { cat "$work/log"; exit 1; }
for shuffle in 1 2; do
    for seed in 0 1 2; do
        "$work/venv/bin/python" "$work/look.py" "$work" "$seed" "$shuffle" > "$work/$shuffle.$seed"
        echo "shuffle=$shuffle, run $seed: $(cut -c1-90 "$work/$shuffle.$seed") ..."
        sleep 1.1 # another second of the clock
    done
    cmp "$work/$shuffle.0" "$work/$shuffle.1"
    cmp "$work/$shuffle.0" "$work/$shuffle.2"
done
"$work/venv/bin/python" - "$work/2.0" <<'P'
import json
import sys

orders = json.load(open(sys.argv[1]))
assert [len(order) for order in orders] == [40] * 4
for place, order in enumerate(orders):
    assert sorted(order) == sorted(orders[0]) and order != sorted(order)
    assert order not in orders[:place]
P
