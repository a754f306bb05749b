#!/usr/bin/env bash
# transformers 5.24.0: V-JEPA 2 takes clips of any size, and counts their rows and frames as if they had crop_size.
#
# Its positions are rotations that are computed, not learnt, so that features of clips of 112x112 can be had from a
# network for 256x256, as of clips of any number of frames, which is right. But where a token is, is told from its
# number and crop_size alone: of a grid of 8x8 tokens, counted in rows of 16, two rows are taken for one, and four
# frames for one. A token and the one below it thus get the same row, columns 8 apart; time hardly passes. There is no
# warning, while VideoMAE and ViViT refuse sizes that do not match. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python
# 3.11, on small networks with random weights.
# Expected: the features of the same weights in a network that is told the size (crop_size has no weights of its own).
# Prints, for each size and number of frames, the share of tokens with a wrong frame, row or column, and how far the
# features are off, relative to their spread; fails unless both are 0 at crop_size with any number of frames, and above
# 0.4 and 0.2 at other sizes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 transformers==5.24.0
cat > "$work/look.py" <<'P'
import torch
from transformers import VJEPA2Config, VJEPA2Model

PATCH, TUBE = 16, 2
SMALL = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": PATCH, "tubelet_size": TUBE}
SMALL |= {"pred_hidden_size": 24, "pred_num_hidden_layers": 1, "pred_num_attention_heads": 2, "frames_per_clip": 16}
torch.set_num_threads(1)
torch.manual_seed(0)


def built(size):
    return VJEPA2Model(VJEPA2Config(crop_size=size, **SMALL)).eval()


network = built(256)
for weight in network.parameters():
    if weight.ndim > 1:
        torch.nn.init.normal_(weight, std=0.3)
for size, frames in ((256, 16), (256, 8), (256, 32), (112, 16), (128, 16), (224, 16)):
    told = built(size)
    told.load_state_dict(network.state_dict())
    clips = torch.randn(2, frames, 3, size, size)
    with torch.no_grad():
        features, right = (net(pixel_values_videos=clips, skip_predictor=True)[0] for net in (network, told))
    off = ((features - right).norm() / (right - right.mean((0, 1))).norm()).item()
    side = size // PATCH
    true = torch.cartesian_prod(torch.arange(frames // TUBE), torch.arange(side), torch.arange(side))
    taken = torch.stack(network.encoder.layer[0].attention.get_position_ids(features), 1)
    wrong = (taken != true).any(1).float().mean().item()
    print(f"{size}x{size}, {frames} frames: {wrong:.2f} of the tokens misplaced, features off by {off:.2f}")
    assert wrong == off == 0 if size == 256 else wrong > 0.4 and off > 0.2, (wrong, off)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
