"""Tiny autoencoders as their authors publish them: two files of plain weights, an encoder's and a decoder's.

Such a file is the state of one sequence of layers, numbered from 0. Layers without weights are gaps in the numbers, so
the shapes and the gaps say what the network is.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Layer = tuple[str, int, int]
"""Kind, channels in, channels out; both 0 for a layer without weights."""

_UNREADABLE = (
    *(OSError, EOFError, pickle.UnpicklingError, SafetensorError),
    *(AttributeError, KeyError, RuntimeError, TypeError, ValueError),
)
"""What reading a file of something else raises, and then building a network of it."""
SUFFIXES = (".safetensors", ".pth", ".pt")


class PlainAutoencoder(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """An autoencoder with the interface of diffusers' AutoencoderTiny: ``encode(x).latents``, ``decode(z).sample``.

    Frames are float ``(n, 3, H, W)`` in -1..1, latents as they come out of the encoder.

    Args:
        encoder_layers: in their order.
        decoder_layers: in their order.
        in_channels: of a frame.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, encoder_layers: Sequence[Layer], decoder_layers: Sequence[Layer], in_channels: int = 3) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*(_built(*layer) for layer in encoder_layers))
        self.decoder = nn.Sequential(*(_built(*layer) for layer in decoder_layers))

    def encode(self, frames: torch.Tensor) -> SimpleNamespace:
        """Latents ``(n, C, h, w)`` of frames, as ``latents`` of what is returned."""
        return SimpleNamespace(latents=self.encoder(frames.add(1).div(2)))

    def decode(self, latents: torch.Tensor) -> SimpleNamespace:
        """Frames of latents, as ``sample`` of what is returned; they may leave -1..1 by a little."""
        return SimpleNamespace(sample=self.decoder(latents).mul(2).sub(1))


def find_plain(folder: Path) -> tuple[Path, Path] | None:
    """The encoder's and the decoder's file in a folder that holds one of each, told by their names; else None."""
    files = [path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES]
    encoders, decoders = ([path for path in files if part in path.name.lower()] for part in ("encoder", "decoder"))
    return (encoders[0], decoders[0]) if len(encoders) == len(decoders) == 1 else None


def load_plain(encoder: Path, decoder: Path) -> PlainAutoencoder:
    """Build the network that two files of weights belong to, in float32.

    Raises:
        DataError: they cannot be read, or belong to another kind of network.
    """
    try:
        shrinking, enlarging = _read(encoder), _read(decoder)
        network: PlainAutoencoder = PlainAutoencoder(layers_of(shrinking), layers_of(enlarging))
        network.encoder.load_state_dict(shrinking)
        network.decoder.load_state_dict(enlarging)
    except _UNREADABLE as error:
        raise DataError(
            f"{encoder.name} and {decoder.name} in {encoder.parent} are not the weights of a tiny autoencoder "
            f"({' '.join(str(error).split())[:200]}); name a folder of one, or of a diffusers autoencoder"
        ) from error
    return network


def _read(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        weights: dict[str, torch.Tensor] = load_file(path)
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def layers_of(weights: Mapping[str, torch.Tensor]) -> list[Layer]:
    """The layers that weights belong to, such as ``("block", 64, 64)``.

    Convolutions without a bias change the size: they follow a gap, which stands for enlarging twice, or else shrink
    twice themselves. A gap at the very start cuts off outliers, any other one is a ReLU.
    """
    count = 1 + max(int(name.partition(".")[0]) for name in weights)
    found: list[dict[str, torch.Tensor]] = [{} for _ in range(count)]
    for name, weight in weights.items():
        layer, _, rest = name.partition(".")
        found[int(layer)][rest] = weight
    return [_layer(found, number) for number in range(count)]


def _layer(found: Sequence[Mapping[str, torch.Tensor]], number: int) -> Layer:
    own = found[number]
    if not own:
        resizes = found[number + 1].keys() == {"weight"}  # a gap has a next layer: numbers end at a layer with weights
        return "cut" if number == 0 else "enlarge" if resizes else "relu", 0, 0
    kernel = own["conv.0.weight" if "conv.0.weight" in own else "weight"]
    after_gap = number > 0 and not found[number - 1]
    return _kind(own, after_gap), kernel.shape[1], kernel.shape[0]


def _kind(own: Mapping[str, torch.Tensor], after_gap: bool) -> str:
    if "conv.0.weight" in own:
        return "wide-block" if "pool.0.weight" in own else "block"
    if "bias" in own:
        return "conv"
    return "plain" if after_gap else "shrink"


def _built(kind: str, inputs: int, outputs: int) -> nn.Module:
    match kind:
        case "cut":
            return _Cut()
        case "relu":
            return nn.ReLU()
        case "enlarge":
            return nn.Upsample(scale_factor=2)
        case "block" | "wide-block":
            return _Block(inputs, outputs, wide=kind == "wide-block")
    return nn.Conv2d(inputs, outputs, 3, padding=1, stride=2 if kind == "shrink" else 1, bias=kind == "conv")


class _Cut(nn.Module):
    """Keeps latents within -3..3, smoothly."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.tanh(latents / 3) * 3


class _Block(nn.Module):
    """Three convolutions and a shortcut; a wide block mixes channels over the whole image before them."""

    def __init__(self, inputs: int, outputs: int, wide: bool) -> None:
        super().__init__()
        first, second, third = (nn.Conv2d(count, outputs, 3, padding=1) for count in (inputs, outputs, outputs))
        self.conv = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pool = _mixing(inputs) if wide else None

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if self.pool is not None:
            maps = maps + self.pool(maps)
        return torch.relu(self.conv(maps) + self.skip(maps))


def _mixing(channels: int) -> nn.Sequential:
    wide = 4 * channels
    into, back = nn.Conv2d(channels, wide, 1, bias=False), nn.Conv2d(wide, channels, 1, bias=False)
    return nn.Sequential(into, nn.GroupNorm(4, wide), nn.ReLU(), back)
