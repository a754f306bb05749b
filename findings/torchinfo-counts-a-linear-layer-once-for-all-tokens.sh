#!/usr/bin/env bash
# torchinfo 1.8.0: Mult-Adds of a linear layer are those of one token, however many tokens a clip has.
#
# Its summary is what papers take the Mult-Adds of their networks from. Convolutions and recurrent layers are counted
# for every place and step. A linear layer that a clip's tokens pass, (clips, tokens, channels), is counted once for
# each clip: of the layers of a video transformer with 256 tokens 1/256 is counted. With tokens of 16, 8 and 4 pixels
# the true number grows 64 times, the stated one by half a per cent. Seen on Linux x86_64, Python 3.11, torch 2.13.0.
# Expected: as many times the work as there are tokens.
# Prints stated and exact Mult-Adds of the linear layers; fails if the stated ones depend on the number of tokens.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 torchinfo==1.8.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torchinfo import summary

CLIPS, WIDTH = 2, 64


class Tokens(nn.Module):
    """Patches of a clip, and two layers that each of them passes."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.patches = nn.Conv3d(3, WIDTH, side, stride=side)
        self.layers = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.layers(self.patches(clips).flatten(2).transpose(1, 2))


for side in (16, 8, 4):
    tokens = (16 // side) * (32 // side) ** 2
    told = summary(Tokens(side), input_size=(CLIPS, 3, 16, 32, 32), verbose=0).summary_list
    stated = sum(layer.macs for layer in told if layer.class_name == "Linear")
    patches = sum(layer.macs for layer in told if layer.class_name == "Conv3d")
    exact = CLIPS * 2 * 4 * WIDTH * WIDTH  # of one token
    print(f"{tokens:3} tokens: linear layers {stated} stated, {tokens * exact} exact; convolution {patches} stated")
    assert exact <= stated < 1.02 * exact  # biases are counted too
    assert patches == CLIPS * tokens * WIDTH * (3 * side**3 + 1)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
