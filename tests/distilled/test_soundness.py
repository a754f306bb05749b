"""Whether a distilled set is one for its task."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from tests.sets import distilled_record
from vdbench.clips.codecs import parse_codec
from vdbench.distilled import DistilledSet
from vdbench.distilled.recoding import stored_as
from vdbench.distilled.soundness import NotFiniteError, UnsoundError, check_set, faults
from vdbench.errors import FailureKind, UsageError
from vdbench.testing import tiny_clips

TRAIN = tiny_clips()
ROWS = [int(TRAIN.rows_of(label)[place]) for label in range(3) for place in range(2)]


def a_set(tensors: Mapping[str, torch.Tensor] | None = None, **record: Any) -> DistilledSet:
    """Two train clips of each class, with some of it replaced and nothing validated."""
    sound = {"clips": torch.from_numpy(TRAIN.clips[ROWS]), "targets": torch.from_numpy(TRAIN.labels[ROWS])}
    known = distilled_record(
        train_fingerprint=TRAIN.fingerprint, classes=TRAIN.classes, ipc=2, normalisation=TRAIN.normalisation
    )
    return DistilledSet({**sound, **(tensors or {})}, known.model_copy(update=record))


def floats(**changes: float) -> torch.Tensor:
    clips = a_set().render()[0].clone()
    for value in changes.values():
        clips[-1, 0, 0, 0, 0] = value
    return clips


def soft(rows: torch.Tensor) -> DistilledSet:
    return a_set({"targets": rows}, labels="soft")


def edited(distilled: DistilledSet) -> DistilledSet:
    distilled.tensors["targets"][0] = 3
    return distilled


EVEN = torch.full((6, 3), 1 / 3)


@pytest.mark.parametrize(
    "distilled",
    [a_set(), a_set({"clips": floats()}), soft(EVEN), soft(EVEN.clone().copy_(torch.eye(3)[0])), a_set(step_size=0.5)],
)
def test_a_sound_set_has_no_faults(distilled: DistilledSet) -> None:
    assert list(faults(distilled, TRAIN, 2)) == []
    check_set(distilled, TRAIN, 2, "mine")
    check_set(distilled, TRAIN, None, "mine")


@pytest.mark.parametrize(
    ("distilled", "ipc", "kind", "sentence"),
    [
        (a_set(), 1, "bug", "a class has 2 clips, 'red', at IPC 1"),
        (soft(EVEN), 1, "bug", "it has 6 clips, more than 1 for each of 3 classes"),
        (a_set(classes=("red", "green", "brown")), 2, "bug", "its classes are not those of the train split"),
        (a_set({"clips": floats()[:, :, :2]}), 2, "bug", r"its clips are \(3, 2, 16, 16\)"),
        (a_set({"clips": floats()[..., :8]}), 2, "bug", r"its clips are \(3, 4, 16, 8\)"),
        (a_set({"clips": torch.empty(0, 4, 16, 16, 3).byte(), "targets": torch.empty(0).long()}), 2, "bug", "no clip"),
        (a_set({"clips": floats(a=torch.nan)}), 2, "diverged", "not finite"),
        (a_set({"clips": floats(a=-torch.inf)}), 2, "diverged", "not finite"),
        (soft(EVEN * torch.nan), 2, "diverged", "not finite"),
        (soft(2 * EVEN), 2, "bug", "its soft labels are no distributions"),
        (soft(EVEN + torch.tensor([-0.5, 0.25, 0.25])), 2, "bug", "its soft labels are no distributions"),
        (a_set(step_size=float("nan")), 2, "diverged", "its step size is not finite"),
        (a_set(step_size=float("inf")), 2, "diverged", "its step size is not finite"),
        (a_set(step_size=0.0), 2, "bug", "its step size is 0"),
        (edited(a_set()), 2, "bug", r"hard targets must lie in 0\.\.2"),
        (None, 2, "bug", "mine returned a NoneType, not a DistilledSet"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_kind(
    distilled: DistilledSet | None, ipc: int, kind: FailureKind, sentence: str
) -> None:
    with pytest.raises((UnsoundError, NotFiniteError), match=sentence) as error:
        check_set(distilled, TRAIN, ipc, "mine")
    assert error.value.kind == kind
    assert "mine" in str(error.value)


def test_a_codec_that_cannot_hold_the_values_is_refused() -> None:
    with pytest.raises(UsageError, match="values too large for float16; choose the codec float32"):
        stored_as(a_set({"clips": floats(a=1e6)}), parse_codec("float16"))
