"""The conformance suite has nothing to say of a good method, and one sentence for one offence."""

import numpy as np
import pytest
import torch

from tests.testing.offenders import Declared, Forgetful, Good, Undeclared, Untitled, doing
from vdbench.clips.clipset import Normalisation
from vdbench.testing import check_method, tiny_clips


def test_a_good_method_has_no_findings() -> None:
    assert check_method(Good) == []
    assert check_method(Good()) == []
    assert check_method(Declared) == []


@pytest.mark.usefixtures("_process")
def test_one_offence_is_one_finding() -> None:
    for offender in (doing(lambda task: torch.rand(1)), Undeclared, Forgetful, Untitled):
        assert len(check_method(offender)) == 1


def test_the_tiny_world_is_what_it_says() -> None:
    clips = tiny_clips()
    assert clips.counts().tolist() == [9, 12, 15]
    assert clips.labels.tolist() != sorted(clips.labels.tolist())
    assert not clips.clips.flags.writeable
    assert clips.fingerprint == tiny_clips().fingerprint
    assert len(set(clips.groups)) == 9
    assert isinstance(clips.normalisation, Normalisation)
    pixels = clips.clips.reshape(36, -1).astype(float)
    distance = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    same = np.array(clips.groups)[:, None] == np.array(clips.groups)[None]
    assert distance[same].max() < 0.3 * distance[~same].min()
