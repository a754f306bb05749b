#!/usr/bin/env bash
# torch 2.13.0: clip_grad_norm_ and clip_grad_value_ scale gradients that have a graph, and leave the graph as it was.
#
# An inner loop that is unrolled (trajectory matching, clips learnt through a student's training) often clips the
# student's gradients, taken with create_graph=True. The student is then trained with the clipped gradients, but the
# derivative in the clips takes each step as if nothing had been cut off: it is many times too large, or of the wrong
# sign. There is no error and no warning; other changes in place are recorded or refused. The same loop, scaled by
# hand, is right. Seen on Linux x86_64 (CPU), Python 3.11, in double precision, beside central differences.
# Expected: the derivative of what was computed, or an error.
# Prints the derivative along a direction divided by the central difference; fails if that is not 1 for loops that do
# not clip or clip by hand, or less than 1 from it for the two functions.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

STEPS, RATE, LARGEST, TINY = 3, 0.5, 0.05, 1e-4
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
student = nn.Sequential(nn.Conv3d(3, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3))
clips, move, others = (torch.randn(4, 3, 4, 8, 8) for _ in range(3))
labels = torch.tensor([0, 1, 2, 0])


def by_function(function, weights, slopes, largest):
    """Clip with one of torch's functions, which work on the gradients of a list of weights."""
    for weight, slope in zip(weights, slopes, strict=True):
        weight.grad = slope
    function(weights, largest)
    return [weight.grad for weight in weights]


def by_hand(weights, slopes):
    factor = (LARGEST / torch.stack([slope.square().sum() for slope in slopes]).sum().sqrt()).clamp(max=1)
    return [slope * factor for slope in slopes]


def loss_after(clips, clip):
    """The loss on other clips of a student that took a few steps on these."""
    weights = {name: value.detach().clone().requires_grad_() for name, value in student.named_parameters()}
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(functional_call(student, weights, clips), labels)
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        slopes = clip(list(weights.values()), slopes)
        weights = {name: weights[name] - RATE * slope for name, slope in zip(weights, slopes, strict=True)}
    return nn.functional.cross_entropy(functional_call(student, weights, others), labels)


ways = {
    "no clipping": lambda weights, slopes: slopes,
    "by hand": by_hand,
    "clip_grad_norm_": lambda weights, slopes: by_function(clip_grad_norm_, weights, slopes, LARGEST),
    "clip_grad_value_": lambda weights, slopes: by_function(clip_grad_value_, weights, slopes, LARGEST / 50),
}
for name, clip in ways.items():
    learnt = clips.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss_after(learnt, clip), learnt)
    true = (loss_after(clips + TINY * move, clip) - loss_after(clips - TINY * move, clip)) / (2 * TINY)
    ratio = ((slope * move).sum() / true).item()
    print(f"{name:16} {ratio:.4f}")
    assert abs(ratio - 1) > 1 if "_" in name else abs(ratio - 1) < 1e-4, ratio
P
"$work/venv/bin/python" -W ignore "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
