"""One miniature data set, prepared once, and what runs on it end in when nobody hurts them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.cli.conftest import results, tiny_run
from tests.faults.commands import Command
from tests.faults.remains import kept
from tests.worlds import prepared_ucf, ucf_world
from vdbench.cli import main

WAYS = {
    "here": ["--methods", "herding,dm", "--set", "herding.encoder.epochs=1"],
    "isolated": ["--methods", "dm", "--codec", "float16", "--isolate"],
}
"""Runs: one with shared assets and checkpoints, and one whose trials have a process of their own."""
ALL = ["--set", "dm.iterations=6", "--checkpoint-every", "0"]


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody hurt.

    Attributes:
        outcomes: of its results, by id.
        tensors: bytes of its distilled sets, by their paths within the home.
        kept: every path that it left.
        spent: seconds of CPU that it took.
    """

    outcomes: dict[str, dict[str, Any]]
    tensors: dict[str, bytes]
    kept: set[str]
    spent: float


class Bench:
    """Where runs are hurt: a data set, prepared, and a migrated MLflow store, of which every run gets copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home, self._mlflow = folder / "home", folder / "mlflow.db"
        world = ucf_world(folder / "videos")
        self.videos = world.root
        prepared_ucf(world, self._home)
        MlflowClient(f"sqlite:///{self._mlflow}").search_experiments()  # which migrates it, for seconds
        self._undisturbed: dict[str, Undisturbed] = {}

    def case(self, name: str) -> tuple[Path, Path]:
        """A folder of its own, with a home in it."""
        folder = self.folder / name
        shutil.copytree(self._home, folder / "home")
        shutil.copy(self._mlflow, folder / "mlflow.db")
        return folder, folder / "home"

    def run(self, way: str, folder: Path) -> Command:
        return Command([*tiny_run(folder / "home"), *WAYS[way], *ALL], folder, folder / "mlflow.db")

    def prepare_again(self, folder: Path) -> Command:
        """What the sentence about a damaged store asks for."""
        words = ["datasets", "prepare", "ucf101", "--data-root", self.videos, "--home", folder / "home", "--partial"]
        words += ["--frames", 8, "--size", 32, "--workers", 1]
        return Command([str(word) for word in words], folder, folder / "mlflow.db")

    def undisturbed(self, way: str) -> Undisturbed:
        """What a run ends in, which is found out once."""
        if way not in self._undisturbed:
            folder, home = self.case(f"undisturbed-{way}")
            run = self.run(way, folder)
            spent = [0.0]
            while run.until(lambda: spent.append(run.spent()) or spent[-1] == 0):
                pass
            assert run.code() == 0, run.printed()
            self._undisturbed[way] = Undisturbed(outcomes(home), tensors(home), kept(home), max(spent))
        return self._undisturbed[way]


def outcomes(home: Path) -> dict[str, dict[str, Any]]:
    return {trial: result.outcome() for trial, result in results(home).items()}


def tensors(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.glob("distilled/[!.]*/*.safetensors")}


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    assert main  # imported before the first command is forked, so that a mistake in it is told here
    return Bench(tmp_path_factory.mktemp("faults"))
