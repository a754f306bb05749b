"""Class-conditional latent video diffusion as a diffusers pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from diffusers import DDIMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler, LatteTransformer3DModel

from vdbench.evaluation.precision import in_bf16
from vdbench.generator.autoencoder import decode, encode
from vdbench.seeding import seed_of

if TYPE_CHECKING:
    import numpy as np

    from vdbench.generator.settings import DenoiserSettings, SamplingSettings

TRAIN_STEPS = 1000
"""Noise levels that the transformer is trained on."""

Steer = Callable[[int, torch.Tensor], torch.Tensor]
"""Given the number of a step and what the transformer takes for the clean latents there, those to go on with."""


class ClassVideoPipeline(DiffusionPipeline):  # type: ignore[misc]
    """Samples clips of a class. Saved and loaded as any diffusers pipeline; ``from_pretrained`` of this class reads it.

    The class enters the transformer as a caption of one token: one-hot over the classes, and one more for "none".

    Args:
        vae: AutoencoderTiny or AutoencoderKL.
        transformer: LatteTransformer3DModel.
        scheduler: the noise schedule that the transformer was trained with.
        classes: names, in the order of the one-hot caption.
        latents_mean: per latent channel.
        latents_std: per latent channel; the transformer sees latents of mean 0 and deviation 1.
    """

    def __init__(
        self,
        vae: Any,
        transformer: LatteTransformer3DModel,
        scheduler: DDIMScheduler,
        classes: Sequence[str] = (),
        latents_mean: Sequence[float] = (),
        latents_std: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, transformer=transformer, scheduler=scheduler)
        self.register_to_config(classes=list(classes), latents_mean=list(latents_mean), latents_std=list(latents_std))

    @torch.inference_mode()
    def __call__(
        self, class_name: str, rngs: Sequence[np.random.Generator], sampling: SamplingSettings
    ) -> torch.Tensor:
        """Sample clips of one class, as many as there are sources of noise.

        Args:
            class_name: one of the classes.
            rngs: one per clip: its noise, and nothing else about it is chance.
            sampling: scheduler, steps and guidance.

        Returns:
            uint8 ``(n, T, H, W, 3)``, on the CPU.
        """
        return self.decoded(self.denoised(class_name, self.noise(rngs), sampling))

    def noise(self, rngs: Sequence[np.random.Generator]) -> torch.Tensor:
        """Latents ``(n, C, T / s, h, w)`` of nothing but noise, each from a source of its own."""
        config = self.transformer.config
        shape = (config.in_channels, config.video_length, config.sample_size, config.sample_size)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed_of(rng))) for rng in rngs]
        return torch.stack(noise).to(self.transformer.device)

    @torch.inference_mode()
    def noised(
        self, latents: torch.Tensor, noise: torch.Tensor, sampling: SamplingSettings, first: int
    ) -> torch.Tensor:
        """Latents at the noise level at which a denoising step, counted from 0, starts."""
        time = self._solver(sampling).timesteps[first]
        noised: torch.Tensor = self.scheduler.add_noise(latents, noise, time.expand(len(latents)))
        return noised

    @torch.inference_mode()
    def denoised(
        self,
        class_name: str,
        latents: torch.Tensor,
        sampling: SamplingSettings,
        first: int = 0,
        steer: Steer | None = None,
    ) -> torch.Tensor:
        """Denoise latents ``(n, C, T / s, h, w)`` to clips of one class.

        Args:
            class_name: one of the classes.
            latents: at the noise level of the first step, scaled as the transformer sees them.
            sampling: scheduler, steps and guidance.
            first: step to begin with, counted from 0.
            steer: what changes the course; None for none.
        """
        label = torch.full((len(latents),), self.config.classes.index(class_name), device=latents.device)
        captions = torch.cat([self.captions(label), self.captions(torch.full_like(label, len(self.config.classes)))])
        scheduler = self._solver(sampling)
        for step, time in enumerate(scheduler.timesteps[first:], first):
            prediction = self._guided(scheduler.scale_model_input(latents, time), time, captions, sampling.guidance)
            if steer is not None:
                prediction = self._steered(prediction, latents, time, partial(steer, step))
            latents = scheduler.step(prediction, time, latents).prev_sample
        return latents

    def encoded(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips, uint8 ``(n, T, H, W, 3)``, as latents ``(n, C, T / s, h, w)`` that the transformer could see."""
        return self.scaled(encode(self.vae, clips).to(self.transformer.device))

    def decoded(self, latents: torch.Tensor) -> torch.Tensor:
        """Scaled latents as clips, uint8 ``(n, T, H, W, 3)``, on the CPU."""
        return decode(self.vae, self.scaled(latents, invert=True))

    def captions(self, labels: torch.Tensor) -> torch.Tensor:
        """Labels int64 ``(n,)``, the number of classes standing for none, as captions ``(n, 1, classes + 1)``."""
        one_hot = torch.nn.functional.one_hot(labels, len(self.config.classes) + 1)
        return one_hot.float()[:, None]

    def scaled(self, latents: torch.Tensor, *, invert: bool = False) -> torch.Tensor:
        """Latents ``(n, C, T, h, w)`` as the transformer sees them, or back."""
        mean, std = (
            torch.tensor(values, device=latents.device).view(1, -1, 1, 1, 1)
            for values in (self.config.latents_mean, self.config.latents_std)
        )
        return latents * std + mean if invert else (latents - mean) / std

    def _guided(
        self, latents: torch.Tensor, time: torch.Tensor, captions: torch.Tensor, guidance: float
    ) -> torch.Tensor:
        """The prediction away from that without a class, by the scale of guidance."""
        if guidance == 1:
            return self._predict(latents, time, captions[: len(latents)])
        own, none = self._predict(torch.cat([latents, latents]), time, captions).chunk(2)
        return none + guidance * (own - none)

    def _steered(
        self,
        prediction: torch.Tensor,
        latents: torch.Tensor,
        time: torch.Tensor,
        steer: Callable[[torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        """The prediction that stands for other clean latents than it does."""
        kept = self.scheduler.alphas_cumprod.to(latents)[time]
        signal, noise = kept.sqrt(), (1 - kept).sqrt()
        if self.scheduler.config.prediction_type == "v_prediction":
            clean = signal * latents - noise * prediction
            steered: torch.Tensor = (signal * latents - steer(clean)) / noise
        else:
            clean = (latents - noise * prediction) / signal
            steered = (latents - signal * steer(clean)) / noise
        return steered

    def _solver(self, sampling: SamplingSettings) -> Any:
        """What takes the denoising steps, ready for the first."""
        scheduler = solver(self.scheduler, sampling)
        scheduler.set_timesteps(sampling.steps, device=self.transformer.device)
        return scheduler

    def _predict(self, latents: torch.Tensor, time: torch.Tensor, captions: torch.Tensor) -> torch.Tensor:
        with in_bf16(latents.device):
            out: torch.Tensor = self.transformer(latents, time.expand(len(latents)), captions).sample
        return out.float()


def fresh_transformer(
    size: DenoiserSettings, *, channels: int, frames: int, side: int, classes: int
) -> LatteTransformer3DModel:
    """A Latte with random weights.

    Args:
        size: heads, channels and layers.
        channels: of latents.
        frames: per clip.
        side: of a frame of latents; divisible by the patch.
        classes: that clips may be of, "none" not counted.
    """
    return LatteTransformer3DModel(
        num_attention_heads=size.heads,
        attention_head_dim=size.head_dim,
        in_channels=channels,
        out_channels=channels,
        num_layers=size.layers,
        cross_attention_dim=size.heads * size.head_dim,
        attention_bias=True,
        sample_size=side,
        patch_size=size.patch,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=TRAIN_STEPS,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        caption_channels=classes + 1,
        video_length=frames,
    )


def noise_schedule(prediction: str) -> DDIMScheduler:
    """The cosine schedule that transformers are trained with here."""
    return DDIMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type=prediction,
        clip_sample=False,
    )


def solver(trained_with: Any, sampling: SamplingSettings) -> Any:
    """The scheduler that takes the denoising steps, for the noise schedule of a trained network."""
    kinds = {"dpm++": DPMSolverMultistepScheduler, "ddim": DDIMScheduler}
    return kinds[sampling.scheduler].from_config(trained_with.config)
