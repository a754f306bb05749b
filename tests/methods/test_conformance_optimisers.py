"""The optimisers keep the contract of a method; with their defaults, which take thousands of iterations, cut short."""

from typing import Any

import pytest

from tests.methods.test_learned import SMALL
from vdbench.method import Method
from vdbench.testing import check_method
from vdbench_methods.dm import DM
from vdbench_methods.frepo import FRePo
from vdbench_methods.mtt import MTT
from vdbench_methods.vdsd import VDSD


@pytest.mark.parametrize("name", SMALL)
def test_small_optimisers_conform(name: str) -> None:
    assert check_method(SMALL[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("cls", [DM, MTT, FRePo, VDSD])
def test_optimisers_conform_with_all_defaults_but_the_iterations(cls: type[Method[Any]]) -> None:
    few = {"iterations": 3} | ({"static_iterations": 2} if cls is VDSD else {})
    assert check_method(cls(cls.Settings.model_validate(few))) == []
