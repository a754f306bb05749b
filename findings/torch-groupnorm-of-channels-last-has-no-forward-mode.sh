#!/usr/bin/env bash
# torch 2.13.0: GroupNorm of channels-last clips can neither be differentiated forwards nor mapped over networks.
#
# Forward-mode derivatives (torch.func.jvp) give a distilled clip's effect on a network without the graph of its
# training, and vmap trains several small networks at once. Both work for GroupNorm(1, C) of clips in the order of their
# axes. In channels-last, which is recommended for convolutions and handed on by them, jvp raises
# "view size is not compatible with input tensor's size and stride", from inside torch, and vmap "NYI: querying
# is_contiguous inside of vmap". Conv3d, BatchNorm3d and every pooling that has a rule take either layout. Seen on Linux
# x86_64, Python 3.11.
# Expected: the same numbers in both layouts.
# Prints what each gives or raises; fails if one raises in the order of the axes, or none of GroupNorm's in channels-last.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.func import jvp, vmap

torch.manual_seed(0)
LAYERS = {"Conv3d": nn.Conv3d(4, 4, 3), "BatchNorm3d": nn.BatchNorm3d(4).eval(), "MaxPool3d": nn.MaxPool3d(2),
          "GroupNorm": nn.GroupNorm(1, 4)}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last_3d}
clips, direction = torch.randn(2, 4, 8, 16, 16), torch.randn(2, 4, 8, 16, 16)
raised = []
for name, layer in LAYERS.items():
    for layout, order in LAYOUTS.items():
        a, b = clips.contiguous(memory_format=order), direction.contiguous(memory_format=order)
        for way, call in {"jvp": lambda: jvp(layer, (a,), (b,))[1], "vmap": lambda: vmap(layer)(torch.stack([a, b]))}.items():
            try:
                said = f"mean square {call().square().mean():.4f}"
            except RuntimeError as error:
                said = str(error).splitlines()[0][:90]
                raised.append((name, layout, way))
            print(f"{name:11} {layout:13} {way:4} {said}")
assert raised == [("GroupNorm", "channels-last", "jvp"), ("GroupNorm", "channels-last", "vmap")], raised
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
