"""The optimisers keep the contract of a method, at settings that suit the tiny world."""

from typing import Any

import pytest

from tests.methods.test_learned import SMALL
from vdbench.method import Method
from vdbench.testing import check_method
from vdbench_methods.dc import DC
from vdbench_methods.dm import DM
from vdbench_methods.frepo import FRePo
from vdbench_methods.mtt import MTT
from vdbench_methods.prism import Prism
from vdbench_methods.sfvd import SFVD
from vdbench_methods.vdsd import VDSD


@pytest.mark.parametrize("name", SMALL)
def test_small_optimisers_conform(name: str) -> None:
    assert check_method(SMALL[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("cls", [DC, DM, MTT, FRePo, VDSD, SFVD, Prism])
def test_optimisers_conform_with_networks_of_full_width(cls: type[Method[Any]]) -> None:
    few: dict[str, Any] = {"iterations": 3}
    if cls is VDSD:
        few["static_iterations"] = 2
    if issubclass(cls, MTT):
        few["lr"] = 100  # the published one is for fifty classes of larger clips, and diverges here
    assert check_method(cls(cls.Settings.model_validate(few))) == []
