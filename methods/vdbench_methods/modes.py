"""What methods share that denoise towards modes: clusters of a class's clips as the generator's latents.

A method of this kind makes clips by the class-conditional generator of the run, the one behind ``random@generated``,
with the scheduler, the steps and the classifier-free guidance of that pool. It does not choose from the pool.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

import numpy as np

from vdbench.clips.drawing import checked_ipc
from vdbench.errors import UsageError
from vdbench.method import Method, Settings, identity
from vdbench.records import PoolRecord, Provenance
from vdbench.seeding import generator, seeded
from vdbench_methods.k_means import clustered

if TYPE_CHECKING:
    import torch

    from vdbench.distilled import DistilledSet
    from vdbench.generator.pipeline import ClassVideoPipeline
    from vdbench.generator.sampling import GeneratedPool
    from vdbench.generator.settings import SamplingSettings
    from vdbench.generator.source import Generator, GeneratorSpec
    from vdbench.method import Task
    from vdbench.work.workload import Work


class ModesSettings(Settings):
    """Settings of a method that denoises towards modes."""

    pool: Literal["generated"] = identity("generated", "whose generator makes the clips: that of the generated pool")
    restarts: int = identity(10, "k-means runs from different starts, of which the tightest counts", gt=0)


S = TypeVar("S", bound=ModesSettings)


class ModesMethod(Method[S]):
    """Makes one clip for each of IPC modes per class. Whoever writes one gives :meth:`denoised` and :meth:`steps`."""

    pools: ClassVar[tuple[str, ...]] = ("generated",)

    @abstractmethod
    def denoised(
        self,
        pipeline: ClassVideoPipeline,
        name: str,
        modes: torch.Tensor,
        noise: torch.Tensor,
        sampling: SamplingSettings,
    ) -> torch.Tensor:
        """Denoise to clips of one class.

        Args:
            pipeline: the generator.
            name: of the class.
            modes: latents ``(n, C, T / s, h, w)``, one mode for each clip.
            noise: of the same shape.
            sampling: scheduler, steps and guidance of the pool.

        Returns:
            Clean latents of that shape.
        """

    @abstractmethod
    def steps(self, sampling: SamplingSettings) -> int:
        """How many denoising steps each clip takes."""

    def needs(self, task: Task) -> list[GeneratorSpec]:
        """The generator; no pool need be sampled.

        Raises:
            UsageError: there is no generator, or none that can be steered.
        """
        return [self._pool(task).generator]

    def work(self, task: Task) -> list[Work] | None:
        """The denoising steps, beside which encoding and clustering take next to no time."""
        from vdbench.generator.sampling import Sampled

        pool = self._pool(task)
        piece = Sampled(generator=pool.generator, sampling=pool.sampling, class_name=task.train.classes[0], first=0)
        batch = piece.work(task.assets)
        share = self.steps(pool.sampling) / pool.sampling.steps
        count = len(task.train.classes) * (task.ipc or 0) / pool.sampling.batch
        return None if batch is None else [replace(one, times=one.times * share * count) for one in batch]

    def distill(self, task: Task) -> DistilledSet:
        """Find the modes of every class, and denoise a clip for each.

        Raises:
            UsageError: a class has fewer clips than the IPC asks for, or the generator is none that can be steered.
        """
        import torch

        ipc, pool = checked_ipc(task.ipc, task.train, task.dataset), self._pool(task)
        found = task.assets.get(pool.generator)
        pipeline = self._opened(pool.generator, found, task)
        kept = task.resume()
        made = torch.empty((0, ipc, *task.train.clips.shape[1:]), dtype=torch.uint8) if kept is None else kept["made"]
        for label in range(len(made), len(task.train.classes)):
            clips = self._of_class(label, ipc, pipeline, pool.sampling, task)
            made = torch.cat([made, clips[None]])
            if task.due():
                task.checkpoint({"made": made})
            task.report(label + 1, of=len(task.train.classes))
        labels = torch.arange(len(made)).repeat_interleave(ipc)
        return self.pack(task, made.flatten(0, 1), labels, self._provenance(task, found, pool.sampling))

    def _of_class(
        self, label: int, ipc: int, pipeline: ClassVideoPipeline, sampling: SamplingSettings, task: Task
    ) -> torch.Tensor:
        """Clips for the modes of a class, uint8 ``(ipc, T, H, W, 3)``."""
        import torch

        name, rows = task.train.classes[label], task.train.rows_of(label)
        latents = pipeline.encoded(torch.from_numpy(np.array(task.train.clips[rows])))
        modes = self.modes(latents, ipc, generator(task.seed, name))
        noise = pipeline.noise([generator(task.seed, "noise", name, number) for number in range(ipc)])
        parts = [
            self.denoised(pipeline, name, *part, sampling)
            for part in zip(torch.split(modes, sampling.batch), torch.split(noise, sampling.batch), strict=True)
        ]
        return torch.cat([pipeline.decoded(part) for part in parts])

    def modes(self, latents: torch.Tensor, k: int, rng: np.random.Generator) -> torch.Tensor:
        """The means of k clusters of latents ``(n, C, T / s, h, w)``."""
        import torch

        points = latents.flatten(1).double().cpu().numpy()
        centres, _ = clustered(points, k, self.settings.restarts, rng)
        return torch.from_numpy(centres).to(latents).view(k, *latents.shape[1:])

    def _pool(self, task: Task) -> GeneratedPool:
        """The pool whose generator and sampling are used.

        Raises:
            UsageError: there is none, or its generator cannot be steered.
        """
        from vdbench.generator.sampling import GeneratedPool
        from vdbench.generator.text import TextToVideo

        if not isinstance(task.pool, GeneratedPool):
            raise UsageError(f"{self.name} makes clips by a generator, and there is none here")
        if isinstance(foreign := task.pool.generator, TextToVideo):
            raise UsageError(
                f"{self.name} needs a generator whose latents it can encode and steer, which the pipeline "
                f"{foreign.pipeline} is not; leave out generator.pipeline, or leave out {self.name}"
            )
        return task.pool

    def _opened(self, spec: GeneratorSpec, found: Generator, task: Task) -> ClassVideoPipeline:
        from vdbench.generator.training import TrainedSampler

        with seeded(task.seed):  # reading weights first draws some, from torch's own state
            sampler = spec.open(found, task.train, task.device)
        assert isinstance(sampler, TrainedSampler)
        return sampler.pipeline

    def _provenance(self, task: Task, found: Generator, sampling: SamplingSettings) -> Provenance:
        made = found.record
        record = PoolRecord(
            generator=made.name,
            weights=made.weights,
            saw=made.saw,
            per_class=task.ipc or 0,
            scheduler=sampling.scheduler,
            steps=self.steps(sampling),
            guidance=sampling.guidance,
            seed=task.seed,
            bytes=len(task.train.classes) * (task.ipc or 0) * task.train.clips[0].nbytes,
            device=str(task.device),
        )
        return Provenance(pool="generated", generator=made.name, generator_saw=made.saw, sampled=record)


def of_steps(share: float, sampling: SamplingSettings) -> int:
    """A share of the denoising steps, as a number of them."""
    return round(share * sampling.steps)
