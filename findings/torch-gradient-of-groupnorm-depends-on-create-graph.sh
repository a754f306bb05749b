#!/usr/bin/env bash
# In torch 2.13.0, the gradient of a video network with GroupNorm has other bits with create_graph=True than without.
#
# Trajectory and gradient matching take each step's gradient twice, once plain and once with a graph, and a step that is
# computed again is then not the step that was taken. Networks without norm, or with InstanceNorm3d or BatchNorm3d, give
# equal bits either way; so does each way when it is repeated. Seen on Linux x86_64 (CPU, one thread), Python 3.11, on
# clips of 8x32x32. Expected: equal bits for all of them.
# Prints "no norm equal, InstanceNorm3d equal, BatchNorm3d equal, GroupNorm different"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn

torch.set_num_threads(1)
clips = torch.randn(8, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
norms = {
    "no norm": nn.Identity(),
    "InstanceNorm3d": nn.InstanceNorm3d(16, affine=True),
    "BatchNorm3d": nn.BatchNorm3d(16),
    "GroupNorm": nn.GroupNorm(1, 16),
}
seen = []
for name, norm in norms.items():
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv3d(3, 16, 3, padding=1), norm, nn.ReLU(), nn.Conv3d(16, 4, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten()
    )
    weights = list(network.parameters())

    def gradient(graph: bool) -> list[torch.Tensor]:
        loss = nn.functional.cross_entropy(network(clips), torch.arange(8) % 4)
        return [part.detach() for part in torch.autograd.grad(loss, weights, create_graph=graph)]

    def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
        return all(torch.equal(a, b) for a, b in zip(one, other))

    plain, graph = gradient(False), gradient(True)
    assert equal(plain, gradient(False)) and equal(graph, gradient(True)), name
    seen.append(f"{name} {'equal' if equal(plain, graph) else 'different'}")
print(", ".join(seen))
assert seen == ["no norm equal", "InstanceNorm3d equal", "BatchNorm3d equal", "GroupNorm different"], seen
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
