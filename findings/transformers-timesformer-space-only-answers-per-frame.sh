#!/usr/bin/env bash
# transformers 5.24.0: TimeSformer with attention_type="space_only" classifies frames, and a pipeline takes the first.
#
# The configuration lists three kinds of attention. With two of them, TimesformerForVideoClassification returns a row of
# logits for each clip. With "space_only", the baseline without time of the TimeSformer paper, where the frames'
# features are averaged, it returns one for each frame, clips times frames, and averages nothing: last_hidden_state has
# as many rows. The row of a clip's number is then a frame of an early clip, and VideoClassificationPipeline, which
# reads row 0, scores a clip by its first frame whatever the others show. Neither warns; training with labels is refused
# for the numbers of rows, but distances between logits, and inference, go through. Seen with torch 2.13.0 on Linux
# x86_64 (CPU), Python 3.11, on small networks with random weights, which do not affect shapes.
# Expected: a row for each clip, which depends on all of its frames.
# Prints, for each kind, the shape of the logits of two clips of four frames, and by how much the first row changes if
# the last three frames of its clip are replaced; fails if that is 0 or there are not two rows, or, for space_only, if
# it is not 0 or there are not eight.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 transformers==5.24.0
cat > "$work/look.py" <<'P'
import torch
from transformers import TimesformerConfig, TimesformerForVideoClassification

CLIPS, FRAMES, CLASSES = 2, 4, 5
SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
SMALL |= {"image_size": 16, "patch_size": 4, "num_frames": FRAMES, "num_labels": CLASSES}

for kind in ("divided_space_time", "joint_space_time", "space_only"):
    torch.manual_seed(0)
    network = TimesformerForVideoClassification(TimesformerConfig(attention_type=kind, **SMALL)).eval()
    clips = torch.randn(CLIPS, FRAMES, 3, 16, 16)
    changed = clips.clone()
    changed[0, 1:] = torch.randn(FRAMES - 1, 3, 16, 16)
    with torch.no_grad():
        logits, others = network(clips).logits, network(changed).logits
    change = (others[0] - logits[0]).abs().max().item()
    print(f"{kind}: logits {tuple(logits.shape)}, other frames change the first row by {change:.4f}")
    if kind == "space_only":
        assert logits.shape == (CLIPS * FRAMES, CLASSES) and change == 0
    else:
        assert logits.shape == (CLIPS, CLASSES) and change > 1e-4
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
