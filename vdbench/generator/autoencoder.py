"""The autoencoder of a generator: frames to latents and back. A pretrained one, or a small one trained on train.

One that is trained here may put several successive frames into one latent, as more input channels. Such latents are few
and hold motion by themselves, so that a small transformer has little to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from vdbench.clips.clipset import sent
from vdbench.errors import DataError
from vdbench.generator.fitting import Fit, Schedule
from vdbench.generator.settings import AutoencoderSettings
from vdbench.seeding import generator, seed_of, seeded
from vdbench.storage import files
from vdbench.work.assets import Assets, AssetSpec
from vdbench.work.workload import Work

if TYPE_CHECKING:
    from vdbench.clips.clipset import ClipSet, ResidentClips

SHRINK = 8
"""Pixels per side of a latent, of those trained here."""
STACKS_AT_ONCE = 64


class TrainedAutoencoder(AssetSpec[Path]):
    """A small autoencoder trained on stacks of successive train frames: a diffusers folder.

    It is diffusers' AutoencoderTiny. Frames are shifted around their edges while it is trained where the generator
    that it is for is trained so.

    Attributes:
        settings: its size and how it is trained.
        roll: whether frames are shifted.
        seed: of the weights and batches.
    """

    kind: ClassVar[str] = "autoencoders"
    settings: AutoencoderSettings
    roll: bool
    seed: int

    def build(self, assets: Assets, folder: Path) -> None:
        """Train with the squared error of pixels."""
        train, settings, device = assets.train, self.settings, assets.device
        network = self.fresh(train).to(device)
        fit = Fit(network, Schedule(settings.steps, settings.lr), "autoencoder")
        held = train.on(device)

        def loss(step: int) -> torch.Tensor:
            return self._loss(network, held, step, settings.batch)

        fit.run(loss, assets.checkpoint(self), assets.due, assets.report)
        network.save_pretrained(folder)
        files.write_json(folder / "losses.json", fit.losses)

    def work(self, assets: Assets) -> list[Work]:
        """Its training steps."""
        train, settings = assets.train, self.settings

        def ready() -> Callable[[int], object]:
            network = self.fresh(train).to(assets.device)
            fit = Fit(network, Schedule(settings.steps, settings.lr), "autoencoder")
            return fit.rehearsal(lambda items: self._loss(network, train, 0, items))

        return [Work(("autoencoder", str(self), train.clips.shape[1:]), ready, settings.batch, settings.steps)]

    def load(self, folder: Path) -> Path:
        """The folder, for :func:`load_autoencoder`."""
        return folder

    def _loss(self, network: Any, train: ClipSet | ResidentClips, step: int, batch: int) -> torch.Tensor:
        """Of one step on so many stacks."""
        rng, channels = generator(self.seed, "autoencoder", step), network.config.in_channels
        frames = _stacks(train, rng, batch, channels // 3, self.roll, network.device)
        latents = network.encoder(frames)
        noise = sent(torch.from_numpy(rng.normal(0, self.settings.noise, latents.shape)).float(), network.device)
        penalty = 1e-4 * latents.square().mean()  # keeps latents where the decoder's tanh is nearly linear
        total: torch.Tensor = (network.decoder(latents + noise) - frames).square().mean() + penalty
        return total

    def fresh(self, train: ClipSet) -> Any:
        """The network before its training, for stacks of a train split's frames."""
        from diffusers import AutoencoderTiny

        width, channels = (self.settings.width,) * 4, 3 * math.gcd(train.frames, self.settings.frames)
        with seeded(seed_of(generator(self.seed, "autoencoder"))):
            return AutoencoderTiny(
                in_channels=channels,
                out_channels=channels,
                encoder_block_out_channels=width,
                decoder_block_out_channels=width,
                latent_channels=self.settings.channels,
                num_encoder_blocks=(1, 1, 1, 1),
                num_decoder_blocks=(1, 1, 1, 1),
            )


def _stacks(
    train: ClipSet | ResidentClips, rng: np.random.Generator, count: int, stack: int, roll: bool, device: torch.device
) -> torch.Tensor:
    """Random stacks of successive frames as autoencoders take them, float32 ``(count, stack * 3, H, W)`` in -1..1.

    They reach the device as pixels, and are shifted and scaled there.
    """
    frames, size = train.clips.shape[1:3]
    rows, first = rng.integers(len(train), size=(count, 1)), rng.integers(frames - stack + 1, size=(count, 1))
    times = first + np.arange(stack)
    stacks = sent(train.frames_at(np.broadcast_to(rows, times.shape).copy(), times), device)
    if roll:
        shifts = rng.integers(size, size=(count, 2)).tolist()
        stacks = torch.stack([torch.roll(one, by, (1, 2)) for one, by in zip(stacks, shifts, strict=True)])
    return _as_input(stacks)


