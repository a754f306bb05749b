"""Results, test sets, artefacts, manifests, views and digests like valid ones: only our own errors come out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import ODD, bytes_like, fuzz, fuzz_file, json_like, values_like
from tests.sets import distilled_record
from tests.worlds import ucf_world
from vdbench.api.tables import frame_of
from vdbench.clips.frames import parse_frames
from vdbench.clips.pool import open_pool, write_pool
from vdbench.clips.rows import CLIPS, MANIFEST
from vdbench.datasets.prepare import prepare
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import open_view
from vdbench.distilled import DistilledSet
from vdbench.distilled.distilled_set import RECORD, TENSORS
from vdbench.distilled.sharing.reading import open_set
from vdbench.distilled.sharing.writing import write
from vdbench.distilled.soundness import faults
from vdbench.experiment.past import past_trials
from vdbench.experiment.repeat import repeat_command
from vdbench.experiment.result_store import read_result
from vdbench.experiment.rules import findings
from vdbench.experiment.test_sets import ClipLists
from vdbench.outcomes import ClipList
from vdbench.records import PoolRecord, Provenance
from vdbench.storage import digests, files
from vdbench.testing import tiny_clips
from vdbench.work.checkpoints import Checkpoint
from vdbench_leaderboard.build import show

RESULT = sorted((Path(__file__).parents[2] / "leaderboard" / "results").glob("*.json"))[0]
AS_WRITTEN = repr(ODD)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    root = tmp_path_factory.mktemp("fuzz")
    world = ucf_world(root / "world", classes=2, groups=3, clips=1)
    return prepare(world.spec, world.root, root / "home", workers=1)


def distilled() -> DistilledSet:
    record = distilled_record(settings={"lr": 1.0}, provenance=Provenance(clip_ids=("x", "y")), step_size=0.1)
    clips = torch.arange(2 * 2 * 8 * 8 * 3).reshape(2, 2, 8, 8, 3).to(torch.uint8)
    return DistilledSet({"clips": clips, "targets": torch.tensor([0, 1])}, record)


def test_results(tmp_path: Path) -> None:
    def feed(content: bytes) -> None:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        path = tmp_path / RESULT.name
        path.write_bytes(content)
        list(findings([tmp_path]))
        result = read_result(path, others=True)
        frame_of([result])
        past_trials([result])
        show(tmp_path)
        repeat_command([result])

    fuzz(json_like(RESULT.read_bytes()), feed)


def test_test_sets(tmp_path: Path) -> None:
    clips = ClipList(classes=("a", "b"), ids=("1", "2", "3"), labels=(0, 1, 1), groups=("x", "y", "y"))
    lists = ClipLists(tmp_path)
    lists.write(clips)
    fuzz_file(lists.path(clips.fingerprint), lambda: lists.read(clips.fingerprint))


def use(made: DistilledSet) -> None:
    list(faults(made, tiny_clips(), 1))
    repr(made)
    if len(made):
        made.render()
        made._repr_html_()


@pytest.mark.parametrize("file", [RECORD, TENSORS])
def test_distilled_sets(tmp_path: Path, file: str) -> None:
    distilled().save(tmp_path / "set")

    def read() -> None:
        if file == TENSORS:
            record = json.loads((tmp_path / "set" / RECORD).read_bytes())
            record["tensors_sha256"] = files.file_sha256(tmp_path / "set" / TENSORS)
            files.write_json(tmp_path / "set" / RECORD, record)
        use(DistilledSet.load(tmp_path / "set"))

    fuzz_file(tmp_path / "set" / file, read)


@pytest.mark.parametrize(("layout", "file"), [("folder", "vdbench.json"), ("folder", "metadata.csv"),
                                              ("webdataset", "train-000000.tar")])  # fmt: skip
def test_exported_sets(tmp_path: Path, layout: str, file: str) -> None:
    write(distilled(), tmp_path / "set", layout, parse_frames("png"), lambda size: "")  # type: ignore[arg-type]

    def read() -> None:
        if file != "vdbench.json":
            described = json.loads((tmp_path / "set" / "vdbench.json").read_bytes())
            described["sha256"][file] = files.file_sha256(tmp_path / "set" / file)
            files.write_json(tmp_path / "set" / "vdbench.json", described)
        use(open_set(tmp_path / "set"))

    fuzz_file(tmp_path / "set" / file, read)


@pytest.mark.parametrize("file", [MANIFEST, CLIPS, digests.DIGESTS])
def test_clip_stores(store: ClipStore, tmp_path: Path, file: str) -> None:
    folder = shutil.copytree(store.folder, tmp_path / store.folder.name)
    if file != digests.DIGESTS:
        (folder / digests.DIGESTS).unlink()

    def read() -> None:
        opened = ClipStore.open(folder)
        np.asarray(opened.clips[:1])
        opened.changed(opened.manifest.clips)
        open_view(opened, tmp_path / "home")

    fuzz_file(folder / file, read)


@pytest.mark.parametrize("resealed", [True, False])
@pytest.mark.parametrize("file", ["labels.json", CLIPS])
def test_views(store: ClipStore, tmp_path: Path, file: str, resealed: bool) -> None:
    folder = tmp_path / "views" / open_view(store, tmp_path).facts.fingerprint
    valid = (folder / "train" / file).read_bytes()

    def feed(content: bytes) -> None:
        open_view(store, tmp_path)
        (folder / "train" / file).write_bytes(content)
        if resealed:
            files.write_json(folder / digests.DIGESTS, digests.describe(folder))
        else:
            (folder / digests.DIGESTS).unlink()
        try:
            open_view(store, tmp_path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    fuzz(json_like(valid) if file == "labels.json" else bytes_like(valid), feed)


@pytest.mark.parametrize("file", [MANIFEST, CLIPS])
def test_pools(tmp_path: Path, file: str) -> None:
    record = PoolRecord(generator="g", weights="w", saw="x", per_class=1, scheduler="s", steps=1, guidance=1, seed=0)
    like = tiny_clips()
    write_pool(tmp_path, [(name, like.clips[:1]) for name in like.classes], like, record)

    def read() -> None:
        pool = open_pool(tmp_path).clips
        pool.counts()
        np.asarray(pool.clips[-1:])

    fuzz_file(tmp_path / file, read)


def test_checkpoints(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.keep({"step": torch.tensor(3), "weight": torch.ones(2, 2)})
    valid = (tmp_path / "state.safetensors").read_bytes()

    def feed(content: bytes) -> None:
        (tmp_path / "state.safetensors").write_bytes(content)
        checkpoint.last()

    fuzz(bytes_like(valid) | st.binary(max_size=50), feed)


@settings(derandomize=True, max_examples=500, database=None)
@given(values_like({"a": {"b": [1, {"c": {}}]}}))
def test_changes_of_a_document_leave_the_odd_values_as_they_are(value: object) -> None:
    assert repr(ODD) == AS_WRITTEN
