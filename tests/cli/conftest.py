"""The command line, called in this process, on homes that are prepared once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any, Self

import pytest

from tests.worlds import World, prepared_ucf, ucf_world
from vdbench.cli import main
from vdbench.experiment.home import Home
from vdbench.experiment.result import Result

TINY = [
    "--set", "protocol.frames=4", "--set", "protocol.size=16", "--set", "protocol.evaluation_seeds=1",
    "--set", "protocol.students=[{name: minic3d, width: 4}]", "--set", "protocol.recipe.max_steps=4",
    "--set", "protocol.recipe.min_steps=1", "--set", "protocol.validation=0.2",
]  # fmt: skip
"""Options that make a run on a miniature data set take a second."""
TINY_GENERATOR = [
    "--set", "generator.autoencoder={steps: 20, width: 8, channels: 8, batch: 4}",
    "--set", "generator.denoiser={heads: 2, head_dim: 8, layers: 1}",
    "--set", "generator.training={steps: 40, batch: 4, warmup: 1}",
    "--set", "generator.sampling={per_class: 3, batch: 2, steps: 2}",
]  # fmt: skip
"""Options that make a generator, and a pool of it, in a second."""


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    def ended(self, code: int, *words: str) -> Self:
        """This answer, if the command ended with that exit code and these words among its messages."""
        assert self.code == code, self.err
        for text in words:
            assert text in self.err
        return self


Cli = Callable[..., Answer]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """``cli("run", "--ipc", 1)``: the command's exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("VDBENCH_HOME", raising=False)
    monkeypatch.delenv("VDBENCH_DATA", raising=False)

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["vdbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A miniature UCF101."""
    return ucf_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def prepared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the miniature UCF101 is prepared; never written to again."""
    return prepared_ucf(world, tmp_path_factory.mktemp("prepared") / "home")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store of MLflow without a run, of which tests take copies: migrations take seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "migrated.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def mlflow_store(migrated: Path) -> str:
    """One store for all tests that do not look into it."""
    return f"sqlite:///{shutil.copy(migrated, migrated.with_name('mlflow.db'))}"


@pytest.fixture
def own_store(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of one's own, which is in use."""
    uri = f"sqlite:///{shutil.copy(migrated, tmp_path / 'own.db')}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)  # where artefacts go
    return uri


@pytest.fixture
def home(prepared: Path, tmp_path: Path, mlflow_store: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own with the miniature UCF101."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    return Path(shutil.copytree(prepared, tmp_path / "home"))


def tiny_run(home: Path, *more: object, methods: str = "random") -> list[str]:
    """Arguments of a run that takes seconds."""
    base = ["run", "--home", home, "--datasets", "ucf101", "--suite", "quick", "--partial", "--methods", methods]
    return [str(a) for a in [*base, "--scheduler", "inline", "--ipc", 1, "--seeds", 1, *TINY, *more]]


def finished(prepared: Path, folder: Path, mlflow_store: str, *more: object, methods: str = "random") -> Path:
    """A copy of a home, in which a small run ended."""
    home = Path(shutil.copytree(prepared, folder / "home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
        patch.setattr(sys, "argv", ["vdbench", *tiny_run(home, *more, methods=methods)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return home


def linked(home: Path, folder: Path) -> Path:
    """A home of its own with the data sets of another one."""
    folder.mkdir()
    (folder / "stores").symlink_to(home / "stores")
    return folder


def child(arguments: list[str]) -> subprocess.Popen[str]:
    """A real process of its own, so that it can be killed."""
    return subprocess.Popen([sys.executable, "-m", "vdbench.cli", *arguments], stderr=subprocess.PIPE, text=True)


def results(home: Path) -> dict[str, Result]:
    """All stored results by id."""
    return {result.id: result for result in Home(home).results}


SELECTOR = """
import os, signal, sys, time, warnings
from pathlib import Path
import numpy as np
from vdbench.errors import DivergedError
from vdbench.method import Card
from vdbench.selector import Selector

class Written(Selector):
    name = "{name}"
    card = Card("Written by a test")
    def select(self, features, k, rng, task):
{does}
        return np.arange(k)
"""


def selector(folder: Path, name: str, does: str) -> Path:
    """A plugin file with a selector that does something and then takes the first clips."""
    (folder / f"{name}.py").write_text(SELECTOR.format(name=name, does=indent(does, " " * 8)))
    return folder / f"{name}.py"


def judged(cli: Cli, *arguments: object) -> list[dict[str, Any]]:
    """What ``vdbench evaluate`` says, without its times and without how a file was understood."""
    answer = cli("evaluate", *arguments, "--json").ended(0)
    left_out = ("train_seconds", "test_seconds", "peak_memory", "assumed")
    return [{k: v for k, v in s.items() if k not in left_out} for s in json.loads(answer.out)]


@pytest.fixture
def planned(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Result]]:
    """Results, without scores, of the trials that ``vdbench run`` would carry out."""

    from vdbench.experiment import plan as planning
    from vdbench.experiment.result import Failure
    from vdbench.experiment.worker import blank_result

    def call(*arguments: object) -> list[Result]:
        plans = []

        def spy(request, home):
            plans.append(make_plan(request, home))
            return plans[-1]

        make_plan = planning.make_plan
        with monkeypatch.context() as patch:
            patch.setattr(planning, "make_plan", spy)
            cli("run", "--home", home, "--dry-run", "--datasets", "ucf101", *arguments).ended(0)
        failure = Failure(kind="interrupted", stage="distill", message="it was only planned")
        blank = [blank_result(job, datetime.now(UTC)) for job in plans[0].jobs]
        return [result.model_copy(update={"status": "failed", "failure": failure}) for result in blank]

    return call
