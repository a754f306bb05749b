"""Seeded draws inside the block, the old state after it."""

import pytest
import torch

from vdbench.seeding import seeded


def test_draws_follow_the_seed_and_the_state_comes_back_even_after_an_error() -> None:
    before = torch.get_rng_state()
    with seeded(4):
        first = torch.rand(3)
    with pytest.raises(RuntimeError), seeded(4):
        assert torch.equal(torch.rand(3), first)
        raise RuntimeError
    with seeded(5):
        assert not torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)
