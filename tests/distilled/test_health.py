"""Marks of learned sets, each against a set and a curve that were made to have it and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import torch

from vdbench.distilled import DistilledSet
from vdbench.distilled.health import health
from vdbench.evaluation.judging import random_clips
from vdbench.method import Limits
from vdbench.records import Provenance
from vdbench.testing.tiny import tiny_clips, tiny_task
from vdbench_methods.mtt import MTT, MTTSettings

TRAIN = tiny_clips()
START = random_clips(TRAIN, 1, 0)
LIMITS = Limits(1.0, 1e-3)
FLAT = [(step, 0.5) for step in range(1, 25)]


def learned(change: torch.Tensor | float = 0.2, step_size: float | None = None) -> DistilledSet:
    """Grey clips, to which something was added; never those of the start."""
    method = MTT(MTTSettings())
    clips = torch.zeros(len(START), 3, TRAIN.frames, TRAIN.size, TRAIN.size) + change
    task = tiny_task(Path("unused"))
    return method.pack(task, clips, torch.from_numpy(START.labels), Provenance(pool="learned"), step_size)


def marks(losses: list[tuple[int, float]] = FLAT, limits: Limits = LIMITS, **changes: Any) -> tuple[str, ...]:
    return health(learned(**changes), {"loss": losses}, START, *limits)


def test_a_set_that_was_learned_has_none() -> None:
    assert marks(step_size=0.01) == ()


def at(value: float) -> list[tuple[int, float]]:
    return [(step, value) for step in range(1, 25)]


@pytest.mark.parametrize(("loss", "astray"), [(0.99, False), (1.0, True), (3.0, True)])
def test_a_loss_that_ends_where_standing_still_is_or_above_is_astray(loss: float, astray: bool) -> None:
    assert marks(at(loss)) == (("astray",) if astray else ())
    assert marks(at(loss), Limits()) == ()


@pytest.mark.parametrize(("step_size", "bound"), [(0.001, True), (0.0010000001, True), (0.0011, False)])
def test_a_step_size_on_its_floor_is_bound(step_size: float, bound: bool) -> None:
    assert marks(step_size=step_size) == (("bound",) if bound else ())


def test_clips_beyond_black_and_white_are_saturated() -> None:
    """A third of the columns is whiter than white; a fifth is not enough."""
    beyond = torch.zeros(TRAIN.size)
    beyond[: TRAIN.size // 3] = 100
    few = torch.zeros(TRAIN.size)
    few[: TRAIN.size // 5] = 100
    assert marks(change=beyond) == ("saturated",)
    assert marks(change=few) == ()


def test_clips_of_the_start_are_unchanged() -> None:
    begun = START.render(torch.arange(len(START)))[0]
    assert marks(change=begun) == ("unchanged",)
    assert marks(change=begun + 0.009 * torch.randn(begun.shape)) == ("unchanged",)
    assert marks(change=begun + 0.02) == ()


@pytest.mark.parametrize(
    ("losses", "unfinished"),
    [
        ([1 / step for step in range(1, 25)], True),
        ([0.9**step + 0.5 for step in range(80)], False),
        ([0.5, 0.9] * 12, False),
        ([0.9, 0.5], False),
    ],
    ids=["falling", "settled", "noise", "too short to tell"],
)
def test_a_loss_that_falls_at_the_end_is_unfinished(losses: list[float], unfinished: bool) -> None:
    curve = [(step + 1, loss) for step, loss in enumerate(losses)]
    assert marks(curve, Limits()) == (("unfinished",) if unfinished else ())
