"""What a trial reports while it distils is kept, thinned, and nothing of other stages with it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.experiment.test_stopping import job
from vdbench.experiment.curves import CURVE_POINTS, plain
from vdbench.experiment.progress import TrialProgress
from vdbench.work.reports import silent


def test_a_curve_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    progress = TrialProgress(silent, job(tmp_path))
    with progress.during("assets"):
        progress(1, loss=99.0)
    with progress.during("distill"):
        for step in range(1, 1001):
            progress(step, of=1000, loss=1 / step, note="a word")
        progress(1000, reward=0.5)
        (curve,) = progress.curves.values()
    assert list(progress.curves) == ["loss"]
    assert len(curve) == CURVE_POINTS
    assert curve[0] == (1, 1.0)
    assert curve[-1] == (1000, 0.001)
    assert [step for step, _ in curve] == sorted({step for step, _ in curve})


def test_a_short_curve_is_kept_whole(tmp_path: Path) -> None:
    progress = TrialProgress(silent, job(tmp_path))
    with progress.during("distill"):
        for step in range(3):
            progress(step, loss=float(step))
    assert progress.curves == {"loss": ((0, 0.0), (1, 1.0), (2, 2.0))}


def test_what_is_not_finite_is_told_as_nothing_and_left_out_of_the_curve(tmp_path: Path) -> None:
    told: list[tuple[int, object]] = []
    progress = TrialProgress(lambda step, stage, loss=None: told.append((step, loss)), job(tmp_path))
    with progress.during("distill"):
        for step, loss in enumerate([float("nan"), float("inf"), 0.5, 0.25], start=1):
            progress(np.int64(step), loss=loss)  # type: ignore[arg-type]
    assert told == [(0, None), (1, None), (2, None), (3, 0.5), (4, 0.25)]
    assert progress.curves == {"loss": ((3, 0.5), (4, 0.25))}
    json.dumps(progress.curves, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3), (0.5, 0.5), (np.float32(0.5), 0.5), (np.int64(7), 7), (torch.tensor(0.5), 0.5), (True, True),
        ("a", "a"), (float("nan"), None), (np.float32("inf"), None), (torch.tensor(torch.nan), None),
        (torch.ones(2), None), (10**400, None), (None, None), (object(), None),
    ],
)  # fmt: skip
def test_numbers_of_any_library_are_plain_ones(value: object, number: object) -> None:
    assert plain(value) == number
    assert type(plain(value)) is type(number)