def _as_input(stacks: torch.Tensor) -> torch.Tensor:
    """Stacks of frames, uint8 ``(n, s, H, W, 3)``, as float32 ``(n, s * 3, H, W)`` in -1..1."""
    return to_signed(stacks).permute(0, 1, 4, 2, 3).flatten(1, 2).contiguous()


def to_signed(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels, uint8, as float32 in -1..1."""
    return pixels.float().div_(127.5).sub_(1)


def to_pixels(signed: torch.Tensor) -> torch.Tensor:
    """Values in -1..1 as uint8 pixels; what lies outside is cut."""
    return signed.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


def load_autoencoder(source: str | Path) -> Any:
    """Load a pretrained autoencoder.

    Args:
        source: a folder, or the id of a hub repository, of diffusers' AutoencoderTiny or AutoencoderKL; or a folder
            of two files of plain weights, as tiny autoencoders are published (see :mod:`vdbench.generator.taesd`).

    Raises:
        DataError: there is none, or it is of another kind.
    """
    from diffusers import AutoencoderKL, AutoencoderTiny

    from vdbench.generator.taesd import find_plain, load_plain

    folder = Path(source).expanduser()
    source = folder if folder.is_dir() else source
    if not (folder / "config.json").is_file() and (halves := find_plain(folder)):
        return load_plain(*halves)
    kinds = {"AutoencoderTiny": AutoencoderTiny, "AutoencoderKL": AutoencoderKL}
    try:
        config = AutoencoderTiny.load_config(source)
        kind = config.get("_class_name")
        if kind not in kinds:
            raise DataError(f"{source} holds a {kind}; an autoencoder must be one of {', '.join(kinds)}")
        with quiet_diffusers():
            return kinds[kind].from_pretrained(source).float()
    except (OSError, ValueError, RuntimeError) as error:
        raise unreachable("autoencoder", source, "generator.autoencoder.pretrained", error) from error


@contextmanager
def quiet_diffusers() -> Iterator[None]:
    """Keep the log of diffusers to errors inside the block, and its progress bars off the screen."""
    from diffusers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def unreachable(what: str, source: str | Path, setting: str, error: Exception) -> DataError:
    """What to say where a folder or a hub repository cannot be loaded."""
    why = " ".join(str(error).split())[:200]
    if Path(source).expanduser().is_dir():
        return DataError(f"the {what} in {source} cannot be loaded ({why}); name another: --set {setting}=FOLDER")
    return DataError(
        f"the {what} '{source}' is no folder here and the model hub does not give it ({why}); without a network, "
        f"download it elsewhere and name its folder: --set {setting}=FOLDER"
    )


@torch.inference_mode()
def encode(autoencoder: Any, clips: torch.Tensor) -> torch.Tensor:
    """Latents of clips.

    Args:
        autoencoder: on the device where to compute.
        clips: uint8 ``(n, T, H, W, 3)``.

    Returns:
        float32 ``(n, C, T / s, h, w)`` on the CPU, s being the frames that share a latent.
    """
    stack = frames_per_latent(autoencoder)
    count, frames, height, width = clips.shape[:4]
    stacks = clips.reshape(count * frames // stack, stack, height, width, 3)
    parts = []
    for part in torch.split(stacks, STACKS_AT_ONCE):
        encoded = autoencoder.encode(_as_input(part.to(autoencoder.device)).to(autoencoder.dtype))
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        parts.append(latents.float().cpu())
    joined = torch.cat(parts)
    return joined.view(count, frames // stack, *joined.shape[1:]).transpose(1, 2).contiguous()


def frames_per_latent(autoencoder: Any) -> int:
    """How many successive frames share a latent."""
    return int(autoencoder.config.in_channels) // 3


@torch.inference_mode()
def decode(autoencoder: Any, latents: torch.Tensor) -> torch.Tensor:
    """Clips of latents ``(n, C, T / s, h, w)``: uint8 ``(n, T, H, W, 3)`` on the CPU."""
    stack = frames_per_latent(autoencoder)
    parts = [
        to_pixels(autoencoder.decode(part.to(autoencoder.device, autoencoder.dtype)).sample).cpu()
        for part in torch.split(latents.transpose(1, 2).flatten(0, 1), STACKS_AT_ONCE)
    ]
    pixels = torch.cat(parts)
    height, width = pixels.shape[2:]
    return pixels.view(len(latents), latents.shape[2] * stack, 3, height, width).permute(0, 1, 3, 4, 2).contiguous()
