#!/usr/bin/env bash
# diffusers 0.42.1: AnimateDiff with FreeNoise halves the last of 26 frames in every motion block; of 27 it fades two.
#
# enable_free_noise() makes clips longer than the 16 frames that motion modules know: windows of 16, 4 frames apart, are
# averaged with weights that fall towards their ends (pyramid, the default). If windows do not come out even, a last one
# fills the frames that are left over, weighted each by its own weight, and is divided by the weight of the first of
# them for all. So the hidden states of the last frame are multiplied by a half where two frames are left over, and
# those of the last two by two thirds and a third where it is three (50 frames: two), block after block, which the
# decoder sees as other frames. There is no warning. One left over, as for 25, and the flat weights are right. Seen with
# torch 2.13.0 on Linux x86_64 (CPU), Python 3.11, on small networks with random weights, whose motion blocks are made
# to mix nothing, so that averaging must not change any frame.
# Expected: what the network answers without FreeNoise, to rounding.
# Prints, for each scheme and number of frames, what a block multiplies the last three by, and how far off the network's
# answer for them is, relative to its spread; fails unless pyramid and sawtooth with two or three frames left over are
# off by 0.05 or more in the frames that fade, and all else is right (below 0.01, as a norm spans all frames).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 transformers==5.24.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import AnimateDiffPipeline, DDIMScheduler, UNetMotionModel
from diffusers.models.attention import FreeNoiseTransformerBlock

torch.set_num_threads(1)
torch.set_grad_enabled(False)
torch.manual_seed(0)
network = UNetMotionModel(
    block_out_channels=(16, 32),
    down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
    up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
    layers_per_block=1,
    cross_attention_dim=16,
    num_attention_heads=2,
    motion_num_attention_heads=2,
    norm_num_groups=4,
    use_motion_mid_block=True,
).eval()
for name, weight in network.named_parameters():
    if "motion_modules" in name and ".to_out." in name:  # attention over frames adds nothing
        torch.nn.init.zeros_(weight)
parts = dict.fromkeys(("vae", "text_encoder", "tokenizer", "feature_extractor", "image_encoder"))
pipeline = AnimateDiffPipeline(unet=network, motion_adapter=None, scheduler=DDIMScheduler(), **parts)
pipeline.motion_adapter = network  # its configuration says how many frames there may be


def answer(latents):
    return network(latents, 500, encoder_hidden_states=torch.ones(latents.shape[2], 3, 16)).sample


for frames in (16, 25, 26, 27, 28, 50):
    latents = torch.randn(1, 4, 1, 8, 8).repeat(1, 1, frames, 1, 1)  # a still clip
    right = answer(latents[:, :, :16])[:, :, :1]
    for scheme in ("flat", "pyramid", "delayed_reverse_sawtooth"):
        pipeline.enable_free_noise(weighting_scheme=scheme)
        block = next(part for part in network.modules() if isinstance(part, FreeNoiseTransformerBlock))
        scaled, kept = [], block.norm3.register_forward_hook(lambda _, given, __: scaled.append(given[0]))
        block(torch.ones(1, frames, block.dim))
        kept.remove()
        factors = scaled[0][0, -3:, 0].tolist()
        off = ((answer(latents) - right).std((0, 1, 3, 4)) / right.std())[-3:].tolist()
        print(f"{scheme}, {frames} frames: {[round(f, 2) for f in factors]}, off by {[round(o, 3) for o in off]}")
        fades = {2: [1, 1, 1 / 2], 3: [1, 2 / 3, 1 / 3]}.get((frames - 16) % 4 if scheme != "flat" else 0, [1, 1, 1])
        assert all(abs(f - g) < 1e-5 for f, g in zip(factors, fades)), factors
        assert all(o > 0.05 if f < 1 else o < 0.01 for o, f in zip(off, fades)), off
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
