#!/usr/bin/env bash
# torch 2.13.0: under bf16 autocast, affine_grid answers in bf16, and clips of 112x112 are warped up to 0.3 pixels off.
#
# Differentiable augmentations of distilled clips (scaling, rotation, shifts) are affine_grid and grid_sample. Autocast
# keeps grid_sample in float32, but not the grid: float32 matrices make one in bf16, as if it were a layer of a network.
# Positions from -1 to 1 then have 8 bits, whatever the size: at 112x112 the identity moves pixels by a tenth of their
# distance, so that a clip is not itself any more, a rotation by 15 degrees by 0.3, and at 224x224 it is twice that. The
# outcome is float32 again, and there is no warning; a clip prepared outside of the same autocast is another one. With
# autocast off for this one call all is right. Seen on Linux x86_64 (CPU), Python 3.11, beside double precision.
# Expected: a grid in float32, as the matrices are, or one that is right to 0.01 pixels.
# Prints, for each size and warp, the grid's type, by how many pixels the grid is off, and how much grey levels of 255
# of a smooth clip differ at most from those of float32; fails if that of autocast is not above 0.1 pixels at 112x112,
# or that of float32 not below 0.001.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import math

import torch
from torch.nn import functional as F

FRAMES = 8
WARPS = {"identity": (0, 1), "rotation by 15 degrees": (15, 1), "magnification by 1.2": (0, 1 / 1.2)}


def matrices(angle, scale):
    turn, across = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
    return torch.tensor([[turn, -across, 0], [across, turn, 0]]).repeat(FRAMES, 1, 1)


def warp(clip, matrix):
    grid = F.affine_grid(matrix, list(clip.shape), align_corners=True)
    return grid, F.grid_sample(clip, grid, align_corners=True, padding_mode="border")


for side in (32, 64, 112, 224):
    coarse = torch.rand(FRAMES, 3, side // 8, side // 8, generator=torch.Generator().manual_seed(0))
    clip = 255 * F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=True)
    for name, settings in WARPS.items():
        matrix = matrices(*settings)
        right, _ = warp(clip.double(), matrix.double())
        plain, expected = warp(clip, matrix)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            grid, made = warp(clip, matrix)
        off, as_float = ((each - right).abs().max().item() * (side - 1) / 2 for each in (grid, plain))
        levels = (made - expected).abs().max().item()
        print(f"{side}x{side}, {name}: {grid.dtype}, {off:.3f} pixels, {levels:.1f} levels; float32 {as_float:.6f}")
        assert made.dtype == torch.float32 and as_float < 0.001
        assert off > 0.1 or side < 112
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
