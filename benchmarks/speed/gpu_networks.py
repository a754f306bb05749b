"""Rows of ``gpu.py`` about what might fill a GPU better: networks side by side, graphs, and compiled networks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from gpu_training import SEEDS, Asked, Row, best, fresh, one_each, plain, timed, trained

from vdbench.evaluation.batches import Batches
from vdbench.evaluation.train import Training
from vdbench.evaluation.turns import train_in_turns

if TYPE_CHECKING:
    from vdbench.students.student import Student


def side_by_side(asked: Asked) -> str:
    """Seconds for networks on a clip of every class, in turns on streams of their own and one after the other.

    Raises:
        ValueError: they have other losses in turns.
    """
    data, device = one_each(asked), torch.device(asked.device)
    recipe = plain(2 * asked.steps, best(device), asked)
    trained(data, 2, best(device), asked)
    seconds, losses = [], []
    for together in (SEEDS, 1):
        began = time.perf_counter()
        found: list[tuple[float, ...]] = []
        for first in range(0, SEEDS, together):
            seeds = range(first, first + together)
            found += train_in_turns([Training(fresh(asked, n), data, recipe, n, device) for n in seeds], device)
        seconds.append(time.perf_counter() - began)
        losses.append(found)
    if losses[0] != losses[1]:
        raise ValueError("networks that are trained side by side have other losses than one after the other")
    return f"{seconds[0]:.2f} s in turns, {seconds[1]:.2f} s one after the other, equal losses"


def compiled(student: Student, _: Asked) -> Student:
    """The student as torch compiles it; the first steps, which are not timed, do."""
    return cast("Student", torch.compile(student))


def in_graphs(student: Student, asked: Asked) -> Student:
    """The student whose forward and backward pass on a clip of every class are a CUDA graph each."""
    device = torch.device(asked.device)
    clips, _ = next(iter(Batches(one_each(asked), asked.classes, 0, device).epoch(1)))
    student.to(device).train()
    with torch.autocast(device.type, torch.bfloat16, enabled=best(device) == "bf16", cache_enabled=False):
        return cast("Student", torch.cuda.make_graphed_callables(student, (clips,)))


def otherwise(way: Callable[[Student, Asked], Student], asked: Asked) -> str:
    """Milliseconds of a training step of a network that is made ready in some way, and of one that is not."""
    data, precision = one_each(asked), best(torch.device(asked.device))
    told = []
    for student in (way(fresh(asked), asked), fresh(asked)):
        seconds, steps, _ = timed(data, precision, asked, student)
        told.append(f"{1000 * seconds / steps:.2f} ms")
    return f"{told[0]}, {told[1]} as it is, in {precision}"


def rows(asked: Asked) -> list[Row]:
    """All that there is to measure of it; a CPU has no graphs, and is compiled for in a minute."""
    clips = asked.classes
    found = [Row(f"{SEEDS} networks of {clips} clips", "", side_by_side)]
    if torch.device(asked.device).type == "cuda":
        for what, way in (("in CUDA graphs", in_graphs), ("by torch.compile", compiled)):
            found.append(Row(f"training step, {clips} clips, {what}", "", partial(otherwise, way)))
    return found
