"""The conformance suite finds what is wrong with the sets that a method returns, or that it returns none."""

import os
import sys
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.testing.offenders import Good, doing, floats, returning, with_clips
from vdbench.distilled import DistilledSet
from vdbench.method import Method, Task
from vdbench.testing import check_method


def not_finite(distilled: DistilledSet) -> DistilledSet:
    clips = floats(distilled)
    clips[0, 0, 0, 0, 0] = torch.inf
    return with_clips(distilled, clips)


def soft(distilled: DistilledSet) -> DistilledSet:
    record = distilled.record.model_copy(update={"labels": "soft"})
    targets = torch.nn.functional.one_hot(distilled.labels(), 3).float()
    return DistilledSet({**distilled.tensors, "targets": targets}, record)


def one_class(distilled: DistilledSet) -> DistilledSet:
    rows = torch.nonzero(distilled.labels() < 2).flatten()
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": None})
    record = distilled.record.model_copy(update={"provenance": provenance})
    return DistilledSet({name: tensor[rows] for name, tensor in distilled.tensors.items()}, record)


def other_pixels(distilled: DistilledSet) -> DistilledSet:
    tensors = {**distilled.tensors, "clips": distilled.tensors["clips"].flip(1)}
    return DistilledSet(tensors, distilled.record)


def nameless_clips(distilled: DistilledSet) -> DistilledSet:
    provenance = distilled.record.provenance.model_copy(update={"clip_ids": ("red-0-0",)})
    return replace(distilled, record=distilled.record.model_copy(update={"provenance": provenance}))


class Bulky(DistilledSet):
    """A set that needs more than its clips."""

    @property
    def stored_bytes(self) -> int:
        return 10 * super().stored_bytes


def bulky(distilled: DistilledSet) -> DistilledSet:
    return Bulky(distilled.tensors, distilled.record)


class Doubling(DistilledSet):
    """A set whose render draws on something that is not stored."""

    def render(self, rows: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        clips, targets = super().render(rows)
        return 2 * clips, targets


class Greedy(Good):
    def count(self, task: Task) -> int:
        return super().count(task) + 1


class OnlyOne(Good):
    def count(self, task: Task) -> int:
        if task.ipc != 1:
            raise RuntimeError("only one")
        return 1


class Confused(Good):
    def distill(self, task: Task) -> Any:
        return super().distill(task).render()


class Seedless(Good):
    seeded: ClassVar[bool] = False

    def finish(self, task: Task, rows: NDArray[np.int64]) -> DistilledSet:
        shift = [int(task.train.rows_of(label)[task.seed]) for label in task.train.labels[rows]]
        return super().finish(task, np.array(shift) if task.ipc == 1 else rows)


OFFENDERS: list[tuple[str, Any, str]] = [
    ("not a set", Confused, "distill returns a tuple, not a DistilledSet"),
    ("raises at IPC 3", OnlyOne, "at IPC 3 and seed 1 it fails: RuntimeError: only one"),
    ("ends the program", doing(lambda task: sys.exit(3)), "at IPC 1 and seed 0 it fails: SystemExit: 3"),
    ("seed that counts", Seedless, "another seed gives another set"),
    ("not repeatable", returning(lambda d: with_clips(d, floats(d) + os.getrandom(1)[0])), "run twice with one seed"),
    ("too many clips", Greedy, "at IPC 3 a class has 4 clips"),
    ("too many bytes", returning(bulky), "at IPC 1 it stores 3 clips in"),
    ("a class is missing", returning(one_class), "at IPC 1 there is no clip of class blue"),
    ("geometry", returning(lambda d: with_clips(d, floats(d)[:, :, :2])), "its clips are (3, 2, 16, 16)"),
    ("not finite", returning(not_finite), "there are values that are not finite"),
    ("soft labels", returning(soft), "it returns soft labels, but its card does not say so"),
    ("other pixels", returning(other_pixels), "are not those of the train clips that its provenance names"),
    ("nameless clips", returning(nameless_clips), "its provenance does not name a train clip for every clip"),
    ("unstored render", returning(lambda d: Doubling(d.tensors, d.record)), "after it was stored and read again"),
]


@pytest.mark.usefixtures("_process")
@pytest.mark.parametrize(("method", "finding"), [(m, f) for _, m, f in OFFENDERS], ids=[n for n, _, _ in OFFENDERS])
def test_what_is_wrong_with_a_returned_set_is_found(method: type[Method[Any]], finding: str) -> None:
    findings = check_method(method)
    assert [f for f in findings if finding in f], findings
