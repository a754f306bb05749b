#!/usr/bin/env bash
# diffusers 0.42.1: FlowMatchEulerDiscreteScheduler(shift=17) steps from 22 % noise to none, at 1,000 steps as at 50.
#
# Video models of flow matching shift the levels of noise upwards (HunyuanVideo by 7 or 17). set_timesteps(n)
# spaces n levels down to the lowest of training, which has been shifted already, and shifts them once more: the lowest
# becomes 0.9 % at shift 3, 4.7 % at 7 and 22 % at 17, where shifting once gives 0.3, 0.7 and 1.7 %, and no number of
# steps brings it down. The last step is thus a leap, and clips lose contrast. With the best network for Gaussian
# latents, known in closed form, 1,000 steps at shift 17 leave 86 % of the true spread; the same levels, given as
# set_timesteps(sigmas=...) before the shift, come to 99 %. There is no warning. A comparison of numbers of steps levels
# off far from the truth. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python 3.11.
# Expected: with 1,000 steps the levels of training, and a spread that comes ever closer to the true one.
# Prints the last level of noise and the spread over the true one, for both ways; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 transformers==5.24.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

torch.set_num_threads(1)
SPREAD = 0.5  # of the latents that the network was trained on


def sampled(shift, steps, given):
    """The last level of noise, and the spread of the clips over the true one."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    if given:
        scheduler.set_timesteps(sigmas=[1 - step / steps for step in range(steps)])
    else:
        scheduler.set_timesteps(steps)
    latents = torch.randn(1, 4, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    for time in scheduler.timesteps:
        level = time.item() / 1000
        share = latents / ((1 - level) ** 2 * SPREAD**2 + level**2)
        velocity = (level - (1 - level) * SPREAD**2) * share  # noise less clip, the best guess of both
        latents = scheduler.step(velocity, time, latents).prev_sample
    return scheduler.sigmas[-2].item(), latents.std().item() / SPREAD


for shift in (3, 7, 17):
    once = shift * 0.001 / (1 + (shift - 1) * 0.001)
    twice = shift * once / (1 + (shift - 1) * once)
    for steps in (50, 200, 1000):
        (last, spread), (wanted, better) = (sampled(shift, steps, given) for given in (False, True))
        print(f"shift {shift}, {steps} steps: last level {last:.4f}, spread {spread:.3f}; "
              f"given levels: {wanted:.4f}, {better:.3f}")  # fmt: skip
        assert abs(last - twice) < 1e-4
    assert abs(wanted - once) < 1e-4
    assert abs(better - 1) < 0.03
    assert spread < better
    if shift == 17:
        assert spread < 0.9
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
