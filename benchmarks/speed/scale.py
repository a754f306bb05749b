"""How time and memory of every stage before the networks grow with the clips of a data set.

Run it with ``python benchmarks/speed/scale.py``. It makes a sparse clip store of so many clips, whose pixels are all
zero and take no disk, and goes through everything that reads a data set as a whole. Each size runs in a process of its
own; the exponent is the slope of processor seconds over clips, both as logarithms. Below stands what Python holds of
each clip once a stage is done. Results are asserted, times are not.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist

from vdbench.clips.rows import CLIPS, MANIFEST, allocate_rows
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.layouts.index import Index, IndexBuilder
from vdbench.datasets.manifest import Decode, Manifest, StoredClip, seal
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore, store_folder
from vdbench.datasets.view import open_view
from vdbench.experiment.home import Home
from vdbench.experiment.plan import Request, make_plan
from vdbench.experiment.suite import load_suite
from vdbench.experiment.trial import Means
from vdbench.registry import Registry
from vdbench.storage import digests, documents, files
from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter

CLASSES, SIDE, TEST = 20, 8, 12
"""Classes; pixels of a side; one in so many clips is for testing."""
METHODS, IPCS = ("herding", "k-center", "k-means"), (1, 5, 10, 20)
DIM, PICKS = 512, 50

Row = tuple[str, float, float]
"""A stage, its processor seconds, and by how many MiB the process grew meanwhile, at most."""


class Clock:
    """Measures stages.

    Attributes:
        rows: what was measured.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block."""
        Path("/proc/self/clear_refs").write_text("5")
        before, started = _status("VmRSS"), time.process_time()
        yield
        self.rows.append((name, time.process_time() - started, _status("VmHWM") - before))


def _status(field: str) -> float:
    """A number of ``/proc/self/status``, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{field}:")).split()[1]) / 1024


def manifest_of(count: int) -> Manifest:
    """What a store says of so many clips that were all decoded well."""
    geometry = Geometry(frames=1, sampling="even", resize=(SIDE, SIDE), size=SIDE)
    names = tuple(f"class {label}" for label in range(CLASSES))
    spec = load_dataset("kinetics400").model_copy(update={"classes": CLASSES, "expected": {}, "geometry": geometry})
    zeros = hashlib.sha256(bytes(3 * SIDE**2)).hexdigest()
    clips = []
    for row in range(count):
        video = hashlib.sha256(row.to_bytes(8, "big")).hexdigest()
        decode = Decode(
            status="ok", sha256=video, pixels=zeros, frames=250, header_frames=250, fps=25, width=340, height=256
        )
        role = "test" if row // CLASSES % TEST == 0 else "train"
        place = {"class_name": names[row % CLASSES], "group": f"group {row // 3}", "roles": {1: role}, "row": row}
        clips.append(StoredClip(id=f"clip {row:07}", decode=decode, **place))
    return seal(
        Manifest(
            spec=spec, geometry=geometry, reader="decord", reader_version="1", request="", fingerprint="",
            classes=names, clips=tuple(clips), unlisted=(), partial=False,
        )
    )  # fmt: skip


def sparse_store(home: Path, manifest: Manifest) -> Path:
    """Write a store whose rows are zeros that take no disk."""
    folder = store_folder(home, manifest.spec, manifest.geometry, manifest.reader)
    folder.mkdir(parents=True)
    allocate_rows(folder / CLIPS, (len(manifest.clips), 1, SIDE, SIDE, 3))
    files.write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    files.write_json(folder / digests.DIGESTS, digests.describe(folder, [MANIFEST]))
    return folder


def index_of(count: int) -> Index:
    """So many clips, gathered line by line as from split files, each with a video."""
    names = [f"clip {row:07}" for row in range(count)]
    spec = load_dataset("kinetics400")
    builder = IndexBuilder(spec, {name: Path("videos", name) for name in names})
    for row, name in enumerate(names):
        builder.add(name, f"class {row % CLASSES}", f"group {row // 3}", 1, "train", "a file")
    return builder.build([f"class {label}" for label in range(CLASSES)])


def held(count: int, make: Callable[[], object]) -> float:
    """Bytes of memory that a value holds of each of so many clips, as Python counts them."""
    tracemalloc.start()
    try:
        value = make()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        del value
        return size / count
    finally:
        tracemalloc.stop()


