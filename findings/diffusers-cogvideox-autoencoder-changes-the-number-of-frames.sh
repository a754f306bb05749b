#!/usr/bin/env bash
# AutoencoderKLCogVideoX of diffusers 0.42.1 returns fewer or more frames than it was given, without an error.
#
# It packs four frames into one latent frame. 8, 9 and 16 frames are preserved, but 4 become 1, 12 become 9, and 5
# become 8. A clip of 16 frames is safe, one of 12 loses its end. Seen with torch 2.13.0 on Linux x86_64, Python 3.11,
# on a small network with random weights, which do not affect the count. Expected: always the same number, or always
# rounded down to 4k + 1.
# Prints "4 -> 1, 5 -> 8, 8 -> 8, 9 -> 9, 12 -> 9, 16 -> 16"; fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import AutoencoderKLCogVideoX

torch.manual_seed(0)
network = AutoencoderKLCogVideoX(
    block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=2, latent_channels=4
).eval()
seen = []
for frames in (4, 5, 8, 9, 12, 16):
    with torch.no_grad():
        latents = network.encode(torch.randn(1, 3, frames, 16, 16)).latent_dist.mode()
        back = network.decode(latents).sample
    seen.append(f"{frames} -> {back.shape[2]}")
print(", ".join(seen))
assert seen == ["4 -> 1", "5 -> 8", "8 -> 8", "9 -> 9", "12 -> 9", "16 -> 16"], seen
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
