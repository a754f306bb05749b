"""A generator trained here: a Latte that learns to denoise the latents of train clips, and of nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from vdbench.clips.clipset import sent
from vdbench.errors import UsageError
from vdbench.evaluation.precision import in_bf16
from vdbench.generator.autoencoder import (
    SHRINK,
    TrainedAutoencoder,
    encode,
    load_autoencoder,
    quiet_diffusers,
    unreachable,
)
from vdbench.generator.fitting import Fit, Schedule
from vdbench.generator.pipeline import TRAIN_STEPS, ClassVideoPipeline, fresh_transformer, noise_schedule
from vdbench.generator.settings import AutoencoderSettings, DenoiserSettings, TrainingSettings
from vdbench.generator.source import Generator, GeneratorRecord, GeneratorSpec, weights_sha256, write_record
from vdbench.seeding import generator, seed_of, seeded
from vdbench.storage import files
from vdbench.work.workload import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.settings import SamplingSettings
    from vdbench.work.assets import Assets, AssetSpec

CLIPS_AT_ONCE = 32
"""Clips that are encoded together."""


class TrainedGenerator(GeneratorSpec):
    """Class-conditional latent video diffusion, trained on the train split: a folder of ``ClassVideoPipeline``.

    Attributes:
        autoencoder: what makes the latents.
        denoiser: size of the transformer.
        training: how it is trained.
    """

    version: ClassVar[int] = 1
    can_rehearse: ClassVar[bool] = True
    autoencoder: AutoencoderSettings
    denoiser: DenoiserSettings
    training: TrainingSettings

    def check(self, size: int) -> None:
        """See whether frames of so many pixels per side become latents and tokens, as far as settings tell.

        Raises:
            UsageError: they do not.
        """
        if self.autoencoder.pretrained is not None:
            return
        if size % SHRINK:
            raise UsageError(
                f"an autoencoder trained here shrinks frames {SHRINK} times, so {size} pixels do not do; choose a size "
                "divisible by it, name one with --set generator.autoencoder.pretrained=..., or leave out methods on "
                "generated clips"
            )
        self._check_tokens(size // SHRINK)

    def in_bf16(self, device: str) -> bool:
        """See :meth:`AssetSpec.in_bf16`: its denoiser trains in bfloat16 on a GPU."""
        return device == "cuda"

    def parts(self) -> Sequence[AssetSpec[Any]]:
        """The autoencoder, where it is trained here too."""
        own = self._autoencoder()
        return () if own is None else (own,)

    def build(self, assets: Assets, folder: Path) -> None:
        """Encode the train clips once, train on the latents, and save the pipeline.

        Raises:
            DataError: the autoencoder cannot be loaded.
            UsageError: its latents do not split into tokens.
            DivergedError: the loss is not finite.
        """
        started = time.perf_counter()
        train = assets.train
        own = self._autoencoder()
        autoencoder = load_autoencoder(assets.get(own) if own else str(self.autoencoder.pretrained))
        autoencoder.register_to_config(_name_or_path="")  # which would name a folder of this machine
        autoencoder.to(assets.device).eval().requires_grad_(False)
        latents = self._latents(autoencoder, train, assets)
        pipeline = self._fresh(autoencoder, latents, train)
        fit = self._fit(pipeline, latents, assets)
        pipeline.transformer.eval()
        with quiet_diffusers():  # it warns of float16 on a CPU, but sampling computes in float32
            pipeline.to("cpu", torch.float16).save_pretrained(folder)
        for path in folder.rglob("*.safetensors"):
            path.chmod(0o644)  # safetensors leaves them to their owner alone
        files.write_json(folder / "losses.json", fit.losses)
        seconds = time.perf_counter() - started
        write_record(folder, self._record(train, folder, pipeline, seconds))

    def work(self, assets: Assets) -> list[Work]:
        """Encoding every clip, and the training steps."""
        settings = self.training
        clips = torch.from_numpy(np.array(assets.train.clips[:CLIPS_AT_ONCE]))
        views = settings.views if settings.augment == "roll" else 1

        def encoding() -> Callable[[int], object]:
            pipeline, _ = self._untrained(assets)
            return lambda items: encode(pipeline.vae, clips[:items])

        def denoising() -> Callable[[int], object]:
            pipeline, latents = self._untrained(assets)
            fit = self._fitted(pipeline)
            loss = self._loss(pipeline, latents, np.zeros(len(latents), np.int64))
            return fit.rehearsal(lambda items: loss(0, items))

        what = (self.kind, str(self), assets.train.clips.shape[1:])
        return [
            Work((*what, "encoding"), encoding, len(clips), views * len(assets.train) / len(clips)),
            Work((*what, "denoising"), denoising, settings.batch, settings.steps),
        ]

    def rehearsed(self, assets: Assets) -> TrainedSampler:
        """The pipeline with random weights."""
        pipeline, _ = self._untrained(assets)
        pipeline.transformer.eval()
        return TrainedSampler(pipeline)

    def _untrained(self, assets: Assets) -> tuple[ClassVideoPipeline, torch.Tensor]:
        """The pipeline with random weights, on the device, and latents of a clip."""
        own = self._autoencoder()
        source = str(self.autoencoder.pretrained)
        autoencoder: Any = load_autoencoder(source) if own is None else own.fresh(assets.train)
        autoencoder.to(assets.device).eval().requires_grad_(False)
        latents = encode(autoencoder, torch.from_numpy(np.array(assets.train.clips[:1])))[:, None]
        pipeline = self._fresh(autoencoder, latents, assets.train)
        pipeline.transformer.to(assets.device)
        return pipeline, latents

    def open(self, found: Generator, train: ClipSet, device: torch.device) -> TrainedSampler:
        """Load the pipeline."""
        return TrainedSampler.load(found.folder, device)

    def describe(self) -> dict[str, Any]:
        """Every setting of the training."""
        return {"source": "trained", **self.model_dump(mode="json")}

    def _autoencoder(self) -> TrainedAutoencoder | None:
        if self.autoencoder.pretrained is not None:
            return None
        roll = self.training.augment == "roll"
        return TrainedAutoencoder(settings=self.autoencoder, roll=roll, seed=self.training.seed)

    def _latents(self, autoencoder: Any, train: ClipSet, assets: Assets) -> torch.Tensor:
        """Latents of every clip in ``views`` versions, the first as it is: float32 ``(N, V, C, T / s, h, w)``."""
        views = self.training.views if self.training.augment == "roll" else 1
        parts = []
        for rows in np.array_split(np.arange(len(train)), -(-len(train) // CLIPS_AT_ONCE)):
            shown = [_shifted(train.clips[rows], self._shifts(rows, view, train.size)) for view in range(views)]
            encoded = [encode(autoencoder, torch.from_numpy(clips)) for clips in shown]
            parts.append(torch.stack(encoded, dim=1))
            assets.report(0, of=self.training.steps, encoded=(int(rows[-1]) + 1) / len(train))
        return torch.cat(parts)

    def _shifts(self, rows: NDArray[np.int64], view: int, size: int) -> NDArray[np.int64]:
        """How far each clip is shifted down and to the right in one of its views."""
        if view == 0:
            return np.zeros((len(rows), 2), dtype=np.int64)
        return np.stack([generator(self.training.seed, "roll", view, int(row)).integers(size, size=2) for row in rows])

    def _fresh(self, autoencoder: Any, latents: torch.Tensor, train: ClipSet) -> ClassVideoPipeline:
        channels, frames, side = latents.shape[2:5]
        self._check_tokens(side)
        with seeded(seed_of(generator(self.training.seed, "denoiser"))):
            transformer = fresh_transformer(
                self.denoiser, channels=channels, frames=frames, side=side, classes=len(train.classes)
            )
        std, mean = torch.std_mean(latents, dim=(0, 1, 3, 4, 5))
        return ClassVideoPipeline(
            autoencoder,
            transformer,
            noise_schedule(self.training.prediction),
            classes=train.classes,
            latents_mean=mean.tolist(),
            latents_std=std.clamp(min=1e-6).tolist(),
        )

    def _check_tokens(self, side: int) -> None:
        if side % self.denoiser.patch:
            raise UsageError(
                f"latents of {side}x{side} do not split into tokens of {self.denoiser.patch}x{self.denoiser.patch}; "
                "add --set generator.denoiser.patch=1"
            )

    def _fit(self, pipeline: ClassVideoPipeline, latents: torch.Tensor, assets: Assets) -> Fit:
        pipeline.transformer.to(assets.device)
        fit, loss = self._fitted(pipeline), self._loss(pipeline, latents, np.array(assets.train.labels))
        fit.run(lambda step: loss(step, self.training.batch), assets.checkpoint(self), assets.due, assets.report)
        return fit

    def _fitted(self, pipeline: ClassVideoPipeline) -> Fit:
        settings = self.training
        schedule = Schedule(settings.steps, settings.lr, settings.warmup, settings.ema)
        return Fit(pipeline.transformer.train(), schedule, "denoiser")

    def _loss(
        self, pipeline: ClassVideoPipeline, latents: torch.Tensor, classes: NDArray[np.int64]
    ) -> Callable[[int, int], torch.Tensor]:
        """The loss of a step on so many clips, drawn from latents ``(N, V, C, T / s, h, w)`` of clips of classes."""
        settings, transformer, schedule = self.training, pipeline.transformer, pipeline.scheduler
        device = transformer.device
        scaled = pipeline.scaled(latents.flatten(0, 1)).view_as(latents)
        labels, none = torch.from_numpy(classes), len(pipeline.config.classes)

        def loss(step: int, batch: int) -> torch.Tensor:
            rng = generator(settings.seed, "denoise", step)
            rows = torch.from_numpy(rng.integers(len(scaled), size=batch))
            views = torch.from_numpy(rng.integers(scaled.shape[1], size=batch))
            dropped = torch.from_numpy(rng.random(batch) < settings.class_dropout)
            times = sent(torch.from_numpy(rng.integers(TRAIN_STEPS, size=batch)), device)
            chance = torch.Generator().manual_seed(seed_of(rng))
            clean = scaled[rows, views]
            noise = sent(torch.randn(clean.shape, generator=chance), device)
            captions = sent(pipeline.captions(labels[rows].masked_fill(dropped, none)), device)
            clean = sent(clean, device)
            noisy = schedule.add_noise(clean, noise, times)
            velocity = settings.prediction == "v_prediction"
            target = schedule.get_velocity(clean, noise, times) if velocity else noise
            with in_bf16(device):
                predicted = transformer(noisy, times, captions).sample
            return torch.nn.functional.mse_loss(predicted.float(), target)

        return loss

    def _record(self, train: ClipSet, folder: Path, pipeline: ClassVideoPipeline, seconds: float) -> GeneratorRecord:
        foreign = self.autoencoder.pretrained
        return GeneratorRecord(
            name="latte" if foreign is None else f"latte on {foreign}",
            weights=weights_sha256(folder),
            saw="train" if foreign is None else f"train; its autoencoder {foreign} outside data",
            dataset=train.fingerprint,
            clips=tuple(sorted(train.ids)),
            parameters=sum(weight.numel() for weight in pipeline.transformer.parameters()),
            seconds=round(seconds, 1),
        )


class TrainedSampler:
    """A ``ClassVideoPipeline`` in memory, on its device and in evaluation mode."""

    def __init__(self, pipeline: ClassVideoPipeline) -> None:
        self.pipeline = pipeline

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> TrainedSampler:
        """Read the pipeline from a folder.

        Raises:
            DataError: it cannot be read.
        """
        try:
            with quiet_diffusers():
                pipeline = ClassVideoPipeline.from_pretrained(folder).to(device, torch.float32)
        except (OSError, ValueError) as error:
            raise unreachable("generator", folder, "generator.pipeline", error) from error
        pipeline.set_progress_bar_config(disable=True)
        return cls(pipeline)

    def __call__(
        self, class_name: str, rngs: Sequence[np.random.Generator], sampling: SamplingSettings
    ) -> NDArray[np.uint8]:
        """Clips of a class, uint8 ``(n, T, H, W, 3)``, one per source of noise."""
        pixels: NDArray[np.uint8] = self.pipeline(class_name, rngs, sampling).numpy()
        return pixels


def _shifted(clips: NDArray[np.uint8], shifts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Clips ``(n, T, H, W, 3)`` with all frames of each shifted alike; what leaves on one side enters on the other."""
    return np.stack([np.roll(clip, tuple(shift), (1, 2)) for clip, shift in zip(clips, shifts, strict=True)])
