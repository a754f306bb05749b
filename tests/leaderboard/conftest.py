"""Synthetic results with chosen accuracies: a leaderboard reads nothing else."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from vdbench.experiment.result import Environment, Failure, Result, Stage
from vdbench.experiment.result_store import ResultStore
from vdbench.outcomes import ClipList, Places, pack
from vdbench.records import DatasetRecord, Provenance, Score, StudentScores
from vdbench.storage import files
from vdbench_leaderboard.build import build, check, show

MakeResult = Callable[..., Result]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def make_result(
    method: str = "random",
    top1: Sequence[float] = (0.5, 0.6),
    *,
    ipc: int | None = 1,
    seed: int = 0,
    failure: str | None = None,
    students: Sequence[str] = ("minic3d",),
    classes: int = 8,
    classes_total: int | None = None,
    dataset: str = "motion-digits",
    **changes: Any,
) -> Result:
    """A result whose every student has these accuracies; ``top1`` has one entry per evaluation seed."""
    data = DatasetRecord(
        name=dataset,
        fingerprint=files.digest(dataset, 32),
        split=1,
        classes=classes,
        class_names=tuple(f"class {label}" for label in range(classes)),
        classes_total=classes_total or classes,
        clips=classes * 40,
        clips_total=(classes_total or classes) * 40,
        train_clips=classes * 30,
        test_clips=classes * 10,
    )
    scores = tuple(
        Score(seed=network, top1=value, top5=min(1.0, value + 0.25), macro=value, train_loss=0.1)
        for network, value in enumerate(top1)
    )
    clips = classes * (30 if ipc is None else ipc)
    values: dict[str, Any] = {
        "status": "failed" if failure else "done",
        "method": method,
        "method_version": 1,
        "pool": None if method == "full" else "real",
        "settings": {},
        "suite": "quick",
        "protocol": {"frames": 8, "size": 32, "students": list(students)},
        "evaluated_on": "test",
        "dataset": data,
        "ipc": ipc,
        "seed": seed,
        "students": ()
        if failure
        else tuple(
            StudentScores(
                student=name,
                width=16,
                parameters=58312,
                scores=scores,
                train_seconds=3.0 + seed,
                test_seconds=0.5,
                peak_memory=10**8,
            )
            for name in students
        ),
        "stored_clips": 0 if failure else clips,
        "stored_bytes": 0 if failure else clips * 8 * 32 * 32 * 3,
        "stages": {"assets": Stage(seconds=1.5), "distill": Stage(seconds=0.25), "evaluate": Stage(seconds=9.0)},
        "provenance": Provenance(encoder="minic3d" if method == "herding" else None, encoder_saw="train"),
        "environment": Environment(
            vdbench="0.1.0", python="3.11.9", torch="2.13.0", device="cpu", cpus=2, platform="Linux x86_64"
        ),
        "started": datetime(2026, 1, 2, 3, 4, seed, tzinfo=UTC),
        "failure": Failure(kind=failure, stage="distill", message="it broke") if failure else None,
    } | changes
    trial = {key: values[key] for key in ("method", "method_version", "pool", "settings", "suite", "protocol")}
    identity = [trial, values["evaluated_on"], values["dataset"].model_dump(mode="json"), ipc, seed]
    return Result(id=files.digest(identity), **values)


def rescored(students: Sequence[StudentScores], **changes: Any) -> tuple[StudentScores, ...]:
    """These students with every score changed alike."""
    return tuple(
        student.model_copy(update={"scores": tuple(score.model_copy(update=changes) for score in student.scores)})
        for student in students
    )


def judged(result: Result, clips: ClipList, won: np.ndarray) -> Result:
    """The result with outcomes: ``won`` says of each network whether it has each clip right, ``(networks, clips)``."""
    students = tuple(
        student.model_copy(
            update={
                "scores": tuple(
                    score.model_copy(
                        update={
                            "top1": float(right.mean()),
                            "outcomes": pack(Places(1 * ~right, np.zeros(len(right), dtype=np.int64)), 8),
                        }
                    )
                    for score, right in zip(student.scores, won, strict=True)
                )
            }
        )
        for student in result.students
    )
    return result.model_copy(update={"students": students, "test_set": clips.fingerprint})


def store(folder: Path, results: Sequence[Result], tests: Sequence[ClipList] = ()) -> Path:
    """Write results as a run does, and the test sets that they name."""
    for result in results:
        ResultStore(folder).write(result)
    for clips in tests:
        ResultStore(folder).clip_lists.write(clips)
    return folder


SOURCES = 40


def clip_list(name: str) -> ClipList:
    """Four clips of each of 40 sources, five sources a class."""
    rows = range(4 * SOURCES)
    return ClipList(
        classes=tuple(f"class {label}" for label in range(8)),
        ids=tuple(map(str, rows)),
        labels=tuple(row // 4 % 8 for row in rows),
        groups=tuple(f"{name} {row // 4}" for row in rows),
    )


@pytest.fixture(scope="session")
def with_outcomes() -> tuple[list[Result], list[ClipList]]:
    """Random, herding, k-means and full on two data sets at two IPCs with six seeds of two networks, and outcomes.

    On ``ucf101`` methods differ from source to source, so that less holds on other clips. A third data set has three
    seeds and no outcomes.
    """
    level = {"random": 0.4, "herding": 0.5, "k-means": 0.65, "full": 0.9}
    results, tests = [], []
    for data, spread in (("motion-digits", 0.05), ("ucf101", 0.3), ("hmdb51", None)):
        clips = clip_list(data)
        for place, (method, mean) in enumerate(level.items()):
            own = np.random.default_rng([place, len(data)]).normal(0, spread or 0, SOURCES)[clips.sources]
            own -= own.mean()  # so that the levels hold on these clips
            for ipc in (1, 5) if method != "full" else (None,):
                for seed in range(6 if spread else 3):
                    rng = np.random.default_rng([place, ipc or 0, seed, len(data)])
                    won = rng.random((2, 4 * SOURCES)) < mean + 0.02 * (ipc or 0) + own + rng.normal(0, 0.02)
                    top1 = [float(right.mean()) for right in won]
                    control = method in ("random", "full")
                    bare = make_result(method, top1, ipc=ipc, seed=seed, dataset=data, control=control)
                    results.append(judged(bare, clips, won) if spread else bare)
        tests += [clips] * (spread is not None)
    return results, tests


@pytest.fixture(scope="session")
def make() -> MakeResult:
    return make_result


@pytest.fixture(scope="session")
def save() -> Callable[[Path, Sequence[Result]], Path]:
    return store


@pytest.fixture
def documents(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """``documents(results)``: what is built of them, and of them alone, in ``tmp_path / "out"``; texts by file name."""

    def built(results: Sequence[Result], tests: Sequence[ClipList] = ()) -> dict[str, str]:
        shutil.rmtree(tmp_path / "results", ignore_errors=True)
        folder, out = store(tmp_path / "results", results, tests), tmp_path / "out"
        build(folder, out)
        assert check(folder, out) == []
        return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.is_file()}

    return built


def terminal(folder: Path, width: int = 300) -> str:
    """What a terminal of this width shows of a folder of results."""
    console = Console(file=StringIO(), width=width)
    console.print(show(folder))
    return console.file.getvalue()


@pytest.fixture(scope="session")
def realistic() -> list[Result]:
    """Five methods, two data sets of which one is partial, IPC 1 and 5, three seeds, two networks; one trial failed."""
    level = {
        "random": (0.41, 0.70),
        "herding": (0.47, 0.74),
        "k-center": (0.36, 0.66),
        "k-means": (0.475, 0.765),
    }
    results = []
    for dataset, classes, total, factor in (("motion-digits", 8, 8, 1.0), ("ucf101", 7, 101, 0.8)):
        for seed in range(3):
            noise = random.Random(f"{dataset} {seed}")
            for place, ipc in enumerate((1, 5)):
                for method, means in level.items():
                    top1 = [round(factor * means[place] + noise.gauss(0, 0.015), 4) for _ in range(2)]
                    failed = "oom" if (dataset, method, ipc, seed) == ("ucf101", "k-center", 5, 1) else None
                    results.append(
                        make_result(
                            method,
                            top1,
                            ipc=ipc,
                            seed=seed,
                            failure=failed,
                            dataset=dataset,
                            classes=classes,
                            classes_total=total,
                            students=("minic3d", "cnn-gru"),
                            control=method == "random",
                        )
                    )
            top1 = [round(factor * 0.96 + noise.gauss(0, 0.01), 4) for _ in range(2)]
            shape = {"dataset": dataset, "classes": classes, "classes_total": total}
            results.append(
                make_result("full", top1, ipc=None, seed=seed, students=("minic3d", "cnn-gru"), control=True, **shape)
            )
    return results


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The browser of this machine; tests that need it are skipped, with a reason, without one."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="THE PAGE WAS NOT DRIVEN: playwright is not installed", exc_type=ImportError
    )
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"THE PAGE WAS NOT DRIVEN: there is no browser; install one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=QUIET)
        yield running
        running.close()
