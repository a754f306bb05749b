"""Our own methods keep the contract that anybody's have to keep."""

import pytest

from vdbench.method import Method, Settings
from vdbench.testing import check_method
from vdbench_methods.full import Full
from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter
from vdbench_methods.k_means import KMeans
from vdbench_methods.random import Random


@pytest.mark.parametrize("method", [Random, Full])
def test_methods_without_features_conform(method: type[Method[Settings]]) -> None:
    assert check_method(method) == []


@pytest.mark.parametrize("method", [Herding, KCenter, KMeans])
@pytest.mark.parametrize("encoder", ["pixels", "minic3d-random", {"name": "minic3d-trained", "width": 4, "epochs": 2}])
def test_methods_on_features_conform(method: type[Method[Settings]], encoder: object) -> None:
    assert check_method(method(method.Settings.model_validate({"encoder": encoder}))) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", [Herding, KCenter, KMeans])
def test_methods_conform_with_their_defaults(method: type[Method[Settings]]) -> None:
    assert check_method(method) == []
