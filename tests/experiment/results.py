"""Results that keep every rule of the suite `quick`, and their test set."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from vdbench.datasets.spec import load_dataset
from vdbench.experiment.result import Environment, Failure, Result, Stage, Verification
from vdbench.experiment.rules import Finding
from vdbench.experiment.suite import load_suite
from vdbench.outcomes import ClipList, Places, pack
from vdbench.records import DatasetRecord, Provenance, Score, StudentScores
from vdbench.storage import files

START = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Environment(vdbench="0.1.0", python="3.11", torch="2.5", device="a processor", cpus=2, platform="Linux x86_64")
DIGITS = DatasetRecord(
    name="motion-digits", fingerprint="f" * 16, split=1, classes=8, class_names=tuple("abcdefgh"), classes_total=8,
    clips=640, clips_total=640, train_clips=326, test_clips=240,
)  # fmt: skip
CLIPS = ClipList(
    classes=DIGITS.class_names,
    ids=tuple(f"{row}.mp4" for row in range(240)),
    labels=tuple(row // 30 for row in range(240)),
    groups=tuple(f"video {row // 5}" for row in range(240)),
)
"""Their test set: 30 clips of each class, five of each video."""
OWN = DIGITS.model_copy(update={"name": "lab"})


def scores(seed: int, top1: float = 0.5) -> StudentScores:
    """A network that hits about such a share of each class, and gives half of the other clips rank 6."""
    hits = round(30 * top1)
    ahead = np.tile([0] * hits + [1, 5] * 15, (8, 1))[:, :30].ravel()
    places = Places(ahead, np.zeros_like(ahead))
    share = hits / 30
    return StudentScores(
        student="minic3d", width=16, parameters=10, train_seconds=1, test_seconds=1, peak_memory=1,
        scores=(Score(seed=1000 * seed, top1=share, top5=float(places.won(5).mean()), macro=share, train_loss=0.1,
                      outcomes=pack(places, 8)),),
        confusion=tuple((label, (label + miss) % 8, count) for label in range(8)
                        for miss, count in enumerate((hits, 30 - hits)) if count),
    )  # fmt: skip


def bare(full: Result) -> Result:
    """The result as an earlier version kept it, without outcomes per clip."""
    students = tuple(
        student.model_copy(update={"scores": tuple(s.model_copy(update={"outcomes": None}) for s in student.scores)})
        for student in full.students
    )
    return full.model_copy(update={"students": students, "test_set": None})


def result(method: str = "random", seed: int = 0, top1: float = 0.5, **changes: Any) -> Result:
    """A finished result that keeps every rule of the suite ``quick``."""
    protocol = load_suite("quick").protocol.on(load_dataset("motion-digits"))
    value = Result(
        id=files.digest([method, seed]), status="done", method=method, method_version=1, pool="real", settings={},
        suite="quick", protocol=protocol.model_dump(mode="json"), evaluated_on="test", dataset=DIGITS,
        ipc=None if method == "full" else 1, seed=seed, students=(scores(seed, top1),), stored_clips=8, stored_bytes=80,
        test_set=CLIPS.fingerprint,
        artefact="0" * 63 + str(seed), distilled="d" * 16, provenance=Provenance(), environment=HERE, started=START,
        stages={"distill": Stage(seconds=1), "evaluate": Stage(seconds=1)},
    )  # fmt: skip
    return value.model_copy(update=changes)


def failed(method: str = "random", seed: int = 0, message: str = "no memory") -> Result:
    failure = Failure(kind="oom", stage="distill", message=message)
    return result(
        method,
        seed,
        status="failed",
        failure=failure,
        students=(),
        test_set=None,
        artefact=None,
        distilled=None,
        provenance=None,
        stored_clips=0,
    )


def mark(difference: float = 0.0) -> Verification:
    return Verification(environment=HERE, when=START, difference=difference)


def complete() -> list[Result]:
    """A submission about which there is nothing to say."""
    return [result(method, seed) for method in ("random", "full") for seed in range(3)]


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(found: Sequence[Finding], fault: bool) -> list[str]:
    return [finding.what for finding in found if finding.fault == fault]
