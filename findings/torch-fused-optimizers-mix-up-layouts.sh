#!/usr/bin/env bash
# torch 2.13.0, CPU: with fused=True, SGD, Adam, AdamW and Adagrad mix up values where one of weight, gradient and
# state is channels-last and another is not. Each is gone through in the order of its memory, without a word.
#
# Clips learnt on a channels-last network meet this at once: they are in the order of their axes, while the gradient
# that torch.autograd.grad hands over is channels-last, so each value is moved by the slope of another (backward()
# would have copied it into the layout of the clips). So does a student who was saved in channels-last and goes on in
# the other layout: load_state_dict keeps the layout of the moments. Seen on Linux x86_64, Python 3.11.
# Expected: what fused=False does, which handles each pair of layouts, up to rounding.
# Prints how far a run with fused=True ends from the same with fused=False, as a share of the way; fails unless that
# is above 0.05 for mixed layouts and below 0.001 otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
LAYOUTS = {"axes": torch.contiguous_format, "channels-last": torch.channels_last_3d}
OPTIMIZERS = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.Adagrad
REAL = torch.randn(16, 3, 8, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 4


def student(layout):
    torch.manual_seed(1)
    layers = nn.Conv3d(3, 8, 3), nn.Tanh(), nn.Conv3d(8, 4, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten()
    return nn.Sequential(*layers).to(memory_format=LAYOUTS[layout])


def learn_clips(kind, fused, layout):
    """Ten steps of clips, in the order of their axes, on a network of the given layout."""
    network, clips = student(layout), REAL.clone().requires_grad_()
    optimizer = kind([clips], lr=0.01, fused=fused)
    for _ in range(10):
        clips.grad = torch.autograd.grad(cross_entropy(network(clips), LABELS), clips)[0]
        optimizer.step()
    return clips.detach() - REAL


def train_on(kind, fused, layout):
    """Ten steps in channels-last, and ten more of what was saved then in the given layout."""
    options, saved = {"momentum": 0.9} if kind is torch.optim.SGD else {}, None
    network, start = student("channels-last"), student("channels-last")[2].weight.detach()
    for place in ("channels-last", layout):
        resumed = student(place)
        resumed.load_state_dict(network.state_dict())
        network, optimizer = resumed, kind(resumed.parameters(), lr=0.01, fused=fused, **options)
        optimizer.load_state_dict(saved or optimizer.state_dict())
        for _ in range(10):
            optimizer.zero_grad()
            cross_entropy(network(REAL), LABELS).backward()
            optimizer.step()
        saved = optimizer.state_dict()
    return network[2].weight.detach() - start


for run, mixed in ((learn_clips, "channels-last"), (train_on, "axes")):
    for kind in OPTIMIZERS:
        for layout in LAYOUTS:
            right, fused = run(kind, False, layout), run(kind, True, layout)
            off = ((fused - right).norm() / right.norm()).item()
            print(f"{run.__name__:11} {kind.__name__:7} {layout:13} {off:.1e}")
            assert off > 0.05 if layout == mixed else off < 1e-3, off
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
