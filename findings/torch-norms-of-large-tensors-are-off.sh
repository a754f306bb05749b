#!/usr/bin/env bash
# torch 2.13.0, CPU: norms of large float32 tensors are off by percents, an L1 norm by up to three quarters.
#
# norm, dist and torch.linalg.vector_norm add up millions of terms one after the other, and what is small beside the
# sum so far is rounded away; sum adds in pairs and is right. A distilled set of 101 or 202 clips, one or two of each
# class of UCF101 at 16x112x112, is large enough: its distance from a copy with one grey level more is 45 % or 73 %
# too small in L1, and that from a copy whose pixels are up to two levels off is 4 % too large in L2. More threads
# only move the place where this begins, for L1; L2 is computed by one. Seen on Linux x86_64 (AVX2 and AVX-512),
# Python 3.11.
# Expected: an error of some 1e-6 at most, as of the sum of the same terms.
# Prints relative errors; fails if they leave what is said here, or if those of sum are not below 1e-6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch

torch.set_num_threads(1)
VALUES = 3 * 16 * 112 * 112  # of one clip
LEVEL = 1 / 255


def off(value, right):
    return (value.double() / right - 1).item()


for clips in (24, 101, 202):
    draw = torch.Generator().manual_seed(0)
    brighter = torch.full((clips * VALUES,), LEVEL)  # the difference of the two sets
    decoded = torch.randint(-2, 3, (clips * VALUES,), generator=draw).float() * LEVEL
    for name, difference in (("brighter", brighter), ("decoded", decoded)):
        first = difference.abs().sum(dtype=torch.float64)
        second = difference.square().sum(dtype=torch.float64).sqrt()
        errors = {
            "L1": off(torch.linalg.vector_norm(difference, 1), first),
            "L1 by sum": off(difference.abs().sum(), first),
            "L2": off(torch.linalg.vector_norm(difference), second),
            "L2 by sum": off(difference.square().sum().sqrt(), second),
        }
        print(f"{clips:3} clips, {name}:", ", ".join(f"{key} {value:+.1e}" for key, value in errors.items()))
        assert abs(errors["L1 by sum"]) < 1e-6 and abs(errors["L2 by sum"]) < 1e-6, errors
        assert abs(errors["L2"]) > (0.03 if (clips, name) == (202, "decoded") else 0.001), errors
        assert abs(errors["L1"]) > {24: 0.002, 101: 0.05, 202: 0.4}[clips], errors
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
