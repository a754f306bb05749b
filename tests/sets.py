"""Distilled sets, their records and sets to train on, for tests that make them by hand."""

from dataclasses import dataclass
from typing import Any

import torch

from vdbench.clips.clipset import Normalisation
from vdbench.distilled import DistilledRecord, DistilledSet
from vdbench.records import Provenance


def distilled_record(**changes: Any) -> DistilledRecord:
    """Of a set of one clip for each of two classes, with some of it replaced."""
    known = {
        "dataset": "tiny",
        "train_fingerprint": "f",
        "classes": ("a", "b"),
        "ipc": 1,
        "labels": "hard",
        "normalisation": Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.1)),
        "method": "any",
        "method_version": 1,
        "settings": {},
        "seed": 0,
        "provenance": Provenance(pool="learned"),
    }
    return DistilledRecord.model_validate(known | changes)


def learned(distilled: DistilledSet, step_size: float | None = None, soft: bool = False) -> DistilledSet:
    """The set as if a method had learned its step size, or labels."""
    record = distilled.record.model_copy(update={"step_size": step_size, "labels": "soft" if soft else "hard"})
    targets = torch.full((len(distilled), len(distilled.classes)), 0.3)
    targets[torch.arange(len(distilled)), distilled.labels()] = 0.4
    return DistilledSet({**distilled.tensors, **({"targets": targets} if soft else {})}, record)


@dataclass(frozen=True)
class Tensors:
    """Any tensors, as a training set."""

    clips: torch.Tensor
    targets: torch.Tensor
    classes: tuple[str, ...] = ("a", "b", "c")

    def __len__(self) -> int:
        return len(self.clips)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (self.clips, self.targets) if rows is None else (self.clips[rows], self.targets[rows])

    def of_epoch(self, seed: int, device: torch.device) -> "Tensors":
        return self

    def on(self, device: torch.device) -> "Tensors":
        return self
