"""Exported sets: names that other libraries read rightly, and what comes back."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.experiment.results import content
from tests.sets import distilled_record
from vdbench.clips.frames import Frames
from vdbench.distilled.distilled_set import DistilledSet
from vdbench.distilled.outside.loading import is_outside
from vdbench.distilled.recoding import stored_as
from vdbench.distilled.sharing.layouts import LAYOUTS, SPLIT_WORDS, Layout, class_folder
from vdbench.distilled.sharing.reading import is_export, open_set, read_export
from vdbench.distilled.sharing.writing import write
from vdbench.errors import DataError, UsageError

NAMES = ("Archery", "test_drive", "val.dev", "high/jump", "跳远", "Ünïcode", "train", 'a, "b"')
"""Classes that hold split words, dots, separators of paths and of CSV, and letters of other alphabets."""
PNG, MOVIE = Frames(None), Frames(18)


def distilled(labels: str = "hard", **changes: Any) -> DistilledSet:
    """Smooth clips of 4 frames of 20x17 pixels, one per class."""
    coarse = torch.rand(len(NAMES), 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    fine = torch.nn.functional.interpolate(coarse, size=(4, 20, 17), mode="trilinear")
    clips = (fine * 255).round().to(torch.uint8).permute(0, 2, 3, 4, 1).contiguous()
    targets = torch.softmax(3 * torch.eye(len(NAMES)), 1) if labels == "soft" else torch.arange(len(NAMES))
    record = distilled_record(classes=NAMES, labels=labels, method_version=2, settings={"a": [0.1]}, seed=3, **changes)
    return DistilledSet({"clips": clips, "targets": targets}, record)


def exported(folder: Path, layout: Layout = "hf", frames: Frames = PNG, what: DistilledSet | None = None) -> Path:
    write(what or distilled(), folder, layout, frames, lambda size: f"{size} bytes\n")
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_a_set_comes_back_from_png_as_it_was(tmp_path: Path, layout: Layout, labels: str) -> None:
    before = distilled(labels, step_size=0.01)
    folder = exported(tmp_path / "set", layout, PNG, before)
    after = open_set(folder)
    assert is_export(folder) and not is_outside(folder)
    assert after.record == before.record
    assert torch.equal(after.pixels(), before.pixels())
    assert torch.equal(after.tensors["targets"], before.tensors["targets"])
    assert torch.equal(after.render()[0], before.render()[0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_set_comes_back_from_h264_nearly(tmp_path: Path, layout: Layout) -> None:
    after = read_export(exported(tmp_path / "set", layout, MOVIE))
    assert torch.equal(after.labels(), distilled().labels())
    assert (after.pixels().int() - distilled().pixels().int()).abs().float().mean() < 3


def test_a_set_of_floats_or_of_a_stream_is_exported_as_pixels(tmp_path: Path) -> None:
    from vdbench.clips.codecs import parse_codec

    for codec in ("float16", "h264:20"):
        kept = stored_as(distilled(), parse_codec(codec), None)
        after = read_export(exported(tmp_path / codec[:5], what=kept))
        assert torch.equal(after.pixels(), kept.pixels())
        assert (after.record.form, after.record.codec) == ("clips", None)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("frames", [PNG, MOVIE], ids=str)
def test_equal_sets_give_equal_bytes(tmp_path: Path, layout: Layout, frames: Frames) -> None:
    first, second = (exported(tmp_path / name, layout, frames) for name in ("a", "b"))
    assert content(first) == content(second)


def test_no_name_holds_a_split_word_or_a_dot_but_that_of_its_ending(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        below = exported(tmp_path / layout, layout, MOVIE)
        for path in (below / ("train" if layout == "hf" else ".")).rglob("*.mp4"):
            parts = path.relative_to(below / ("train" if layout == "hf" else ".")).parts
            assert not SPLIT_WORDS & {word for part in parts for word in re.findall("[a-z]+", part.lower())}
            assert "".join(parts).count(".") == 1
            assert "".join(parts).isascii()


def test_folders_are_called_by_number_and_harmless_name() -> None:
    assert [class_folder(label, name, len(NAMES)) for label, name in enumerate(NAMES)] == [
        "000-archery", "001", "002", "003-high-jump", "004", "005-unicode", "006", "007-a-b",
    ]  # fmt: skip
    assert class_folder(5, "Contest", 2000) == "0005-contest"


def test_the_table_lies_in_the_split_and_spells_classes_as_they_are(tmp_path: Path) -> None:
    folder = exported(tmp_path / "set", "hf", MOVIE, distilled("soft"))
    with (folder / "train" / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(NAMES)
    assert [int(row["label"]) for row in rows] == list(range(len(NAMES)))
    assert all((folder / "train" / row["file_name"]).is_file() for row in rows)
    np.testing.assert_array_equal(
        np.array([json.loads(row["probabilities"]) for row in rows], dtype=np.float32),
        distilled("soft").tensors["targets"].numpy(),
    )


def test_archives_hold_no_time_and_no_user(tmp_path: Path) -> None:
    with tarfile.open(exported(tmp_path / "set", "webdataset", MOVIE) / "train-000000.tar") as archive:
        members = archive.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
        assert [m.name for m in members][:4] == ["00000.mp4", "00000.cls", "00000.json", "00001.mp4"]
        told = archive.extractfile("00001.json")
        assert told is not None and json.load(told) == {"label": 1, "class": "test_drive"}


def test_many_clips_are_split_into_archives_and_come_back_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vdbench.distilled.sharing.layouts.PER_SHARD", 3)
    folder = exported(tmp_path / "set", "webdataset")
    assert sorted(path.name for path in folder.glob("*.tar")) == [f"train-00000{i}.tar" for i in range(3)]
    assert torch.equal(read_export(folder).pixels(), distilled().pixels())


def test_the_card_is_told_the_bytes_of_all_clips(tmp_path: Path) -> None:
    folder = exported(tmp_path / "set")
    size = sum(map(len, content(folder / "train").values()))
    assert (folder / "README.md").read_text() == f"{size} bytes\n"


def test_an_empty_folder_is_filled_and_the_working_folder_may_be_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert is_export(exported(Path("empty")))
    monkeypatch.chdir(exported(tmp_path / "other"))
    with pytest.raises(UsageError, match="already; name a new folder"):
        exported(Path())


def test_nothing_is_written_over_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="something in .*full already; name a new folder with --out"):
        exported(tmp_path / "full")
    small = DistilledSet({"clips": distilled().pixels()[:, :, :8, :8], "targets": torch.arange(8)}, distilled().record)
    with pytest.raises(UsageError, match="too small"):
        exported(tmp_path / "new", frames=MOVIE, what=small)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_was_damaged_or_lost_is_named(tmp_path: Path, layout: Layout) -> None:
    folder = exported(tmp_path / "set", layout, MOVIE)
    victim = sorted(folder.rglob("*.tar" if layout == "webdataset" else "*.mp4"))[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError, match=f"{victim.name} is not the file that was exported"):
        read_export(folder)
    victim.unlink()
    with pytest.raises(DataError, match=f"{victim.name} is missing; export the set again"):
        read_export(folder)


@pytest.mark.parametrize("change", [{"format": 2}, {"frames": "gif"}, {"set": {}}, {"layout": "other"}, {"sha256": 3}])
def test_a_record_that_is_none_is_one_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = exported(tmp_path / "set")
    record = json.loads((folder / "vdbench.json").read_text())
    (folder / "vdbench.json").write_text(json.dumps(record | change))
    with pytest.raises(DataError, match="export it again|later vdbench|can be read"):
        read_export(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (",0,", f",{'9' * 400},"),
        (",0,", ",inf,"),
        (",0,", f",{'x' * 200_000},"),
        (",0,", f",{2**62},"),
        ("clip,", "other,"),
        ("file_name", '"file_name'),
        ("000-", f"{'9' * 400}-"),
    ],
)
def test_a_table_that_was_made_to_fit_its_digest_is_one_sentence(tmp_path: Path, old: str, new: str) -> None:
    folder = exported(tmp_path / "set", "folder")
    table, record = folder / "metadata.csv", json.loads((folder / "vdbench.json").read_text())
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new))
    record["sha256"]["metadata.csv"] = hashlib.sha256(table.read_bytes()).hexdigest()
    (folder / "vdbench.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="is no exported set that can be read: .*; export it again"):
        read_export(folder)


LOAD = """
import datasets, json, sys
loaded = datasets.load_dataset("videofolder", data_dir=sys.argv[1], cache_dir=sys.argv[2])
rows = loaded["train"].select_columns(["label", "class"])
print(json.dumps([list(loaded), sorted([row["label"], row["class"]] for row in rows)]))
"""


@pytest.mark.parametrize("layout", ["folder", "hf"])
def test_the_library_datasets_reads_every_class(tmp_path: Path, layout: Layout) -> None:
    """In a process of its own, where ``datasets`` is the library and not the folder of tests."""
    try:
        metadata.version("datasets")
    except metadata.PackageNotFoundError:
        pytest.skip("nox -s hub installs the library datasets")
    folder = exported(tmp_path / "test" / "set", layout, MOVIE)
    command = [sys.executable, "-c", LOAD, str(folder), str(tmp_path / "cache")]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [["train"], [list(pair) for pair in enumerate(NAMES)]]


def test_webdataset_reads_every_sample(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="nox -s hub installs it")
    archive = exported(tmp_path / "set", "webdataset") / "train-000000.tar"
    samples = list(webdataset.WebDataset(str(archive), shardshuffle=False).decode("rgb8"))
    assert [(sample["cls"], sample["json"]["class"]) for sample in samples] == list(enumerate(NAMES))
    np.testing.assert_array_equal(samples[1]["03.png"], distilled().pixels()[1, 3].numpy())
