"""Selectors: methods that pick clips from a pool. One is written by saying which of a class's clips to keep."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import field_validator

from vdbench.clips.drawing import checked_ipc
from vdbench.encoders import EncoderSettings
from vdbench.encoders.features import FeaturesSpec, PoolFeatures
from vdbench.errors import UsageError
from vdbench.method import Method, Settings, identity
from vdbench.records import Provenance
from vdbench.seeding import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.clips.pool import Pool
    from vdbench.distilled import DistilledSet
    from vdbench.method import Task
    from vdbench.work.assets import AssetSpec
    from vdbench.work.workload import Work


class SelectorSettings(Settings):
    """Settings of a selector that does not look at the clips."""

    pool: Literal["real", "generated"] = identity(
        "real", "where clips are chosen from: real, the train split; generated, the clips of the video generator"
    )


class FeatureSettings(SelectorSettings):
    """Settings of a selector that compares clips by their features."""

    encoder: EncoderSettings = identity(EncoderSettings(), "what turns clips into features")


class FrameSettings(FeatureSettings):
    """Settings of a selector that compares clips by the features of their frames."""

    encoder: EncoderSettings = identity(
        EncoderSettings(name="cnn-gru", width=32), "what turns frames into features; it has to see single frames"
    )

    @field_validator("encoder")
    @classmethod
    def _sees_frames(cls, encoder: EncoderSettings) -> EncoderSettings:
        try:
            encoder.frames()
        except UsageError as error:
            raise ValueError(str(error)) from None
        return encoder


S = TypeVar("S", bound=SelectorSettings)


class ClassSelector(Method[S]):
    """A method that returns clips of its pool as they are, chosen class by class.

    Whoever writes one gives :meth:`select_class`; pool, classes, labels, budget and provenance are handled here. A
    selector whose ``Settings`` extend :class:`FeatureSettings` is handed the features that their encoder gives; one
    that needs others says which in :meth:`features`.
    """

    Settings: ClassVar[type[Settings]] = SelectorSettings
    pools: ClassVar[tuple[str, ...]] = ("real", "generated")

    @abstractmethod
    def select_class(
        self, label: int, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task
    ) -> Sequence[int] | NDArray[np.integer[Any]]:
        """Choose clips of one class.

        Args:
            label: of the class.
            features: of its clips in the pool, ``(n, D)``; D is 0 for a selector that asks for none.
            k: how many to choose, at most n.
            rng: drawn from the task's seed and the class's name; the only source of chance.
            task: what the whole selection is for.

        Returns:
            k different positions in ``features``.
        """

    def features(self) -> FeaturesSpec | None:
        """What encodes the clips that are chosen from; None for a selector that does not look at them."""
        return self.settings.encoder.features() if isinstance(self.settings, FeatureSettings) else None

    def needs(self, task: Task) -> Sequence[AssetSpec[Any]]:
        """The pool, where it is generated, and the features of its clips, where the selector looks at them."""
        features = self._drawn(task)
        if self.settings.pool == "real":
            return () if features is None else (features,)
        pool = generated_pool(self.name, task)
        return (pool,) if features is None else (pool, PoolFeatures(features=features, pool=pool))

    def work(self, task: Task) -> Sequence[Work] | None:
        """Choosing takes next to no time beside features and pool; a selector that trains something gives its own."""
        return ()

    def distill(self, task: Task) -> DistilledSet:
        """Select class by class; the clips are stored in class order, as the uint8 pixels they are.

        Raises:
            UsageError: a class has fewer clips than the IPC asks for, or there is no generated pool.
        """
        import torch

        generated = task.assets.get(generated_pool(self.name, task)) if self.settings.pool == "generated" else None
        pool = task.train if generated is None else generated.clips
        counts = pool.counts().tolist()
        source = task.dataset if generated is None else f"the pool that was generated for {task.dataset}"
        budgets = [checked_ipc(task.ipc, pool, source)] * len(counts) if self.budgeted else counts
        features = self._features(task, len(pool))
        chosen = []
        for label, name in enumerate(pool.classes):
            rows = pool.rows_of(label)
            picks = self.select_class(label, features[rows], budgets[label], generator(task.seed, name), task)
            chosen.append(rows[self._checked(picks, budgets[label], len(rows), name)])
            task.report(label + 1, of=len(pool.classes))
        kept = np.concatenate(chosen)
        encoder = self.settings.encoder if isinstance(self.settings, FeatureSettings) else None
        made = None if generated is None else generated.record
        provenance = Provenance(
            pool=self.settings.pool,
            clip_ids=tuple(pool.ids[row] for row in kept),
            encoder=encoder.name if encoder else None,
            encoder_saw=encoder.saw if encoder else "nothing",
            generator=made.generator if made else None,
            generator_saw=made.saw if made else "nothing",
            sampled=made,
            reconstruction=self.card.reconstruction,
        )
        return self.pack(task, torch.from_numpy(pool.clips[kept]), torch.from_numpy(pool.labels[kept]), provenance)

    def _drawn(self, task: Task) -> FeaturesSpec | None:
        """What encodes the clips for a task, by the encoder that its seed draws."""
        features = self.features()
        return None if features is None else features.drawn(task.draw)

    def _features(self, task: Task, clips: int) -> NDArray[np.float32]:
        """Features of all clips of the pool; without columns where none are asked for."""
        spec = self._drawn(task)
        if spec is None:
            return np.empty((clips, 0), dtype=np.float32)
        return task.assets.get(
            spec if self.settings.pool == "real" else PoolFeatures(features=spec, pool=generated_pool(self.name, task))
        )

    def _checked(self, picks: Sequence[int] | NDArray[np.integer[Any]], k: int, n: int, name: str) -> NDArray[np.int64]:
        """The picks as indices, if they are what :meth:`select` promises."""
        indices = np.asarray(picks)
        sound = indices.shape == (k,) and (k == 0 or np.issubdtype(indices.dtype, np.integer))
        if not sound or len(np.unique(indices)) != k or (k and not 0 <= indices.min() <= indices.max() < n):
            raise ValueError(
                f"{self.name} selected {indices.tolist()} in class {name}, which are not {k} different positions "
                f"among {n} clips"
            )
        return indices.astype(np.int64)


class Selector(ClassSelector[S]):
    """A selector that chooses in every class alike: whoever writes one gives :meth:`select`."""

    @abstractmethod
    def select(
        self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task
    ) -> Sequence[int] | NDArray[np.integer[Any]]:
        """Choose clips of one class.

        Args:
            features: of the class's clips in the pool, ``(n, D)``; D is 0 for a selector that asks for none.
            k: how many to choose, at most n.
            rng: drawn from the task's seed and the class's name; the only source of chance.
            task: what the whole selection is for.

        Returns:
            k different positions in ``features``.
        """

    def select_class(
        self, label: int, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task
    ) -> Sequence[int] | NDArray[np.integer[Any]]:
        """Choose clips of a class, whichever it is."""
        return self.select(features, k, rng, task)


def generated_pool(method: str, task: Task) -> AssetSpec[Pool]:
    """The generated pool that a task offers a method.

    Raises:
        UsageError: it offers none.
    """
    if task.pool is None:
        raise UsageError(f"{method}@generated needs a generated pool, and there is no generator here")
    return task.pool
