"""Outcomes per clip: packed and back, in as few bits as their classes need, and ranks as sorting gives them."""

import base64
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vdbench.errors import DataError
from vdbench.evaluation.scoring import credits, places
from vdbench.outcomes import ClipList, Places, pack, unpack
from vdbench.records import Outcomes


@given(seed=st.integers(0, 999), clips=st.integers(1, 70), classes=st.sampled_from([2, 3, 7, 8, 9, 101, 256, 257, 400]))
def test_what_is_packed_is_unpacked(seed: int, clips: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    ahead = rng.integers(0, classes, clips)
    level = rng.integers(0, classes - ahead)
    packed = pack(Places(ahead, level), classes)
    back = unpack(packed, clips, classes)
    np.testing.assert_array_equal(back.ahead, ahead)
    np.testing.assert_array_equal(back.level, level)
    bits = math.ceil(math.log2(classes)) * clips
    assert len(base64.b64decode(packed.ahead)) == math.ceil(bits / 8)
    assert (packed.level == "") == (not level.any())


def test_241_clips_of_7_classes_take_124_characters() -> None:
    zero = np.zeros(241, dtype=np.int64)
    assert pack(Places(zero, zero), 7) == Outcomes(ahead="A" * 122 + "==", level="")


@given(seed=st.integers(0, 999), values=st.sampled_from([2, 3, 1000]))
def test_ranks_and_hits_are_those_of_sorting(seed: int, values: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randint(0, values, (20, 6), generator=generator).float()
    labels = torch.randint(0, 6, (20,), generator=generator)
    found = places(logits, labels)
    for row, (scores, label) in enumerate(zip(logits.tolist(), labels.tolist(), strict=True)):
        same = [place for place, score in enumerate(sorted(scores, reverse=True), 1) if score == scores[label]]
        assert found.ranks[row] == sum(same) / len(same)
        for k in (1, 3, 5):
            assert found.won(k)[row] == pytest.approx(sum(place <= k for place in same) / len(same))
    for k in (1, 5):
        np.testing.assert_array_equal(found.won(k), credits(logits, labels, k).numpy())


@pytest.mark.parametrize(
    ("outcomes", "clips", "classes"),
    [
        (Outcomes(ahead="AAA="), 6, 8),  # 3 bytes for 18 bits, and one is missing
        (Outcomes(ahead="AAAA"), 4, 8),  # 3 bytes for 12 bits
        (Outcomes(ahead="AAAB"), 7, 8),  # something stands behind the last clip
        (Outcomes(ahead="?"), 1, 8),
        (Outcomes(ahead="ä"), 1, 8),
        (Outcomes(ahead=""), 1, 8),
        (Outcomes(ahead="AA==", level="AAAA"), 2, 8),
        (Outcomes(ahead="4A=="), 1, 7),  # 7 classes ahead of one of 7
        (Outcomes(ahead="IA==", level="gA=="), 1, 3),  # 1 ahead and 2 level
    ],
)
def test_what_cannot_be_outcomes_is_refused(outcomes: Outcomes, clips: int, classes: int) -> None:
    with pytest.raises(DataError, match="its outcomes per clip"):
        unpack(outcomes, clips, classes)


def test_sources_are_numbered_in_their_order() -> None:
    clips = ClipList(classes=("a", "b"), ids=tuple("1234"), labels=(0, 0, 1, 1), groups=("y", "x", "y", "z"))
    assert clips.sources.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("change", [{"ids": ("1",)}, {"groups": ("x",)}, {"labels": (0, 2)}, {"labels": (0, -1)}])
def test_a_list_that_does_not_fit_together_is_refused(change: dict[str, object]) -> None:
    whole: dict[str, object] = {"classes": ("a", "b"), "ids": ("1", "2"), "labels": (0, 1), "groups": ("x", "x")}
    assert len(ClipList.model_validate(whole)) == 2
    with pytest.raises(ValidationError, match="one entry per clip|must lie in 0..1"):
        ClipList.model_validate(whole | change)
