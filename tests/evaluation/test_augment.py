"""Augmentation: what it may do to a clip, against a brute-force reading of the same draws."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from vdbench.evaluation.augment import Augmentation, augmented


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int, frames: int = 5, side: int = 8) -> torch.Tensor:
    """Clips of which every value is another number."""
    return torch.arange(count * 3 * frames * side * side, dtype=torch.float32).view(count, 3, frames, side, side)


@example(seed=0, mirror=False, crop=0.0, jitter=0)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 0.125, 0.5]), st.integers(0, 3))
def test_every_clip_is_one_shift_and_one_mirror_of_itself(seed: int, mirror: bool, crop: float, jitter: int) -> None:
    clips, how = numbered(3), Augmentation(mirror=mirror, crop=crop, jitter=jitter)
    varied = augmented(clips, how, chance(seed))
    assert varied.shape == clips.shape
    far = round(crop * 8)
    for before, after in zip(clips.numpy(), varied.numpy(), strict=True):
        assert any(
            np.array_equal(after, turned[:, time][:, :, row][:, :, :, column])
            for turned in ([before, before[..., ::-1]] if mirror else [before])
            for time in shifts(5, jitter)
            for row in shifts(8, far)
            for column in shifts(8, far)
        )


def shifts(length: int, far: int) -> list[np.ndarray]:
    return [np.clip(np.arange(length) + by, 0, length - 1) for by in range(-far, far + 1)]


def test_clips_are_varied_each_in_its_own_way_by_the_seed_alone() -> None:
    clips = numbered(1).expand(32, -1, -1, -1, -1)
    before = torch.random.get_rng_state()
    once, again, other = (augmented(clips, Augmentation(), chance(seed)) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert len({clip.numpy().tobytes() for clip in once}) > 8
    assert torch.equal(torch.random.get_rng_state(), before)


def test_half_of_the_clips_are_mirrored() -> None:
    clips = numbered(400, frames=1)
    varied = augmented(clips, Augmentation(crop=0, jitter=0), chance())
    turned = (varied == clips.flip(-1)).flatten(1).all(dim=1).double().mean()
    assert turned == pytest.approx(0.5, abs=0.08)
