"""Which generator and which pool a run's settings mean. Imports nothing heavy before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.sampling import GeneratedPool
    from vdbench.generator.settings import GeneratorSettings
    from vdbench.generator.source import GeneratorSpec


def pool_spec(settings: GeneratorSettings, dataset: str, train: ClipSet) -> GeneratedPool:
    """The pool that a run's selectors choose from.

    Raises:
        UsageError: one that is to be trained does not fit the clips.
    """
    from vdbench.generator.sampling import GeneratedPool

    source = generator_spec(settings, dataset, train)
    return GeneratedPool(generator=source, sampling=settings.sampling, classes=train.classes)


def generator_spec(settings: GeneratorSettings, dataset: str, train: ClipSet) -> GeneratorSpec:
    """The generator itself; arguments and errors are those of :func:`pool_spec`."""
    from vdbench.generator.shipped import shipped_for
    from vdbench.generator.text import TextToVideo
    from vdbench.generator.training import TrainedGenerator

    if settings.pipeline is not None and settings.source != "trained":
        return TextToVideo.at(settings.pipeline, settings.prompt, settings.saw)
    if settings.source == "auto" and (shipped := shipped_for(dataset, train)):
        return shipped
    own = TrainedGenerator(autoencoder=settings.autoencoder, denoiser=settings.denoiser, training=settings.training)
    own.check(train.size)
    return own


def describe(settings: GeneratorSettings, dataset: str, train: ClipSet) -> dict[str, Any]:
    """What sets results on a pool apart from those on others: nested JSON values for a trial's settings."""
    return {**generator_spec(settings, dataset, train).describe(), "sampling": settings.sampling.identity()}
