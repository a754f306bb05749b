#!/usr/bin/env bash
# In torch 2.13.0, a video network that pools before its ReLU gives the outputs and gradients of one that pools after it,
# to the bit, but other second derivatives: backwards through the gradient of MaxPool3d, channels-last is lost.
#
# Matching of gradients or trajectories differentiates gradients in the clips. The two orders are one function, since a
# maximum and a positive part commute, and pooling first is faster. On channels-last clips the derivative of the pooling's
# gradient is a tensor in the order of its axes if the ReLU comes first, and channels-last if it comes last; convolutions
# then round otherwise, and what a few hundred iterations learn from it is another set. Seen on Linux x86_64 (CPU, AVX2,
# one thread), Python 3.11, on clips of 8x32x32. Expected: channels-last, and equal bits, in both.
# Prints "outputs equal, gradients equal, second derivatives different; layout ReLU first: contiguous, pooling first:
# channels-last"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn

torch.set_num_threads(1)
draw = torch.Generator().manual_seed(0)
shown = torch.randn(8, 3, 8, 32, 32, generator=draw).contiguous(memory_format=torch.channels_last_3d)
layers = {"ReLU first": [nn.ReLU(), nn.MaxPool3d((1, 2, 2))], "pooling first": [nn.MaxPool3d((1, 2, 2)), nn.ReLU()]}
values, layouts = {}, {}
for name, middle in layers.items():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv3d(3, 16, 5, padding=2), *middle, nn.Conv3d(16, 4, 3), nn.AdaptiveMaxPool3d(1), nn.Flatten())
    clips = shown.clone().requires_grad_()
    loss = nn.functional.cross_entropy(network(clips), torch.arange(8) % 4)
    slopes = torch.autograd.grad(loss, list(network.parameters()), create_graph=True)
    second = torch.autograd.grad(sum(slope.square().sum() for slope in slopes), clips)
    values[name] = [loss.detach()], [slope.detach() for slope in slopes], list(second)

    maps = torch.randn(8, 16, 8, 32, 32, generator=draw).contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    pooled = nn.Sequential(*middle)(maps)
    above = torch.ones_like(pooled).requires_grad_()
    (slope,) = torch.autograd.grad(pooled, maps, above, create_graph=True)
    (derivative,) = torch.autograd.grad(slope, above, torch.ones_like(slope))
    last = derivative.is_contiguous(memory_format=torch.channels_last_3d)
    layouts[name] = "channels-last" if last else "contiguous" if derivative.is_contiguous() else "another"
said = []
for what, one, other in zip(("outputs", "gradients", "second derivatives"), *values.values()):
    said.append(f"{what} {'equal' if all(map(torch.equal, one, other)) else 'different'}")
seen = ", ".join(said) + "; layout " + ", ".join(f"{name}: {layout}" for name, layout in layouts.items())
print(seen)
assert seen == (
    "outputs equal, gradients equal, second derivatives different; "
    "layout ReLU first: contiguous, pooling first: channels-last"
), seen
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
