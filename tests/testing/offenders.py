"""A method that keeps the contract, ways to make it break one, and what is broken in several tests."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from vdbench.distilled import DistilledSet
from vdbench.method import Card, Method, NoSettings, Task
from vdbench.records import Provenance
from vdbench.work.assets import Assets, AssetSpec


class Good(Method[NoSettings]):
    """The first clips of each class, by way of a checkpoint after every class. Offenders change one thing."""

    name: ClassVar[str] = "good"
    card: ClassVar[Card] = Card("First clips")

    def distill(self, task: Task) -> DistilledSet:
        state = task.resume() or {"rows": torch.empty(0, dtype=torch.int64)}
        rows = state["rows"]
        done = len(rows) // self.count(task)
        for label in range(done, len(task.train.classes)):
            chosen = torch.from_numpy(task.train.rows_of(label)[: self.count(task)])
            rows = torch.cat([rows, chosen])
            task.checkpoint({"rows": rows})
            task.report(label)
        return self.finish(task, rows.numpy())

    def count(self, task: Task) -> int:
        assert task.ipc is not None
        return task.ipc

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        clips, labels = torch.from_numpy(task.train.clips[rows]), torch.from_numpy(task.train.labels[rows])
        return self.pack(task, clips, labels, Provenance(clip_ids=tuple(task.train.ids[row] for row in rows)))


def doing(act: Callable[[Task], object]) -> type[Good]:
    """A method that does something it must not, and is good otherwise."""

    class Offender(Good):
        def distill(self, task: Task) -> DistilledSet:
            act(task)
            return super().distill(task)

    return Offender


def returning(change: Callable[[DistilledSet], DistilledSet]) -> type[Good]:
    """A method whose set is changed before it is returned."""

    class Offender(Good):
        def distill(self, task: Task) -> DistilledSet:
            return change(super().distill(task))

    return Offender


def with_clips(distilled: DistilledSet, clips: torch.Tensor) -> DistilledSet:
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": None})
    record = distilled.record.model_copy(update={"provenance": provenance})
    return DistilledSet({**distilled.tensors, "clips": clips}, record)


def floats(distilled: DistilledSet) -> torch.Tensor:
    return distilled.render()[0]


class Untitled(Good):
    card: ClassVar[Card] = Card("")


class Blob(AssetSpec[str]):
    kind: ClassVar[str] = "blob"

    def build(self, assets: Assets, folder: Path) -> None:
        (folder / "blob").write_text("blob")

    def load(self, folder: Path) -> str:
        return (folder / "blob").read_text()


class Undeclared(Good):
    def distill(self, task: Task) -> DistilledSet:
        task.assets.get(Blob())
        return super().distill(task)


class Needless(Good):
    def needs(self, task: Task) -> tuple[Blob]:
        return (Blob(),)


class Declared(Undeclared, Needless):
    pass


class Forgetful(Good):
    """Resumes with its last class lost."""

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        marker = Path(str(task.checkpoints)) / "seen"
        if marker.exists():
            rows = rows[::-1].copy()
        return super().finish(task, rows)

    def distill(self, task: Task) -> DistilledSet:
        def told(step: int, **metrics: object) -> None:
            try:
                task.report(step, **metrics)
            except BaseException:
                (Path(str(task.checkpoints)) / "seen").touch()
                raise

        return super().distill(replace(task, report=told))
