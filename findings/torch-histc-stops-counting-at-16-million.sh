#!/usr/bin/env bash
# torch 2.13.0, CPU: histc and histogram count no further than 16,777,216 in a bin of float32 values.
#
# Counts are kept in float32 and go up by one at a time; from 2 to the power of 24 on, adding one changes nothing. A pool
# of 40 clips of 16x112x112 has 24 million values: with the black bars that film clips bring along, or any dark
# background, the bin of black is full before the end, the others are right, and the shares of grey levels that are made
# from them come out wrong, without a warning. Seen on Linux x86_64, Python 3.11, one thread, on clips half of whose
# rows, and 80 % of whose rows, are black. histogram of float64 is right, and so is bincount of 8-bit levels.
# Expected: the number of values, to float32's rounding.
# Prints, for each, the count of black and of all values over the true ones; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch

torch.set_num_threads(1)
draw = torch.Generator().manual_seed(0)
for dark in (56, 90):  # of 112 rows
    clips = torch.randint(64, 256, (40, 3, 16, 112, 112), generator=draw, dtype=torch.uint8)
    clips[..., :dark, :] = 0
    right = torch.bincount(clips.flatten())
    assert right.sum() == clips.numel() and right[0] == clips.numel() // 112 * dark
    pixels = clips.flatten().float()
    counts = {
        "histc": torch.histc(pixels, 256, 0, 256),
        "histogram": torch.histogram(pixels, 256, range=(0.0, 256.0)).hist,
        "float64": torch.histogram(pixels.double(), 256, range=(0.0, 256.0)).hist,
    }
    for name, found in counts.items():
        black, total = found[0].item(), found.double().sum().item()
        print(f"{dark} of 112 rows black, {name}: black {black:.0f} of {right[0]}, all {total / clips.numel():.3f}")
        assert torch.equal(found[1:].long(), right[1:])
        full = name != "float64" and dark == 90
        assert black == (16777216 if full else right[0].item()), black
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
