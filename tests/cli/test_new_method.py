"""What ``vdbench methods new`` writes: every kind works at once, is checked, runs, and does what it says."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from tests.cli.conftest import TINY_GENERATOR, Cli, results, tiny_run
from vdbench.cli.methods import Kind
from vdbench.registry import Registry
from vdbench.seeding import generator
from vdbench.students import build_student
from vdbench.testing import tiny_task
from vdbench_methods.learned import initial_clips

KINDS = get_args(Kind)


@pytest.fixture
def written(cli: Cli, tmp_path: Path) -> Path:
    """A folder with a method of every kind, ``my-KIND``, and its test."""
    folder = tmp_path / "mine"
    for kind in KINDS:
        answer = cli("methods", "new", f"my-{kind}", "--kind", kind, "--out", folder).ended(0)
        check, run = (line.strip() for line in answer.out.splitlines()[-2:])
        assert check.startswith("vdbench methods check ") and check.endswith(f"my_{kind}.py")
        assert run.startswith("vdbench run --plugin ") and run.endswith(f"--methods random,my-{kind}")
    return folder


def method_of(folder: Path, kind: str, **settings: Any) -> Any:
    return Registry([folder / f"my_{kind}.py"]).configure(f"my-{kind}", None, settings)


def test_every_kind_runs_and_takes_its_clips_from_where_it_says(cli: Cli, home: Path, written: Path) -> None:
    plugins = [word for kind in KINDS for word in ("--plugin", written / f"my_{kind}.py")]
    methods = ",".join(f"my-{kind}" for kind in KINDS)
    cli(*tiny_run(home, *plugins, *TINY_GENERATOR, "--set", "my-optimiser.iterations=3", methods=methods)).ended(0)
    found = {r.method.removeprefix("my-"): r for r in results(home).values() if not r.control}
    pools = {kind: found[kind].provenance.pool for kind in KINDS}  # type: ignore[union-attr]
    assert pools == {"selector": "real", "optimiser": "learned", "generator": "generated", "labels": "real"}
    assert {kind for kind in KINDS if found[kind].labels == "soft"} == {"labels"}
    assert "my-labels" in cli("methods", "list", *plugins).out
    assert "keeps the contract" in cli("methods", "check", written / "my_selector.py").out


@pytest.mark.slow
def test_the_tests_that_are_written_pass(written: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(written)],
        capture_output=True, text=True, check=False, cwd=written,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"{len(KINDS)} passed" in done.stdout


def test_the_optimiser_learns(written: Path, tmp_path: Path) -> None:
    """Its clips embed nearer to their class than those that it starts from, under networks that it has not seen."""
    task = tiny_task(tmp_path, ipc=2)
    learned, labels = method_of(written, "optimiser", lr=100.0).distill(task).render()
    start, _ = initial_clips(task, "real", 2)

    def gap(clips: torch.Tensor) -> float:
        total = 0.0
        for seed in range(100, 110):
            network = build_student("minic3d", 3, task.train.frames, task.train.size, 16, seed).eval()
            for label in range(3):
                real, _ = task.train.render(torch.from_numpy(task.train.rows_of(label)))
                with torch.no_grad():
                    apart = network.embed(real).mean(dim=0) - network.embed(clips[labels == label]).mean(dim=0)
                total += float(apart.square().sum())
        return total

    assert gap(learned) < 0.95 * gap(start)


@pytest.mark.parametrize("trust", [0.0, 0.25, 1.0])
def test_labels_are_the_teacher_s_as_far_as_it_is_trusted(written: Path, tmp_path: Path, trust: float) -> None:
    task = tiny_task(tmp_path, ipc=2, seed=3)
    clips, labels = method_of(written, "labels", trust=trust).distill(task).render()

    def drawn() -> Iterator[int]:
        for label, name in enumerate(task.train.classes):
            yield from generator(3, name).permutation(task.train.rows_of(label))[:2].tolist()

    shown, own = task.train.render(torch.tensor(list(drawn())))
    assert torch.equal(clips, shown)
    teacher = task.teacher.teacher(task.assets)(shown)
    assert not torch.allclose(teacher, torch.eye(3)[own], atol=0.05)
    assert torch.allclose(labels, trust * teacher + (1 - trust) * torch.eye(3)[own])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *((name, "") for name in ("json", "class", "random", "k-means", "Mine", "Near Mean", "my_method")),
        ("herding", "there is a method 'herding' already"),
        ("all", "stands for all methods"),
    ],
)
def test_a_name_that_could_not_be_used_is_refused_and_nothing_written(
    cli: Cli, tmp_path: Path, name: str, sentence: str
) -> None:
    answer = cli("methods", "new", name, "--out", tmp_path).ended(2)
    assert answer.err.startswith("error: ") and sentence in answer.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["my_method.py", "test_my_method.py"])
def test_what_is_there_is_never_replaced(cli: Cli, tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("mine")
    cli("methods", "new", "my-method", "--kind", "labels", "--out", tmp_path).ended(2, f"{file} exists already")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(file, "mine")]
