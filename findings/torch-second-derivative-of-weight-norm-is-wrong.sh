#!/usr/bin/env bash
# torch 2.13.0: the second derivative of a convolution with weight_norm, in its weights, is wrong by most of its size.
#
# Products with the Hessian pass through it (influence functions, sharpness, a trajectory of several steps unrolled),
# without an error or a warning. Values and first derivatives are right, and with dim=1 so are the second; they are wrong
# with dim=0, the default, and with the last dimension. torch's own gradgradcheck refuses the operation too. Seen on
# Linux x86_64 (CPU), Python 3.11, in double precision, beside central differences of the first derivative.
# Expected: a relative error around 1e-8, whatever dim is.
# Prints relative errors for each; fails if the second's is not above 0.05 for dim 0 and 4, and below 1e-5 otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

TINY = 1e-5
torch.set_num_threads(1)
clips = torch.randn(4, 3, 5, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def errors(dim):
    """How far first and second derivative in the convolution's weights are from central differences."""
    torch.manual_seed(1)
    layer = nn.Conv3d(3, 8, 3).double()
    if dim is not None:
        layer = weight_norm(layer, dim=dim)
    weight = layer.weight if dim is None else layer.parametrizations.weight.original1
    move = torch.randn_like(weight)

    def loss():
        return nn.functional.softplus(layer(clips)).mean((2, 3, 4)).square().sum()

    def both(shift):
        """The loss and its slope with the weights shifted along `move`."""
        with torch.no_grad():
            weight.add_(move, alpha=shift)
        here = loss()
        (slope,) = torch.autograd.grad(here, weight)
        with torch.no_grad():
            weight.sub_(move, alpha=shift)
        return here.detach(), slope

    (slope,) = torch.autograd.grad(loss(), weight, create_graph=True)
    (product,) = torch.autograd.grad((slope * move).sum(), weight)
    (loss_up, slope_up), (loss_down, slope_down) = both(TINY), both(-TINY)
    true_first, true_second = (loss_up - loss_down) / (2 * TINY), (slope_up - slope_down) / (2 * TINY)
    first = ((slope.detach() * move).sum() - true_first).abs() / true_first.abs()
    return first.item(), ((product - true_second).norm() / true_second.norm()).item()


for dim in (None, 0, 1, 4):
    first, second = errors(dim)
    print(f"{'no weight_norm' if dim is None else f'dim={dim}'}: first derivative {first:.0e}, second {second:.1e}")
    assert first < 1e-5, first
    assert second > 0.05 if dim in (0, 4) else second < 1e-5, second
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
