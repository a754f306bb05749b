"""How long a leaderboard of thousands of results takes, and how large its page gets.

Run it with ``python benchmarks/speed/leaderboard.py``; ``--students 4`` makes four times as many cells.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from vdbench.experiment.result import Environment, Result, Source, Stage
from vdbench.experiment.result_store import ResultStore
from vdbench.experiment.suite import load_suite
from vdbench.records import DatasetRecord, Provenance, Score, StudentScores
from vdbench.storage import files
from vdbench_leaderboard.build import build, check

SUITES = ("clean", "quick", "small", "vdsd")
DATASETS = {"hmdb51": 51, "miniucf": 50, "motion-digits": 8, "ucf101": 101}
METHODS = (
    "dm",
    "frepo",
    "greedy-reward",
    "herding",
    "k-center",
    "k-means",
    "mtt",
    "random",
    "tac-dt",
    "vdsd",
    "vst-unet",
)
LEARNED = {"dm", "frepo", "mtt", "vdsd"}
STUDENTS = ("minic3d", "cnn-gru", "r2plus1d", "video-vit")
IPCS, SEEDS = (1, 5, 10, 50), 5
GUESSES = 6
"""Wrong classes that each class is taken for."""
MOST = {1: 4_000_000, 2: 6_000_000, 3: 8_000_000, 4: 10_000_000}
"""Bytes that a page may have, by students."""


def results(count: int, students: int) -> Iterator[Result]:
    """Results of every method on every data set under every suite, until there are enough."""
    pools = [(method, None if method in LEARNED else "real") for method in METHODS]
    pools += [(method, "generated") for method in METHODS if method not in LEARNED]
    places = product(SUITES, DATASETS, [*product(pools, IPCS), (("full", "real"), None)], range(SEEDS))
    for made, (suite, dataset, ((method, pool), ipc), seed) in enumerate(places):
        if made == count:
            return
        yield result(suite, dataset, method, pool, ipc, seed, students)


def result(
    suite: str, dataset: str, method: str, pool: str | None, ipc: int | None, seed: int, students: int
) -> Result:  # noqa: PLR0913
    """One of them, with chance in its scores."""
    classes = DATASETS[dataset]
    level = 0.95 if ipc is None else 0.15 + 0.04 * METHODS.index(method) + 0.06 * math.log(ipc)
    noise = random.Random(f"{suite} {dataset} {method} {pool} {ipc} {seed}")
    identity = [suite, dataset, method, pool, ipc, seed]
    record = DatasetRecord(
        name=dataset, fingerprint=dataset, split=1, classes=classes, classes_total=classes, clips=classes * 100,
        class_names=tuple(f"class {label}" for label in range(classes)), clips_total=classes * 100,
        train_clips=classes * 70, test_clips=classes * 30,
    )  # fmt: skip
    clips = classes * (ipc or 70)
    return Result(
        id=files.digest(identity), status="done", method=method, method_version=1, pool=pool,
        source=Source(title=method, paper="a paper", bibtex="@article{x}"), control=method == "random",
        settings={"pool": pool} if pool else {"lr": 1.0}, suite=suite,
        protocol=load_suite(suite).protocol.model_dump(mode="json"), evaluated_on="test", dataset=record, ipc=ipc,
        seed=seed, students=tuple(scores(name, classes, level, noise) for name in STUDENTS[:students]),
        stored_clips=clips, stored_bytes=clips * 602_112, artefact=files.digest(identity, 64),
        curves={"loss": tuple((10 * step, 1 / (1 + step)) for step in range(40))} if method in LEARNED else {},
        stages={"assets": Stage(seconds=10), "distill": Stage(seconds=level * 100), "evaluate": Stage(seconds=60)},
        provenance=Provenance(pool=pool or "learned", encoder="minic3d", encoder_saw="train"),  # type: ignore[arg-type]
        environment=Environment(vdbench="0", python="3", torch="2", device="a", cpus=2, platform="b"),
        started=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def scores(name: str, classes: int, level: float, noise: random.Random) -> StudentScores:
    """What one student made of one set."""
    top1 = min(max(level + noise.gauss(0, 0.02), 0), 1)
    right = [(label, label, round(30 * top1)) for label in range(classes)]
    wrong = [(label, (label + turn) % classes, 2) for label in range(classes) for turn in range(1, GUESSES)]
    score: dict[str, Any] = {
        "top1": top1,
        "top5": min(1, top1 + 0.2),
        "macro": top1,
        "shuffled": top1 / 2,
        "still": top1 / 3,
    }
    return StudentScores(
        student=name, width=16, parameters=1000, scores=(Score(seed=0, train_loss=0.1, **score),),
        confusion=tuple(sorted([*right, *wrong])), train_seconds=30, test_seconds=1, peak_memory=1,
    )  # fmt: skip


def main() -> None:
    """Make results, build, build again to compare, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=5000)
    parser.add_argument("--students", type=int, default=1, choices=range(1, len(STUDENTS) + 1))
    parser.add_argument("--out", type=Path, help="keep the leaderboard here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = ResultStore(Path(folder) / "results")
        for made in results(options.results, options.students):
            store.write(made)
        out = options.out or Path(folder) / "out"
        started = time.process_time()
        build(store.folder, out)
        seconds = time.process_time() - started
        assert check(store.folder, out) == [], "the same results gave other bytes"
        page, drawn = (out / "index.html").stat().st_size, len(list((out / "plots").iterdir()))
    print("| results | students | seconds | page | plots |\n|---|---|---|---|---|")
    print(f"| {options.results:,} | {options.students} | {seconds:.1f} | {page / 1e6:.2f} MB | {drawn} |")
    assert page < MOST[options.students], "the page is too large"


if __name__ == "__main__":
    main()
