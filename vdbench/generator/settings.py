"""What a generator is made of, how it is trained, and how a pool is sampled from it. Imports nothing heavy."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError, model_validator

from vdbench.method import Settings, identity
from vdbench.storage.validation import setting_error

GENERATOR = "generator"
"""Stands among the methods in settings, typed or prescribed, for what fills the generated pool."""
Preset = Literal["quick", "small", "paper"]

PRESETS: dict[Preset, dict[str, Any]] = {
    "quick": {},
    "small": {
        "autoencoder": {"frames": 4, "channels": 32, "width": 64, "steps": 20_000},
        "denoiser": {"heads": 6, "head_dim": 64, "layers": 6},
        "training": {"steps": 40_000, "lr": 3e-4, "warmup": 1000, "ema": 0.9995},
        "sampling": {"steps": 30, "guidance": 3.0, "per_class": 64, "batch": 16},
    },
    "paper": {
        "autoencoder": {"pretrained": "stabilityai/sd-vae-ft-ema"},
        "denoiser": {"heads": 16, "head_dim": 72, "layers": 14, "patch": 2},
        "training": {"steps": 400_000, "batch": 8, "lr": 1e-4, "warmup": 0, "ema": 0.9999, "views": 1},
        "sampling": {"scheduler": "ddim", "steps": 250, "guidance": 7.0, "per_class": 100, "batch": 5},
    },
}
"""What a preset sets: ``quick`` the defaults below, for a CPU; ``small`` for one GPU and some hours; ``paper`` the size
and settings of Latte-XL/2 (14 pairs of blocks, learning rate 1e-4, 250 steps, guidance 7)."""


class AutoencoderSettings(Settings):
    """What turns frames into latents and back."""

    pretrained: str | None = identity(
        None,
        "a diffusers AutoencoderKL or AutoencoderTiny, by folder or hub id, or a folder of a tiny one's plain weights; "
        "without one, one is trained on train",
    )
    frames: int = identity(
        8,
        "trained here: successive frames that share a latent, or their greatest common divisor with a clip's",
        gt=0,
    )
    channels: int = identity(48, "trained here: latent channels", gt=0)
    width: int = identity(24, "trained here: channels of all convolutions", gt=0)
    steps: int = identity(3000, "trained here: training steps", gt=0)
    batch: int = identity(32, "trained here: stacks of frames per step", gt=0)
    lr: float = identity(2e-3, "trained here: peak learning rate", gt=0)
    noise: float = identity(0.1, "trained here: noise on latents while training, so that near latents look alike", ge=0)


class DenoiserSettings(Settings):
    """The size of the Latte transformer. It has as many blocks over space as over time."""

    heads: int = identity(4, "attention heads", gt=0)
    head_dim: int = identity(40, "channels per head", gt=0)
    layers: int = identity(3, "pairs of a block over space and a block over time", gt=0)
    patch: int = identity(1, "latents per side of a token", gt=0)


class TrainingSettings(Settings):
    """How the transformer learns to denoise."""

    steps: int = identity(12_000, "training steps", gt=0)
    batch: int = identity(32, "clips per step", gt=0)
    lr: float = identity(1e-3, "peak learning rate of AdamW", gt=0)
    warmup: int = identity(200, "steps until the peak; then the rate falls to a twentieth along a cosine", ge=0)
    ema: float = identity(0.999, "decay of the moving average of the weights, which is what samples", ge=0, lt=1)
    class_dropout: float = identity(0.1, "share of clips shown without their class, for guidance", ge=0, lt=1)
    prediction: Literal["v_prediction", "epsilon"] = identity("v_prediction", "what the transformer predicts")
    augment: Literal["none", "roll"] = identity(
        "none", "roll: clips also shifted by any number of pixels around the edges; for a world that has none"
    )
    views: int = identity(24, "augmented copies of every clip that are encoded in advance", gt=0)
    seed: int = identity(0, "of the weights, the autoencoder's too, and of all batches and noise", ge=0)


class SamplingSettings(Settings):
    """How a pool is drawn from a generator."""

    per_class: int = identity(24, "clips per class", gt=0)
    scheduler: Literal["dpm++", "ddim"] = identity("dpm++", "dpm++: DPM-Solver++(2M); ddim: without added noise")
    steps: int = identity(20, "denoising steps", gt=0)
    guidance: float = identity(2.0, "scale of classifier-free guidance; 1 is none", ge=1)
    seed: int = identity(0, "decides the noise of each clip, together with its class and number", ge=0)
    batch: int = identity(12, "clips sampled together: one piece of work, done again if it was interrupted", gt=0)


class GeneratorSettings(Settings):
    """The generator of a run's pool: one trained here unless ``pipeline`` names one."""

    preset: Preset = identity("quick", f"sizes that settings start from: {', '.join(PRESETS)}")
    source: Literal["auto", "trained", "pipeline"] = identity(
        "auto",
        "auto: the pipeline that is named, else a generator that ships with vdbench and fits the clips, else one "
        "trained here; trained: always one trained here",
    )
    pipeline: str | None = identity(None, "a diffusers text-to-video pipeline, by folder or hub id")
    prompt: str = identity("a video of {name}", "what the pipeline is asked for; {name} is the class in words")
    saw: str = identity("unknown", "what the pipeline was trained on, for the tables")
    autoencoder: AutoencoderSettings = identity(AutoencoderSettings(), "of a generator trained here")
    denoiser: DenoiserSettings = identity(DenoiserSettings(), "of a generator trained here")
    training: TrainingSettings = identity(TrainingSettings(), "of a generator trained here")
    sampling: SamplingSettings = identity(SamplingSettings(), "of the pool")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, value: Any) -> Any:
        preset = value.get("preset", "quick") if isinstance(value, dict) else None
        if not isinstance(preset, str) or preset not in PRESETS:
            return value
        chosen = {name: _plain(value.get(name, {})) for name in PRESETS["small"]}
        nested = {name: {**PRESETS[preset].get(name, {}), **own} for name, own in chosen.items() if own is not None}
        return {**value, **nested}

    @model_validator(mode="after")
    def _fits_together(self) -> GeneratorSettings:
        if self.source == "pipeline" and self.pipeline is None:
            raise ValueError("source is pipeline, but none is named; add --set generator.pipeline=FOLDER_OR_HUB_ID")
        if "{name}" not in self.prompt:
            raise ValueError("prompt must contain {name}, which stands for the class")
        return self


def generator_settings(values: dict[str, Any]) -> GeneratorSettings:
    """Settings as given with ``--set generator...`` or by a suite.

    Raises:
        UsageError: one of them is unknown or out of range.
    """
    try:
        return GeneratorSettings.model_validate(values)
    except ValidationError as error:
        raise setting_error(error, GeneratorSettings, "generator") from None


def _plain(value: Any) -> dict[str, Any] | None:
    """Nested settings as a mapping; None where they are none, which validation then says."""
    if isinstance(value, Settings):
        return value.model_dump()
    return dict(value) if isinstance(value, dict) else None
