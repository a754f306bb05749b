#!/usr/bin/env bash
# peft 0.21.2: merging LoRA into a Conv3d with padding_mode other than "zeros" changes its output at the edges of clips.
#
# The adapter's own convolution takes kernel, stride and padding from the layer it is put on, but not the padding mode:
# beside a layer that repeats, mirrors or wraps around what is at the edge (first and last frames, borders) it is
# trained with zeros there. merge_and_unload, which is to make one network of both with the same output, then applies
# the learnt weights with the layer's mode. Of two such layers, trained to shift a clip by a pixel, the merged network
# is off by half of all that the adapter does, in every mode but "zeros"; tokens far from the edges are right. A clip of
# few frames is nearly all edge. There is no warning, while groups are refused. Seen with torch 2.13.0 on Linux x86_64
# (CPU), Python 3.11.
# Expected: the output of before merging, to rounding, or a refusal.
# Prints, for each mode, how far merging moves the output, as a share of what the adapter changes, and the same far from
# the edges; fails if it is not below 0.00001 for zeros and away from the edges, or above 0.2 for the others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 peft==0.21.2 transformers==5.24.0 accelerate==1.15.0
cat > "$work/look.py" <<'P'
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

torch.set_num_threads(1)
INSIDE = (..., slice(2, -2), slice(2, -2), slice(2, -2))  # two layers of 3x3x3 reach no further than two places

for mode in ("zeros", "replicate", "reflect", "circular"):
    torch.manual_seed(0)
    layers = [nn.Conv3d(4, 4, 3, padding=1, padding_mode=mode) for _ in range(2)]
    network = get_peft_model(nn.Sequential(layers[0], nn.ReLU(), layers[1]), LoraConfig(r=2, target_modules=["0", "2"]))
    clips = torch.randn(2, 4, 8, 12, 12)
    optimizer = torch.optim.Adam([value for value in network.parameters() if value.requires_grad], 0.01)
    for _ in range(60):
        loss = (network(clips) - clips.roll(1, -1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        adapted = network(clips)
        with network.disable_adapter():
            effect = (adapted - network(clips)).std()
        moved = network.merge_and_unload()(clips) - adapted
    share, inside = (moved.std() / effect).item(), (moved[INSIDE].std() / effect).item()
    print(f"{mode}: merging moves the output by {share:.1e} of the adapter's effect, {inside:.1e} inside")
    assert inside < 1e-5
    assert share < 1e-5 if mode == "zeros" else share > 0.2
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