def stages(count: int, trials: int, home: Path) -> tuple[list[Row], dict[str, float]]:
    """Go through all stages once, and then see what is held of each clip."""
    Registry(), cdist(np.zeros((1, 1)), np.zeros((1, 1)))  # imports are no part of a stage
    clock = Clock()
    with clock.stage("index"):
        assert len(index_of(count).entries) == count
    manifest = manifest_of(count)
    with clock.stage("fingerprint"):
        assert seal(manifest) == manifest
    folder, fingerprint = sparse_store(home, manifest), manifest.fingerprint
    del manifest
    with clock.stage("manifest check"):
        store = ClipStore.open(folder)
    with clock.stage("manifest check again"):
        assert ClipStore.open(folder).manifest is store.manifest
    assert store.manifest.fingerprint == fingerprint
    (home / "views").mkdir()
    with clock.stage("view"):
        view = open_view(store, home, frames=1, size=SIDE, validation=0.15)
    facts = view.facts
    assert facts.clips == facts.clips_total == count
    assert facts.train_clips == len(view.train) > len(view.validation) > 0
    suite = load_suite("quick", {"frames": 1, "size": SIDE})
    seeds = range(math.ceil((trials - len(METHODS)) / (len(IPCS) * (len(METHODS) + 1) + 1)))
    request = Request(suite, METHODS, [store], IPCS, seeds, Means("cpu"))
    with clock.stage(f"plan of {trials:,} trials"):
        plan = make_plan(request, Home(home))
    assert len(plan.jobs) == len(plan.pending) == len(seeds) * (len(IPCS) * (len(METHODS) + 1) + 1)
    anew = home / "anew"
    (anew / "views").mkdir(parents=True)
    memory = {
        "manifest": held(count, lambda: documents.load(Manifest, folder / MANIFEST, documents.LISTING)),
        "view": held(count, lambda: open_view(store, anew, frames=1, size=SIDE, validation=0.15)),
    }
    return [*clock.rows, *selecting(count)], memory


def selecting(count: int) -> Iterator[Row]:
    """Both greedy selectors on features of one class, and one pass over these features in double precision."""
    features = np.random.default_rng(0).standard_normal((count, DIM), dtype=np.float32)
    rng, clock = np.random.default_rng(0), Clock()
    exact = features.astype(np.float64)
    with clock.stage(f"{PICKS} passes over memory"):
        for _ in range(PICKS):
            exact.sum()
    nearest = int(np.square(exact - exact.mean(axis=0)).sum(axis=1).argmin())
    del exact
    for method in (Herding(), KCenter()):
        with clock.stage(f"{method.name}, {PICKS} picks"):
            chosen = method.select(features, PICKS, rng, None)  # type: ignore[arg-type]
        assert len(set(chosen)) == PICKS
        assert chosen[0] == nearest
    yield from clock.rows


def exponent(counts: list[int], values: list[float]) -> float:
    """The slope of values over counts, both as logarithms."""
    return float(np.polyfit(np.log(counts), np.log(np.maximum(values, 1e-3)), 1)[0])


def main() -> None:
    """Measure every size in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--trials", type=int, default=1_000, help="of the plan")
    parser.add_argument("--one", action="store_true", help="measure the first size here, and print JSON")
    asked = parser.parse_args()
    if asked.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(stages(asked.clips[0], asked.trials, Path(folder))))
        return
    found: list[list[Row]] = []
    memory: list[dict[str, float]] = []
    for count in asked.clips:
        words = [sys.executable, __file__, "--one", f"--clips={count}", f"--trials={asked.trials}"]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(ended.stderr)
        rows, kept = json.loads(ended.stdout.splitlines()[-1])
        found.append(rows)
        memory.append(kept)
    heads = [f"{count:,} clips" for count in asked.clips]
    print(f"| stage | {' | '.join(heads)} | exponent |\n|---|{'---|' * (len(heads) + 1)}")
    for same in zip(*found, strict=True):
        values = [f"{seconds:.2f} s, {mib:.0f} MiB" for _, seconds, mib in same]
        slope = f"{exponent(asked.clips, [row[1] for row in same]):.2f}" if len(same) > 1 else ""
        print(f"| {same[0][0]} | {' | '.join(values)} | {slope} |")
    for name in memory[0]:
        values = [f"{kept[name]:.0f} B a clip" for kept in memory]
        print(f"| memory that a {name} holds | {' | '.join(values)} | |")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nprocessor seconds, and growth of the process at most; the largest process took {children:.0f} MiB")


if __name__ == "__main__":
    main()
