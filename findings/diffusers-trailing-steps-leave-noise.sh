#!/usr/bin/env bash
# diffusers 0.42.1: DDIM and CogVideoX's DDIM and DPM end with noise left over, for 43 of the numbers of steps up to 100.
#
# With "trailing" spacing, which is meant to begin at the noisiest level and to end clean, the last timestep is 1000/steps
# to the nearest integer, less one, and the step from there goes down by 1000/steps rounded down. Where the two integers
# differ it ends at level 0, the first of noise, and not at none: so with 6, 7, 15, 24, 28 or 60 steps, but not with 10,
# 20, 25, 30 or 50. Latents of a clip keep noise of a standard deviation of 0.05 with CogVideoX's schedulers and of 0.01
# with DDIM, even if the network knows the clip, and a comparison of numbers of steps shows that. There is no warning.
# DPMSolverMultistepScheduler and UniPC end clean. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python 3.11.
# Expected: the clip, from a network that predicts exactly that, after any number of steps.
# Prints for how many numbers of steps from 4 to 100 (not 61, which makes 62 steps) noise is left, and its smallest
# standard deviation; fails if that changes.
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
clip = torch.rand(1, 4, 8, 16, 16, generator=draw) - 0.5  # latents of 8 frames


def sampled(name, steps):
    """What is sampled with a model that predicts the clip whatever it is given."""
    more = {"clip_sample": False} if "Solver" not in name and "UniPC" not in name else {}
    scheduler = getattr(diffusers, name)(prediction_type="sample", timestep_spacing="trailing", **more)
    scheduler.set_timesteps(steps)
    times, old = scheduler.timesteps, None
    assert len(times) == steps and times[-1] >= 0
    sample = torch.randn(clip.shape, generator=draw)
    for place, time in enumerate(times):
        if name == "CogVideoXDPMScheduler":
            before = times[place - 1] if place else None
            sample, old = scheduler.step(clip, old, time, before, sample, generator=draw, return_dict=False)
        else:
            sample = scheduler.step(clip, time, sample).prev_sample
    return sample


for name, low, high in (
    ("DDIMScheduler", 0.005, 0.02),
    ("CogVideoXDDIMScheduler", 0.04, 0.08),
    ("CogVideoXDPMScheduler", 0.04, 0.08),
    ("DPMSolverMultistepScheduler", 0, 0),
    ("UniPCMultistepScheduler", 0, 0),
):
    left = {steps: (sampled(name, steps) - clip).std().item() for steps in range(4, 101) if steps != 61}
    noisy = {steps: spread for steps, spread in left.items() if spread > 1e-4}
    print(f"{name}: {len(noisy)} of {len(left)}", f"from {min(noisy.values()):.3f}" if noisy else "", list(noisy)[:10])
    unequal = [steps for steps in left if round(1000 / steps) > 1000 // steps]
    assert list(noisy) == (unequal if high else []) and all(low < spread < high for spread in noisy.values())
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
