#!/usr/bin/env bash
# diffusers 0.42.1: AutoencoderKLCogVideoX decodes frames of 256x256 to 262x270 if told to work in tiles of 128x128.
#
# enable_tiling takes the size of the tiles, so that clips fit into memory. Tiles begin a whole number of latents apart,
# and what is kept of each is counted in pixels; a sixth of the height and a fifth of the width, which tiles overlap by,
# are cut to integers in both, and where the two differ too much or too little of each tile is kept. The picture is
# pulled apart at the seams, without a warning, with tiles of 96, 128, 160 or 192; and what is encoded has other sizes
# as well. Tiles of 240x240 and of 240x360, the default, are right. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python
# 3.11, on a small network with random weights, which do not affect sizes.
# Expected: the size that there is without tiles.
# Prints, for each size of tiles, those of latents and frames for 480x480; fails unless they are right without tiles and
# with tiles of 240, and the frames' wrong otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import AutoencoderKLCogVideoX

torch.set_num_threads(1)
torch.manual_seed(0)
network = AutoencoderKLCogVideoX(
    block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=2, latent_channels=4
).eval()
for tile in (None, (96, 96), (128, 128), (160, 160), (192, 192), (240, 240), (240, 360)):
    if tile:
        network.enable_tiling(*tile)
    with torch.no_grad():
        latents = network.encode(torch.randn(1, 3, 1, 480, 480)).latent_dist.mode().shape[-2:]
        frames = network.decode(torch.randn(1, 4, 1, 60, 60)).sample.shape[-2:]
    print(f"tiles of {tile}: latents {tuple(latents)}, frames {tuple(frames)}")
    if tile is None or tile[0] == 240:
        assert latents == (60, 60) and frames == (480, 480)
    else:
        assert frames != (480, 480)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
