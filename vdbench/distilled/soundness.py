"""Whether a distilled set is one for its task, whoever made it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from vdbench.distilled import DistilledSet
from vdbench.errors import FailureKind, VdbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdbench.clips.clipset import ClipSet

SUM = 1e-3
"""How far the sum of a soft label may be from 1."""


class UnsoundError(VdbenchError):
    """A distilled set does not fit its task: its method has a bug."""

    kind: FailureKind = "bug"


class NotFiniteError(VdbenchError):
    """A distilled set holds numbers that are not finite: what was learned diverged."""

    kind: FailureKind = "diverged"


def check_set(distilled: object, train: ClipSet, ipc: int | None, method: str) -> None:
    """Make sure that a distilled set can be stored and judged.

    Args:
        distilled: what a method returned, or what was stored of it.
        train: the clips that the method was given.
        ipc: instances per class that it may have; None for a method without a budget.
        method: its name, for the error.

    Raises:
        NotFiniteError: clips, labels or step size are not finite.
        UnsoundError: it is no set, or not one for this task.
    """
    if not isinstance(distilled, DistilledSet):
        raise UnsoundError(f"{method} returned a {type(distilled).__name__}, not a DistilledSet")
    for fault in faults(distilled, train, ipc):
        raise type(fault)(f"the set of {method} cannot be judged: {fault}") from fault.__cause__


def faults(distilled: DistilledSet, train: ClipSet, ipc: int | None) -> Iterator[VdbenchError]:
    """What is wrong with a distilled set, one sentence each; the arguments are those of :func:`check_set`."""
    record, targets = distilled.record, distilled.tensors.get("targets")
    try:
        DistilledSet(distilled.tensors, record)  # its tensors may have been changed since it was made
        first = distilled.render(torch.tensor([0]))[0] if len(distilled) else None
    except (ValueError, RuntimeError, IndexError, KeyError, TypeError, AttributeError) as error:
        yield UnsoundError(f"its parts do not fit together: {' '.join(str(error).split())}")
        return
    if record.classes != train.classes:
        yield UnsoundError("its classes are not those of the train split")
        return
    if first is None or targets is None:
        yield UnsoundError("there is no clip in it")
        return
    _, frames, height, width, _ = train.clips.shape
    if first.shape[1:] != (3, frames, height, width):
        shape = tuple(first.shape[1:])
        yield UnsoundError(f"its clips are {shape}, not (3, frames, size, size) of the train split")
    if not all(bool(part.isfinite().all()) for part in (first, *distilled.tensors.values())):
        yield NotFiniteError("there are values that are not finite")
    elif targets.ndim == 2 and (float(targets.min()) < 0 or bool(((targets.sum(dim=1) - 1).abs() > SUM).any())):
        yield UnsoundError("its soft labels are no distributions, which are at least 0 and add up to 1")
    yield from _step_size(record.step_size)
    if ipc is not None:
        yield from _budget(distilled, ipc)


def _step_size(step_size: float | None) -> Iterator[VdbenchError]:
    if step_size is not None and not math.isfinite(step_size):
        yield NotFiniteError("its step size is not finite")
    elif step_size is not None and step_size <= 0:
        yield UnsoundError(f"its step size is {step_size:g}, and students need one above 0")


def _budget(distilled: DistilledSet, ipc: int) -> Iterator[VdbenchError]:
    """Hard labels say which class a clip counts for; learned ones may have moved, so that only all clips count."""
    classes, clips = distilled.classes, len(distilled)
    if distilled.record.labels == "soft":
        if clips > ipc * len(classes):
            yield UnsoundError(f"it has {clips} clips, more than {ipc} for each of {len(classes)} classes")
        return
    counts = distilled.labels().bincount(minlength=len(classes))
    if int(counts.max()) > ipc:
        yield UnsoundError(f"a class has {int(counts.max())} clips, '{classes[int(counts.argmax())]}', at IPC {ipc}")
