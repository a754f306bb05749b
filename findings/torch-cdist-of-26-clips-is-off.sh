#!/usr/bin/env bash
# torch 2.13.0: cdist of 26 near clips is off by up to the whole distance, and of 25 it is right.
#
# With more rows than 25 on either side, cdist adds the squares of both and subtracts twice their product, in float32;
# what near clips have in common, as copies and cuts of one film do, is cancelled. Of clips of mean grey level 128 that
# differ by noise of one level, distances are off by half a percent, and a clip is 28 away from itself, a tenth of its
# distance from others; with noise of a tenth of a level, as of means over many frames, distances of 31 come out as
# anything from 0 on. A search for duplicates or neighbours goes by rounding then, without a warning. The same clips
# in 25 rows, with compute_mode="donot_use_mm_for_euclid_dist", or less the film they share come out right. Seen on Linux
# x86_64 (CPU), Python 3.11, beside double precision.
# Expected: a relative error around 1e-6 for any number of rows.
# Prints the largest relative error and the largest distance of a clip from itself; fails unless the first is above
# 0.001 and 0.3, and the second above 3, for 26 rows, and below 1e-4, and 0, for the others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch

torch.set_num_threads(1)
draw = torch.Generator().manual_seed(0)
SHAPE = 3, 16, 32, 32
film = torch.randint(64, 193, SHAPE, generator=draw).float()  # the frames of one film, of mean 128
for noise in (1.0, 0.1):
    clips = (film + noise * torch.randn(26, *SHAPE, generator=draw)).flatten(1)
    others = (film + noise * torch.randn(26, *SHAPE, generator=draw)).flatten(1)
    right = torch.cdist(clips.double(), others.double(), compute_mode="donot_use_mm_for_euclid_dist")
    one = (clips[3].double() - others[5].double()).square().sum().sqrt()
    assert abs(right[3, 5] / one - 1) < 1e-12
    common = film.flatten()
    ways = {
        "25 rows": (torch.cdist(clips[:25], others[:25]), torch.cdist(clips[:25], clips[:25])),
        "26 rows": (torch.cdist(clips, others), torch.cdist(clips, clips)),
        "26 rows, no mm": tuple(
            torch.cdist(clips, rows, compute_mode="donot_use_mm_for_euclid_dist") for rows in (others, clips)
        ),
        "26 rows, less the film": (torch.cdist(clips - common, others - common),),
    }
    for name, (found, *own) in ways.items():
        error = (found / right[: len(found), : len(found)] - 1).abs().max().item()
        itself = own[0].diagonal().max().item() if own else 0.0
        print(f"noise {noise}, {name}: error {error:.1e}, from itself {itself:.2f}, true distance {right.mean():.1f}")
        if name == "26 rows":
            assert error > {1.0: 0.001, 0.1: 0.3}[noise] and itself > 3, (error, itself)
        else:
            assert error < 1e-4 and itself == 0, (error, itself)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
