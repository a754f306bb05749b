"""The collector rests within the block, and afterwards does what it did before."""

import gc

import pytest

from vdbench.storage.collecting import uncollected


def test_the_collector_rests_and_is_as_before_whatever_happens() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"), uncollected():
        raise ValueError("no")
    assert gc.isenabled()
