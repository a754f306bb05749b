"""Generators that ship with vdbench: package data, trained on a train split by our own command and on nothing else."""

from __future__ import annotations

import shutil
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vdbench.errors import DataError, UsageError
from vdbench.generator.source import RECORD, Generator, GeneratorSpec, read_generator, weights_sha256

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.training import TrainedSampler
    from vdbench.work.assets import Assets


class ShippedGenerator(GeneratorSpec):
    """A generator of the package.

    Attributes:
        name: of its folder.
        weights: SHA-256 of its weights, so that other weights are another generator.
    """

    can_rehearse: ClassVar[bool] = True
    name: str
    weights: str

    def work(self, assets: Assets) -> tuple[()]:
        """Copying takes no time."""
        return ()

    def build(self, assets: Assets, folder: Path) -> None:
        """Copy it into the home.

        Raises:
            DataError: the package's files are not those that its record names.
        """
        shutil.copytree(_folder(self.name), folder, dirs_exist_ok=True)
        if weights_sha256(folder) != self.weights:
            raise DataError(f"the generator {self.name} of this installation is damaged; install vdbench again")

    def open(self, found: Generator, train: ClipSet, device: torch.device) -> TrainedSampler:
        """Load the pipeline."""
        from vdbench.generator.training import TrainedSampler

        return TrainedSampler.load(found.folder, device)

    def rehearsed(self, assets: Assets) -> TrainedSampler:
        """That of the package."""
        from vdbench.generator.training import TrainedSampler

        return TrainedSampler.load(_folder(self.name), assets.device)

    def describe(self) -> dict[str, Any]:
        """Its name and weights."""
        return {"source": f"ships with vdbench: {self.name}", "weights": self.weights[:16]}


def shipped_for(dataset: str, train: ClipSet) -> ShippedGenerator | None:
    """The shipped generator for a train split: of its data set and geometry, and trained on none but its clips."""
    folder = _folder(_name(dataset, train))
    if not folder.is_dir():
        return None
    record = read_generator(folder).record
    fits = bool(record.clips) and set(record.clips) <= set(train.ids)
    return ShippedGenerator(name=folder.name, weights=record.weights) if fits else None


def export(spec: GeneratorSpec, found: Generator, dataset: str, train: ClipSet, folder: Path) -> Path:
    """Copy a generator that was trained here, as one that ships, in place of the one that is there.

    Returns:
        Its own folder among them.

    Raises:
        UsageError: it was not trained here, or something else lies where it should be.
    """
    from vdbench.generator.training import TrainedGenerator

    if not isinstance(spec, TrainedGenerator):
        raise UsageError("only a generator that was trained here can be copied; add --set generator.source=trained")
    target = folder / _name(dataset, train)
    if target.exists() and not (target / RECORD).is_file():
        raise UsageError(f"{target} is no generator, so it is not replaced; move it away or choose another folder")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(found.folder, target)
    return target


def _name(dataset: str, train: ClipSet) -> str:
    return f"{dataset}-{train.frames}x{train.size}"


def _folder(name: str) -> Path:
    return Path(str(package_files("vdbench.generator") / "shipped" / name))
