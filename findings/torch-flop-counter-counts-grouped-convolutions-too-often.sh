#!/usr/bin/env bash
# torch 2.13.0: FlopCounterMode counts the backward pass of a depthwise Conv3d 65 times instead of twice.
#
# Video networks with channel-separated convolutions (X3D, CSN) are chosen for how few operations they take. The
# forward pass of a Conv3d in 1, 4 and 64 groups is counted right. Its two gradients take as much as the forward pass
# each, but 2, 5 and 65 times as much is counted: that of the weights is counted as if every group saw all channels.
# So a training step of such a network seems to cost twenty times what it does. Seen on Linux x86_64, Python 3.11.
# Expected: twice the forward pass, in any number of groups.
# Prints both counts over the exact number of operations; fails if the forward pass is not 1, or the backward pass not
# 1 + the number of groups.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

CHANNELS, VOXELS, WINDOW = 64, 8 * 14 * 14, 3**3
for groups in (1, 4, 64):
    layer = nn.Conv3d(CHANNELS, CHANNELS, 3, padding=1, groups=groups, bias=False)
    clip = torch.zeros(1, CHANNELS, 8, 14, 14, requires_grad=True)
    exact = 2 * CHANNELS * VOXELS * WINDOW * (CHANNELS // groups)
    with FlopCounterMode(display=False) as forward:
        made = layer(clip)
    with FlopCounterMode(display=False) as backward:
        made.sum().backward()
    counted = [counter.get_total_flops() / exact for counter in (forward, backward)]
    print(f"{groups:2} groups: forward {counted[0]:g}, backward {counted[1]:g} times the exact forward pass")
    assert counted == [1, 1 + groups]
P
"$work/venv/bin/python" -W error "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
