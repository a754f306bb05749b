"""Clips with the labels of a teacher: given once, or to every batch as students see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    import torch

    from vdbench.clips.clipset import Normalisation
    from vdbench.evaluation.batches import TrainingSet


@dataclass(frozen=True)
class Taught:
    """Clips with the labels that a teacher gives them, whatever they were labelled before.

    Attributes:
        data: the clips.
        teacher: what labels them, as of :class:`vdbench.evaluation.judging.Judge`.
    """

    data: TrainingSet
    teacher: Callable[[torch.Tensor], torch.Tensor]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that targets point into."""
        return self.data.classes

    @property
    def normalisation(self) -> Normalisation:
        """The mean and std that the clips are scaled by."""
        return self.data.normalisation

    def __len__(self) -> int:
        return len(self.data)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips as networks take them, and the teacher's distributions."""
        clips, _ = self.data.render(rows, device)
        return clips, self.teacher(clips)

    def on(self, device: torch.device) -> Self:
        """The same in the memory of a device, where the clips fit."""
        there = self.data.on(device)
        return self if there is self.data else replace(self, data=there)

    def of_epoch(self, seed: int, device: torch.device) -> Self:
        """The clips as one epoch of training shows them: itself, unless they are drawn anew."""
        drawn = self.data.of_epoch(seed, device)
        return self if drawn is self.data else replace(self, data=drawn)


@dataclass(frozen=True)
class TaughtAtEveryStep(Taught):
    """Clips that the teacher labels anew in every batch, as they are then: varied by augmentation."""

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips as networks take them, with the targets that the teacher's will stand in for."""
        return self.data.render(rows, device)

    def labelled(self, clips: torch.Tensor) -> torch.Tensor:
        """The teacher's distributions of a batch."""
        return self.teacher(clips)
