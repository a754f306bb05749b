"""Our own methods keep the contract that anybody's have to keep."""

from typing import Any

import pytest

from tests.methods.test_learned import SMALL
from vdbench.method import Method, Settings
from vdbench.testing import check_method
from vdbench_methods.dc import DC
from vdbench_methods.difficulty import EL2N, Difficulty
from vdbench_methods.dm import DM
from vdbench_methods.frepo import FRePo
from vdbench_methods.full import Full
from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter
from vdbench_methods.k_means import KMeans
from vdbench_methods.moderate import Moderate
from vdbench_methods.mtt import MTT
from vdbench_methods.prism import Prism
from vdbench_methods.random import Random
from vdbench_methods.sfvd import SFVD
from vdbench_methods.vdsd import VDSD


@pytest.mark.parametrize("method", [Herding, KCenter, KMeans])
@pytest.mark.parametrize("encoder", ["pixels", "minic3d-random", {"name": "minic3d-trained", "width": 4, "epochs": 2}])
def test_methods_on_features_conform(method: type[Method[Settings]], encoder: object) -> None:
    assert check_method(method(method.Settings.model_validate({"encoder": encoder}))) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", [Herding, KCenter, KMeans, Moderate, EL2N, Difficulty])
def test_methods_conform_with_their_defaults(method: type[Method[Settings]]) -> None:
    assert check_method(method) == []


@pytest.mark.parametrize("method", [Random, Full, *SMALL.values()], ids=["random", "full", *SMALL])
def test_methods_without_features_and_small_optimisers_conform(method: Method[Any] | type[Method[Any]]) -> None:
    assert check_method(method) == []


@pytest.mark.slow
@pytest.mark.parametrize("cls", [DC, DM, MTT, FRePo, VDSD, SFVD, Prism])
def test_optimisers_conform_with_networks_of_full_width(cls: type[Method[Any]]) -> None:
    few: dict[str, Any] = {"iterations": 3}
    if cls is VDSD:
        few["static_iterations"] = 2
    if issubclass(cls, MTT):
        few["lr"] = 100  # the published one is for fifty classes of larger clips, and diverges here
    assert check_method(cls(cls.Settings.model_validate(few))) == []
