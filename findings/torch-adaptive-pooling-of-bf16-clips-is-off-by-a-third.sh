#!/usr/bin/env bash
# torch 2.13.0: adaptive_avg_pool3d adds up in the clip's precision; in bf16 a mean of 28x28 pixels is off by a third.
#
# Pooled to one value per frame, as heads over per-frame features do, frames of 28x28 come out at 0.33 instead of
# 0.49 and frames of 56x56 at 0.08 instead of 0.50: a sum in bf16 stops growing at 256. In float16 ones are 0.65 at
# 56x56. The same clips pooled to a single value, `mean` over the same axes, and adaptive_avg_pool2d of every frame
# are right to what bf16 resolves. A network turned to bf16 as a whole runs into it; CPU autocast does not, as it
# pools in float32. Seen on Linux x86_64 (CPU), Python 3.11, in both layouts.
# Expected: sums in float32, as everywhere else, and errors below 0.4 %.
# Prints the largest relative error per side of the frames; fails if bf16 is not off by more than 0.3 at 28 and 0.8
# at 56, or the others are off by more than 0.004.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch.nn.functional import adaptive_avg_pool2d, adaptive_avg_pool3d

FRAMES, CHANNELS = 8, 2
LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last_3d}
for side in (7, 14, 28, 56):
    values = torch.rand(1, CHANNELS, FRAMES, side, side, generator=torch.Generator().manual_seed(0)).bfloat16()
    right = values.double().mean((3, 4))
    for layout, order in LAYOUTS.items():
        clip = values.contiguous(memory_format=order)
        pooled = {
            "3d": adaptive_avg_pool3d(clip, (FRAMES, 1, 1)).flatten(2),
            "2d, each frame": adaptive_avg_pool2d(clip[0].transpose(0, 1), 1).flatten(1).T[None],
            "mean": clip.mean((3, 4)),
        }
        errors = {name: (made.double() / right - 1).abs().max().item() for name, made in pooled.items()}
        print(f"{side:2} {layout:13}", ", ".join(f"{name}: {error:.4f}" for name, error in errors.items()))
        assert max(errors["2d, each frame"], errors["mean"]) < 0.004
        assert errors["3d"] > {7: 0.01, 14: 0.02, 28: 0.3, 56: 0.8}[side]
        whole = adaptive_avg_pool3d(clip, 1).double().flatten() / values.double().mean((2, 3, 4)).flatten() - 1
        assert whole.abs().max() < 0.004
ones = torch.ones(1, 1, FRAMES, 56, 56)
for kind in (torch.float16, torch.bfloat16):
    print(f"ones of 56x56 in {kind}: {adaptive_avg_pool3d(ones.to(kind), (FRAMES, 1, 1)).max().item():.3f}")
with torch.autocast("cpu", torch.bfloat16):
    assert adaptive_avg_pool3d(ones.bfloat16(), (FRAMES, 1, 1)).min() == 1
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
