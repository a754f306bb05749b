"""Sampling a pool: pieces of a class, each a shared asset, so that they are resumed and spread one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import SerializeAsAny

from vdbench.clips.pool import Pool, open_pool, write_pool
from vdbench.generator.settings import SamplingSettings
from vdbench.generator.source import GeneratorSpec
from vdbench.records import PoolRecord
from vdbench.seeding import generator
from vdbench.storage import files
from vdbench.work.assets import Assets, AssetSpec
from vdbench.work.workload import Work

if TYPE_CHECKING:
    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.source import Sampler

CLIPS = "clips.npy"
FEW_STEPS = 2
"""Denoising steps by which the time of all is told."""


class Sampled(AssetSpec[NDArray[np.uint8]]):
    """Some clips of one class, uint8 ``(n, T, H, W, 3)``; how many are sampled together is part of what they are.

    Attributes:
        generator: what samples.
        sampling: how.
        class_name: of the clips.
        first: number of the first clip within the class.
    """

    kind: ClassVar[str] = "sampled"
    generator: SerializeAsAny[GeneratorSpec]
    sampling: SamplingSettings
    class_name: str
    first: int

    def in_bf16(self, device: str) -> bool:
        """See :meth:`AssetSpec.in_bf16`: every generator samples in bfloat16 on a GPU."""
        return device == "cuda"

    def parts(self) -> Sequence[AssetSpec[Any]]:
        """The generator."""
        return (self.generator,)

    def work(self, assets: Assets) -> Sequence[Work] | None:
        """The denoising steps; None where the generator cannot be tried before it is there."""
        if not self.generator.can_rehearse:
            return None
        batch, brief = self.sampling.batch, self.sampling.model_copy(update={"steps": FEW_STEPS})

        def ready() -> Callable[[int], object]:
            sampler = self.generator.rehearsed(assets)
            return lambda items: sampler(self.class_name, [generator(0, n) for n in range(items)], brief)

        what = (self.kind, str(self.generator), str(brief), assets.train.clips.shape[1:])
        return [Work(what, ready, batch, self.sampling.steps / FEW_STEPS)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Sample them; the noise of a clip follows from the seed, its class and its number."""
        last = min(self.first + self.sampling.batch, self.sampling.per_class)
        rngs = [generator(self.sampling.seed, "clip", self.class_name, n) for n in range(self.first, last)]
        found = assets.get(self.generator)
        sampler = _opened(self.generator, found.folder, _Key(assets.train), str(assets.device))
        started = time.perf_counter()
        clips = sampler(self.class_name, rngs, self.sampling)
        np.save(folder / CLIPS, clips, allow_pickle=False)
        files.write_json(folder / "seconds.json", time.perf_counter() - started)

    def load(self, folder: Path) -> NDArray[np.uint8]:
        """Read the clips."""
        clips: NDArray[np.uint8] = np.load(folder / CLIPS, allow_pickle=False)
        return clips


class GeneratedPool(AssetSpec[Pool]):
    """A pool: as many clips of every class as the sampling says, written in the clip store's format.

    Attributes:
        generator: what samples.
        sampling: how.
        classes: of the train split, in its order.
    """

    kind: ClassVar[str] = "pools"
    generator: SerializeAsAny[GeneratorSpec]
    sampling: SamplingSettings
    classes: tuple[str, ...]

    def in_bf16(self, device: str) -> bool:
        """See :meth:`AssetSpec.in_bf16`."""
        return device == "cuda"

    def parts(self) -> Sequence[AssetSpec[Any]]:
        """The pieces of every class."""
        return [piece for name in self.classes for piece in self._pieces(name)]

    def work(self, assets: Assets) -> tuple[()]:
        """Putting pieces together takes no time."""
        return ()

    def build(self, assets: Assets, folder: Path) -> None:
        """Sample what is missing and put the pieces together."""
        made = assets.get(self.generator).record
        seconds: list[float] = []

        def blocks() -> Iterator[tuple[str, NDArray[np.uint8]]]:
            for done, name in enumerate(self.classes):
                pieces = self._pieces(name)
                yield name, np.concatenate([assets.get(piece) for piece in pieces])
                seconds.extend(float((assets.folder(piece) / "seconds.json").read_text()) for piece in pieces)
                assets.report(done + 1, of=len(self.classes))

        record = PoolRecord(
            generator=made.name,
            weights=made.weights,
            saw=made.saw,
            device=str(assets.device),
            scheduler="its own" if self.generator.own_scheduler else self.sampling.scheduler,
            **self.sampling.model_dump(include={"per_class", "steps", "guidance", "seed"}),
        )
        write_pool(folder, blocks(), assets.train, record, seconds)

    def load(self, folder: Path) -> Pool:
        """Read the pool; its clips stay on disk."""
        return open_pool(folder)

    def _pieces(self, name: str) -> list[Sampled]:
        firsts = range(0, self.sampling.per_class, self.sampling.batch)
        return [
            Sampled(generator=self.generator, sampling=self.sampling, class_name=name, first=first) for first in firsts
        ]


class _Key:
    """A train split by its fingerprint, which a cache can hold on to."""

    def __init__(self, train: ClipSet) -> None:
        self.train = train

    def __hash__(self) -> int:
        return hash(self.train.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.train.fingerprint == self.train.fingerprint


@lru_cache(maxsize=1)
def _opened(spec: GeneratorSpec, folder: Path, key: _Key, device: str) -> Sampler:
    """A generator in memory, kept from one piece to the next."""
    import torch

    from vdbench.generator.source import read_generator

    return spec.open(read_generator(folder), key.train, torch.device(device))
