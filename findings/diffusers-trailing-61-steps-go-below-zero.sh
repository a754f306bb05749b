#!/usr/bin/env bash
# diffusers 0.42.1: with "trailing" spacing, set_timesteps(61) makes 62 timesteps, and the last is -1.
#
# The levels are counted down from 1000 by 1000/61 with numpy's arange, which rounding makes one longer; less one, the
# last is -1. So it is with 61, 103, 121 or 122 steps and 58 other numbers up to 1000. A network answers for -1 as for
# any number, and DDIM and CogVideoX's DDIM look -1 up in their table, from its end, where the noisiest level is. With
# the best network for Gaussian latents, which is known in closed form, DDIM makes clips of a hundred times the contrast
# and CogVideoX, with v-prediction, of a tenth, without a warning. 60 and 62 steps are right. Seen with torch 2.13.0 on
# Linux x86_64 (CPU), Python 3.11.
# Expected: as many timesteps as asked for, and the standard deviation of what the network was trained on, 0.5.
# Prints for which numbers there is a -1, and the standard deviation of what is sampled; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 transformers==5.24.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import diffusers
import torch

torch.set_num_threads(1)
draw = torch.Generator().manual_seed(0)
SPREAD = 0.5  # of the latents that the network was trained on
KINDS = {"DDIMScheduler": "epsilon", "CogVideoXDDIMScheduler": "v_prediction"}


def made(name):
    return getattr(diffusers, name)(prediction_type=KINDS[name], timestep_spacing="trailing", clip_sample=False)


def sampled(name, steps):
    """The standard deviation of latents sampled with the best network there is for Gaussian latents."""
    scheduler = made(name)
    scheduler.set_timesteps(steps)
    latents = torch.randn(1, 4, 8, 32, 32, generator=draw)
    for time in scheduler.timesteps:
        kept = scheduler.alphas_cumprod[max(int(time), 0)]  # below level 0, what it says there
        clip = latents * kept.sqrt() * SPREAD**2 / (kept * SPREAD**2 + 1 - kept)
        noise = (latents - kept.sqrt() * clip) / (1 - kept).sqrt()
        velocity = kept.sqrt() * noise - (1 - kept).sqrt() * clip
        latents = scheduler.step(noise if KINDS[name] == "epsilon" else velocity, time, latents).prev_sample
    return latents.std().item()


for name in KINDS:
    below = []
    for steps in range(1, 1001):
        scheduler = made(name)
        scheduler.set_timesteps(steps)
        if scheduler.timesteps.min() < 0:
            assert len(scheduler.timesteps) == steps + 1 and scheduler.timesteps[-1] == -1
            below.append(steps)
    print(f"{name}: -1 for {len(below)} of 1000 numbers of steps: {below[:5]} ...")
    assert len(below) == 62 and below[0] == 61
    for steps in (50, 60, 61, 62, 100, 103):
        spread = sampled(name, steps)
        print(f"{steps} steps: standard deviation {spread:.3f}")
        assert spread > 5 or spread < 0.1 if steps in below else abs(spread - SPREAD) < 0.1, spread
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
