#!/usr/bin/env bash
# diffusers 0.42.1: told to use smaller tiles, autoencoders of Wan, HunyuanVideo and Mochi drop 44 % of a frame.
#
# enable_tiling() lets clips be decoded tile by tile where memory is short; whoever is still short of it asks for
# smaller tiles, tile_sample_min_height=128. The distance from one tile to the next is another setting, 192 by default
# (tiles are of 256 by default), and stays as it is: strips of 64 pixels between tiles are decoded by none, and the rest
# is put together as one frame, 192x192 instead of 256x256, without a warning. Encoding leaves out the same strips.
# EasyAnimate's (Magvit) returns the first tile alone, 128x128. With tile_sample_stride_height and _width of 96 all are
# whole. Seen with torch 2.13.0 on Linux x86_64 (CPU), Python 3.11, on small networks with random weights, which do not
# affect sizes.
# Expected: 256x256, or an error about tiles that do not meet.
# Prints sizes of decoded frames and latents without tiles, with smaller tiles, and with a smaller distance as well; and
# how many of 32x32 latents have an effect on the frames with smaller tiles. Fails unless only the middle one is wrong.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
cat > "$work/look.py" <<'P'
import torch
from diffusers import AutoencoderKLHunyuanVideo, AutoencoderKLMagvit, AutoencoderKLMochi, AutoencoderKLWan

torch.set_num_threads(1)
SMALL = {"block_out_channels": (8,) * 4, "layers_per_block": 1, "norm_num_groups": 4, "latent_channels": 4}
BLOCKS = {f"{way}_block_types": (f"HunyuanVideo{way.title()}Block3D",) * 4 for way in ("down", "up")}
MOCHI = {f"{half}_block_out_channels": (32,) * 4 for half in ("encoder", "decoder")}
NETWORKS = {
    "Wan": (AutoencoderKLWan, {"base_dim": 8, "z_dim": 4, "dim_mult": [1] * 4, "num_res_blocks": 1}),
    "HunyuanVideo": (AutoencoderKLHunyuanVideo, SMALL | BLOCKS),
    "Mochi": (AutoencoderKLMochi, {"latent_channels": 4, "layers_per_block": (1,) * 5} | MOCHI),
    "Magvit": (AutoencoderKLMagvit, SMALL),
}
TILES = {"tile_sample_min_height": 128, "tile_sample_min_width": 128}
STRIDES = {"tile_sample_stride_height": 96, "tile_sample_stride_width": 96}


def sizes(network):
    """Of decoded frames and of latents, for frames of 256x256."""
    with torch.no_grad():
        frames = network.decode(torch.randn(1, 4, 1, 32, 32)).sample
        latents = network.encode(torch.randn(1, 3, 1, 256, 256)).latent_dist.mode()
    return tuple(frames.shape[-2:]), tuple(latents.shape[-2:])


for name, (kind, settings) in NETWORKS.items():
    torch.manual_seed(0)
    network = kind(**settings).eval()
    whole = sizes(network)
    network.enable_tiling(**TILES)
    small = sizes(network)
    given = torch.randn(1, 4, 1, 32, 32, requires_grad=True)
    network.decode(given).sample.sum().backward()
    used = (given.grad != 0).any(1).sum().item()
    network.enable_tiling(**TILES, **STRIDES)
    met = sizes(network)
    print(f"{name}: {whole}, smaller tiles {small} from {used} of {32 * 32} latents, smaller distance too {met}")
    right, left = ((256, 256), (32, 32)), 128 if name == "Magvit" else 192
    assert whole == met == right and small == ((left, left), (left // 8, left // 8))
    assert used == (16 * 16 if name == "Magvit" else 24 * 24)
P
"$work/venv/bin/python" "$work/look.py" 2> "$work/log" || { cat "$work/log"; exit 1; }
