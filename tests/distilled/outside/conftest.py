"""Clips that other people's code made, on a miniature UCF101 of three classes."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.worlds import ucf_world
from vdbench.clips.clipset import Normalisation
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import View, open_view
from vdbench.distilled import DistilledSet
from vdbench.distilled.outside.loading import Reading, load_outside

T, SIZE, CLASSES = 4, 16, ("Archery", "Biking", "Diving")
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
Load = Callable[..., DistilledSet]
Heard = Callable[..., tuple[DistilledSet, list[str]]]
Save = Callable[..., Path]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    root = tmp_path_factory.mktemp("outside")
    world, spec = ucf_world(root / "world"), load_dataset("ucf101")
    return prepare(spec, world.root, root / "home", partial=True, workers=1, geometry=spec.geometry.at(8, 32))


@pytest.fixture(scope="session")
def view(store: ClipStore) -> View:
    return open_view(store, store.folder.parents[1], frames=T, size=SIZE)


@pytest.fixture
def load(store: ClipStore, view: View) -> Load:
    """``load(path, pixels="unit")``; a warning that is not expected is an error."""

    def call(path: Path, **options: Any) -> DistilledSet:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return load_outside(path, store, view.train, Reading(**options))

    return call


@pytest.fixture
def heard(store: ClipStore, view: View) -> Heard:
    """``heard(path, lr="none")``: the set, and the warnings about it."""

    def call(path: Path, **options: Any) -> tuple[DistilledSet, list[str]]:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            made = load_outside(path, store, view.train, Reading(**options))
        return made, [str(warning.message) for warning in said]

    return call


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """``save(value)``: a ``.pt`` file that holds the value."""

    def call(value: object, name: str = "set.pt") -> Path:
        torch.save(value, tmp_path / name)
        return tmp_path / name

    return call


def pixels(count: int = 6, frames: int = T, size: int = SIZE) -> torch.Tensor:
    return torch.randint(0, 256, (count, frames, size, size, 3), generator=torch.Generator().manual_seed(1)).byte()


def scaled(clips: torch.Tensor, scale: Normalisation) -> torch.Tensor:
    """Pixels ``(N, T, H, W, 3)`` on a scale, in the same order of axes."""
    return (clips.double() / 255 - torch.tensor(scale.mean)) / torch.tensor(scale.std)


def same(made: DistilledSet, clips: torch.Tensor | None = None) -> bool:
    """Whether a set holds these pixels, as pixels, under the usual labels."""
    stored = made.tensors["clips"]
    wanted = pixels() if clips is None else clips
    return stored.dtype == torch.uint8 and torch.equal(stored, wanted) and torch.equal(made.tensors["targets"], LABELS)
