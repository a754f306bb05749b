#!/usr/bin/env bash
# torch 2.13.0: SGD(differentiable=True) with momentum lets no gradient through its first step.
#
# With differentiable=True, an optimizer's steps belong to the graph, so that the loss of a trained student can be
# differentiated in the clips it was trained on. With momentum, the first gradient enters the buffer detached: the clips
# that are shown first get a derivative of zero, and clips that every step sees one that lacks the first step's share.
# There is no warning, and the student itself is right. Seen on Linux x86_64 (CPU), Python 3.11, on four steps of a small
# video network, each on a clip of its own, beside central differences. Without momentum, and with Adam, all are right.
# Expected: the derivative of what was computed, with momentum too.
# Prints, for each optimizer, the derivative along one direction of each clip divided by its central difference; fails
# if that is not 1, or, for the first clip with momentum, 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.func import functional_call

STEPS, TINY = 4, 1e-4
OPTIMIZERS = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.2, differentiable=True),
    "SGD with momentum": lambda weights: torch.optim.SGD(weights, lr=0.2, momentum=0.9, differentiable=True),
    "Adam": lambda weights: torch.optim.Adam(weights, lr=0.02, differentiable=True),
}
torch.manual_seed(0)
torch.set_num_threads(1)
network = nn.Sequential(
    nn.Conv3d(3, 8, 3), nn.Softplus(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 4)
).double()
learned = torch.randn(STEPS, 3, 4, 8, 8, dtype=torch.float64)
real = torch.randn(8, 3, 4, 8, 8, dtype=torch.float64)
direction = torch.randn_like(learned)


def outcome(clips, make):
    """The loss on the real clips of a student that took one step on each of `clips`."""
    weights = {name: weight.detach().clone().requires_grad_() for name, weight in network.named_parameters()}
    weights = {name: weight.clone() for name, weight in weights.items()}  # no leaves: step() changes them in place
    optimizer = make(list(weights.values()))
    for step in range(STEPS):
        copies = {name: weight.clone() for name, weight in weights.items()}  # what the graph keeps must not change
        scores = functional_call(network, copies, (clips[step : step + 1],))
        loss = nn.functional.cross_entropy(scores, torch.tensor([step]))
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        for weight, slope in zip(weights.values(), slopes):
            weight.grad = slope
        optimizer.step()
    return nn.functional.cross_entropy(functional_call(network, weights, (real,)), torch.arange(8) % 4)


for name, make in OPTIMIZERS.items():
    clips = [clip.clone().requires_grad_() for clip in learned]
    slopes = torch.autograd.grad(outcome(torch.stack(clips), make), clips)
    ratios = []
    for step, slope in enumerate(slopes):
        move = torch.zeros_like(learned)
        move[step] = TINY * direction[step]
        true = (outcome(learned + move, make) - outcome(learned - move, make)).item() / (2 * TINY)
        ratios.append((slope * direction[step]).sum().item() / true + 0.0)
    print(f"{name}: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    wanted = [0 if step == 0 and name == "SGD with momentum" else 1 for step in range(STEPS)]
    assert all(abs(ratio - right) < 0.01 for ratio, right in zip(ratios, wanted)), ratios
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
