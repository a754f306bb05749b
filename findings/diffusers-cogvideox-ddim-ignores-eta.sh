#!/usr/bin/env bash
# diffusers 0.42.1: CogVideoX's DDIM takes eta and a generator, and adds no noise: all clips of one start are one clip.
#
# With eta of 1 DDIM draws fresh noise in each step, the usual way to several clips from one start, or to compare
# deterministic with random sampling. step() of CogVideoXDDIMScheduler documents eta as the weight of that noise, a
# generator to draw it with and variance_noise to hand it over; the pipelines pass eta and generator on. None is used:
# clips are equal to the bit for every eta and seed, without a warning, so a comparison shows no effect of either.
# DDIMScheduler obeys. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python 3.11, with the best network for Gaussian
# latents, known in closed form.
# Expected: other clips for another eta, and for another seed with eta 1; or an error.
# Prints how far clips of another eta, seed or variance_noise are from those of eta 0, relative to their spread; fails
# unless that is 0 for CogVideoX's and above 0.1 for DDIMScheduler.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 transformers==5.24.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler

torch.set_num_threads(1)
SPREAD = 0.5  # of the latents that the network was trained on
START = torch.randn(1, 4, 8, 16, 16, generator=torch.Generator().manual_seed(0))


def sampled(kind, eta, seed=None):
    scheduler = kind(prediction_type="v_prediction", clip_sample=False)
    scheduler.set_timesteps(50)
    latents, draw = START, torch.Generator().manual_seed(seed or 0)
    for time in scheduler.timesteps:
        kept = scheduler.alphas_cumprod[int(time)]
        clip = latents * kept.sqrt() * SPREAD**2 / (kept * SPREAD**2 + 1 - kept)
        velocity = kept.sqrt() * (latents - kept.sqrt() * clip) / (1 - kept).sqrt() - (1 - kept).sqrt() * clip
        given = {"generator": draw}
        if seed is None:
            given = {"variance_noise": torch.randn(START.shape, generator=draw)}
        latents = scheduler.step(velocity, time, latents, eta=eta, **given).prev_sample
    return latents


for kind in (CogVideoXDDIMScheduler, DDIMScheduler):
    still = sampled(kind, 0.0)
    others = {"eta 0.5": sampled(kind, 0.5, 1), "eta 1": sampled(kind, 1.0, 1)}
    others |= {"eta 1, another seed": sampled(kind, 1.0, 2), "eta 1, noise given": sampled(kind, 1.0)}
    far = {name: ((clip - still).std() / still.std()).item() for name, clip in others.items()}
    print(kind.__name__, {name: round(value, 3) for name, value in far.items()})
    for value in far.values():
        assert value == 0 if kind is CogVideoXDDIMScheduler else value > 0.1, far
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
