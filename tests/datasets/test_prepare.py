"""Preparing a data set: every clip in its row, and what stops it, after which it goes on."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

import worlds
from tests.datasets.conftest import contents
from vdbench.datasets.draft import JOURNAL
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.readers import READERS, read_frames
from vdbench.datasets.store import store_folder
from vdbench.errors import DataError, UsageError


@pytest.mark.parametrize("reader", READERS.names())
def test_every_row_is_the_clip_that_the_manifest_names(world, home, reader):
    store = prepare(world.spec, world.root, home, workers=1, reader=reader)
    manifest = store.manifest
    assert [clip.id for clip in manifest.clips] == sorted(clip.id for clip in manifest.clips)
    assert [clip.row for clip in manifest.clips] == list(range(8))
    assert not manifest.partial and not manifest.faults()
    for clip in manifest.clips:
        pixels, facts = read_frames(world.videos / clip.id, worlds.SMALL, reader)
        assert np.array_equal(store.clips[clip.row], pixels)
        assert (clip.decode.frames, clip.decode.fps) == (facts.frames, facts.fps) == (20, 25.0)
        assert clip.decode.sha256 == hashlib.sha256((world.videos / clip.id).read_bytes()).hexdigest()
    assert str(world.root) not in (store.folder / "manifest.json").read_text()


@pytest.mark.parametrize("make", [worlds.hmdb_world, worlds.kinetics_world, worlds.ssv2_world])
def test_every_layout_goes_through(tmp_path, home, make):
    world = make(tmp_path / "data", classes=2)
    store = prepare(world.spec, world.root, home, workers=1)
    assert {clip.decode.status for clip in store.manifest.clips} == {"ok"}
    assert not store.manifest.partial
    assert store.clips.shape[1:] == (8, 32, 32, 3)
    assert verify(store, world.root) == []


def test_the_number_of_workers_does_not_change_a_byte(world, home, tmp_path):
    worlds.damage(world.files()[3])
    one = prepare(world.spec, world.root, home, workers=1)
    two = prepare(world.spec, world.root, tmp_path / "other", workers=2)
    assert contents(one.folder) == contents(two.folder)
    assert set(contents(one.folder)) == {"clips.npy", "manifest.json", "digests.json"}
    assert one.manifest.fingerprint == two.manifest.fingerprint


def test_a_finished_store_is_found_again_and_another_request_makes_it_anew(world, home):
    store = prepare(world.spec, world.root, home, workers=1)
    before = contents(store.folder)
    calls = []
    again = prepare(world.spec, world.root, home, on_progress=lambda done, total: calls.append(done))
    assert not calls and contents(again.folder) == before
    worlds.write_video(world.files()[0], worlds.clip(0, 77, frames=31), "mpeg4")
    changed = prepare(world.spec, world.root, home, workers=1)
    assert changed.manifest.clips[0].decode.frames == 31
    assert changed.manifest.fingerprint != store.manifest.fingerprint
    assert sorted(path.name for path in changed.folder.parent.iterdir() if path.suffix != ".lock") == [
        store.folder.name
    ]


def test_progress_counts_to_the_end(world, home):
    calls = []
    prepare(world.spec, world.root, home, workers=2, on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 8) for done in range(9)]


def test_a_disk_that_is_too_small_is_told_beforehand(world, home, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 2**20))
    with pytest.raises(
        DataError, match=r"needs 64\.\d MiB, of which 64\.0 MiB stay free, but only 1\.0 MiB are .*--home"
    ):
        prepare(world.spec, world.root, home)


def test_a_home_that_cannot_be_written_is_one_sentence(world, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"the disk refuses .*file.* --home$"):
        prepare(world.spec, world.root, tmp_path / "file" / "home", workers=1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_ends_in_one_sentence_and_loses_nothing(world, home):
    def fill(done, total):
        path = next((home / "stores").glob(".*.draft")) / "clips.npy"
        if done == 0:
            path.rename(path.with_name("kept"))
            path.symlink_to("/dev/full")

    with pytest.raises(DataError, match="No space left on device"):
        prepare(world.spec, world.root, home, workers=1, on_progress=fill)
    draft = next((home / "stores").glob(".*.draft"))
    (draft / "kept").replace(draft / "clips.npy")
    assert prepare(world.spec, world.root, home, workers=1).manifest.faults() == []


def test_numbers_out_of_range_are_refused(world, home):
    for wrong in ({"workers": 0}, {"timeout": 0}, {"workers": -2}):
        with pytest.raises(UsageError, match="at least 1 worker"):
            prepare(world.spec, world.root, home, **wrong)
    with pytest.raises(DataError, match="--data-root"):
        prepare(world.spec, None, home)


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import worlds
from vdbench.datasets.prepare import prepare
world = worlds.World(Path(sys.argv[2]), Path(), worlds.miniature("ucf101", 3))
prepare(world.spec, world.root, Path(sys.argv[3]), workers=1, on_progress=lambda done, total: print(done, flush=True))
"""


def test_a_preparation_killed_in_the_middle_goes_on_to_the_same_bytes(tmp_path, home):
    world = worlds.ucf_world(tmp_path / "data", classes=3, groups=8, clips=2)
    command = [sys.executable, "-c", CHILD, str(Path(worlds.__file__).parent), str(world.root), str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if int(line) >= 10:
                child.send_signal(signal.SIGKILL)
                break
    folder = store_folder(home, world.spec, worlds.SMALL, "decord")
    draft = folder.with_name(f".{folder.name}.draft")
    assert not folder.exists() and (draft / JOURNAL).is_file()
    journal = (draft / JOURNAL).read_text().splitlines()
    (draft / JOURNAL).write_text("\n".join(journal)[:-20])  # as if its last line had been half-written
    calls = []
    store = prepare(world.spec, world.root, home, workers=2, on_progress=lambda done, total: calls.append(done))
    assert 5 <= calls[0] < 48 and calls[-1] == 48
    whole = prepare(world.spec, world.root, tmp_path / "other", workers=2)
    assert contents(store.folder) == contents(whole.folder)


def test_rows_that_do_not_hold_what_the_journal_says_are_decoded_again(world, home, tmp_path):
    reference = prepare(world.spec, world.root, tmp_path / "other", workers=1)

    class Stop(Exception):
        pass

    def stop(done, total):
        if done == 6:
            raise Stop

    with pytest.raises(Stop):
        prepare(world.spec, world.root, home, workers=1, on_progress=stop)
    draft = next((home / "stores").glob(".*.draft"))
    with (draft / "clips.npy").open("r+b") as file:
        file.seek(-reference.clips.nbytes, os.SEEK_END)
        file.write(b"\x07" * 64)
    calls = []
    store = prepare(world.spec, world.root, home, workers=1, on_progress=lambda done, total: calls.append(done))
    assert calls[0] == 5
    assert contents(store.folder) == contents(reference.folder)


def test_a_row_that_was_overwritten_is_noticed_before_the_store_is_sealed(world, home):
    def overwrite(done, total):
        if done == total:
            with (next((home / "stores").glob(".*.draft")) / "clips.npy").open("r+b") as file:
                file.seek(200)
                file.write(bytes(64))

    with pytest.raises(DataError, match="1 rows of .* do not hold what was decoded, that of Archery/v_Archery_g01"):
        prepare(world.spec, world.root, home, workers=1, on_progress=overwrite)
    assert not list((home / "stores").glob("ucf*"))
    assert verify(prepare(world.spec, world.root, home, workers=1), world.root) == []
