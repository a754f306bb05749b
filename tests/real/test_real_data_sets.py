"""The real clips of UCF101 and HMDB51, where there are any."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from vdbench.datasets.layouts import read_index
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.readers import READERS, read_frames
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.view import open_view
from vdbench.errors import DataError

DATA = Path(os.environ.get("VDBENCH_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (DATA / "ucf101").is_dir(), reason=f"NO REAL CLIPS in {DATA}: set VDBENCH_TEST_DATA"),
]


@pytest.mark.parametrize("name", ["ucf101", "miniucf", "hmdb51"])
def test_the_official_files_name_the_published_counts(name):
    spec = load_dataset(name)
    index = read_index(spec, DATA)
    assert len(index.classes) == spec.classes
    for split, size in spec.expected.items():
        assert (index.named(split, "train"), index.named(split, "test")) == (size.train, size.test)
        sides = {}
        for entry in index.entries:
            if name != "hmdb51" and split in entry.roles:
                assert sides.setdefault(entry.group, entry.roles[split]) == entry.roles[split]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "classes"), [("ucf101", 7), ("hmdb51", 10)])
def test_the_real_clips_are_prepared_in_part(tmp_path, name, classes):
    spec = load_dataset(name)
    with pytest.raises(DataError, match=f"{name} is not complete: .* clips are missing"):
        prepare(spec, DATA, tmp_path)
    store = prepare(spec, DATA, tmp_path, partial=True, geometry=spec.geometry.at(8, 32))
    statuses = {clip.decode.status for clip in store.manifest.clips}
    assert statuses <= {"ok", "padded", "missing"} and store.manifest.partial
    for split in spec.splits:
        view = open_view(store, tmp_path, split=split, frames=8, size=32, validation=0.2)
        assert view.facts.classes == classes if split == 1 else 5 <= view.facts.classes <= classes
        assert view.facts.partial
        assert not set(view.train.groups) & set(view.validation.groups)
        assert min(view.train.counts()) > 0 and min(view.validation.counts()) > 0
    assert verify(store, DATA) == []
    if name == "hmdb51":
        assert len(store.manifest.unlisted) == 17


@pytest.mark.parametrize("pattern", ["ucf101-original/UCF-101/*/*.avi", "ucf101/UCF-101/*/*_g01_c01.avi"])
def test_both_readers_give_the_same_clip_of_real_files(pattern):
    geometry = load_dataset("ucf101").geometry
    paths = sorted(DATA.glob(pattern))[::3]
    assert paths
    for path in paths:
        (one, facts), (two, other) = (read_frames(path, geometry, reader) for reader in READERS.names())
        assert facts.reader == "decord" and replace(facts, reader="pyav") == other
        assert facts.frames == facts.header_frames
        assert abs(one.astype(int) - two).max() <= 1
