#!/usr/bin/env bash
# torchvision 0.28.0: video Swin transformers (swin3d_t, _s, _b) look up wrong relative positions in clips of 112x112.
#
# Attention within a window of 8x7x7 tokens has a learnt bias for each offset in time, height and width. Of clips of
# 16x112x112, the field's geometry, the last stage has 8x4x4 tokens; the window is made smaller, but the biases are
# those of the first 8*4*4 places of the large one: the fifth token, which begins the second row, gets those of the
# fifth of the first. So most pairs get the bias of another offset, and weights trained at 224x224, where windows are
# whole, lose what they learnt, without a warning. Fewer frames are right. Seen with torch 2.13.0 on Linux x86_64 (CPU),
# Python 3.11.
# Expected: the bias of a pair depends on its offset alone, as in a whole window.
# Attention is made to look nowhere but at one offset, by a large bias for it and queries of zero: each token must
# become its neighbour. Prints the share of tokens that become another, for each offset and size, and that of pairs with
# a bias of another offset; fails unless all are right for 7x7 tokens and no neighbour in time for 4x4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 pillow==13.0.0
"$work/venv/bin/pip" install --quiet --no-deps torchvision==0.28.0
cat > "$work/look.py" <<'P'
import itertools

import torch

if "+cpu" in torch.__version__:  # a torchvision built for CUDA then lacks these two, which Swin does not use
    names = torch.library.Library("torchvision", "DEF")
    names.define("nms() -> ()")
    names.define("qnms() -> ()")
from torchvision.models.video.swin_transformer import ShiftedWindowAttention3d

WINDOW, CHANNELS = (8, 7, 7), 6
NEIGHBOURS = {"in time": (1, 0, 0), "below": (0, 1, 0), "to the right": (0, 0, 1)}
torch.manual_seed(0)


def entry(offset):
    """Where the table holds the bias of a token at this offset from the one that looks."""
    place = 0
    for step, length in zip(offset, WINDOW):
        place = place * (2 * length - 1) + length - 1 - step
    return place


@torch.no_grad()
def look(size):
    layer = ShiftedWindowAttention3d(CHANNELS, list(WINDOW), [0, 0, 0], 1, qkv_bias=False, proj_bias=False).eval()
    layer.qkv.weight.zero_()[2 * CHANNELS :] = torch.eye(CHANNELS)
    layer.proj.weight.copy_(torch.eye(CHANNELS))
    clip, wrong = torch.randn(1, *size, CHANNELS), {}
    for name, offset in NEIGHBOURS.items():
        layer.relative_position_bias_table.zero_()[entry(offset)] = 50
        there = tuple(slice(step, None) for step in offset)
        here = tuple(slice(0, length - step) for step, length in zip(offset, size))
        off = (layer(clip)[0][here] - clip[0][there]).abs().amax(-1) > 1e-3
        wrong[name] = off.double().mean().item()
    table = layer.relative_position_bias_table
    table.copy_(torch.arange(len(table)).unsqueeze(1))
    places = list(itertools.product(*map(range, size)))
    right = [[entry([b - a for a, b in zip(one, other)]) for other in places] for one in places]
    pairs = layer.get_relative_position_bias(list(size))[0, 0] != torch.tensor(right)
    print(f"{size}: {wrong}, pairs with another's bias {pairs.double().mean().item():.3f}")
    return list(wrong.values())


assert look((8, 7, 7)) == look((4, 7, 7)) == [0, 0, 0]
assert look((8, 4, 4))[0] == 1
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
