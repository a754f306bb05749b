import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import odd_videos
import worlds
from vdbench.datasets.draft import JOURNAL
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.readers import READERS, read_frames
from vdbench.datasets.spec import SplitSize
from vdbench.datasets.store import ClipStore, find_store, store_folder
from vdbench.errors import DataError, UsageError


@pytest.fixture
def world(tmp_path):
    return worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def decodes(store: ClipStore) -> dict[str, tuple[str, str]]:
    return {clip.id: (clip.decode.status, clip.decode.message) for clip in store.manifest.clips}


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


def test_damaged_clips_are_named_and_do_not_stop_the_rest(tmp_path, home):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=6, clips=1)
    ids = [path.relative_to(world.videos).as_posix() for path in world.files()]
    worlds.damage(world.files()[1])
    worlds.hang(world.files()[2])
    worlds.truncate(world.files()[3])
    worlds.write_video(world.files()[4], worlds.clip(0, 0, frames=5), "mpeg4")
    world.files()[5].unlink()
    store = prepare(world.spec, world.root, home, workers=2, timeout=1.5, partial=True)
    found = decodes(store)
    assert found[ids[1]][0] == "broken" and "cannot be opened as a video" in found[ids[1]][1]
    assert found[ids[2]] == ("timeout", "was not decoded within 1.5 seconds")
    assert found[ids[3]][0] == "truncated" and "header promises 20" in found[ids[3]][1]
    assert found[ids[4]] == ("padded", "has 5 of 8 frames; its last frame is repeated")
    assert found[ids[5]] == ("missing", "is not there")
    assert [found[clip] for clip in ids[6:] + ids[:1]] == [("ok", "")] * 7
    rows = {clip.id: clip.row for clip in store.manifest.clips}
    assert [rows[clip] for clip in (ids[1], ids[2], ids[5])] == [None] * 3
    assert rows[ids[3]] == 3 and rows[ids[4]] == 4 and rows[ids[6]] == 5
    assert store.manifest.partial and len(store.manifest.faults()) == 5
    assert not store.clips[1].any() and store.clips[3].any()


def test_the_manifest_says_which_clips_another_reader_read(world, home):
    odd_videos.encode(world.files()[1].with_suffix(".mp4"), odd_videos.numbered(20, 48, 24), "libx264")
    world.files()[1].with_suffix(".mp4").replace(world.files()[1])
    store = prepare(world.spec, world.root, home, workers=1, reader="decord")
    decode = store.manifest.clips[1].decode
    assert (decode.status, decode.message) == ("ok", f"is read by PyAV {metadata.version('av')}")
    assert not store.manifest.faults() and store.manifest.clips[0].decode.message == ""
    pyav = prepare(world.spec, world.root, home, workers=1, reader="pyav")
    assert pyav.manifest.clips[1].decode == decode.model_copy(update={"message": ""})


def test_a_file_that_crashes_the_decoder_is_broken_and_the_rest_goes_on(world, home, monkeypatch):
    from vdbench.datasets import workers

    def kill_once(self, job, timeout, start=workers._Worker.start):
        start(self, job, timeout)
        if job.row == 3:
            os.kill(self.child.process.pid, signal.SIGSTOP)  # so that it cannot answer before it is killed
            os.kill(self.child.process.pid, signal.SIGKILL)

    monkeypatch.setattr(workers._Worker, "start", kill_once)
    store = prepare(world.spec, world.root, home, workers=1, partial=True)
    statuses = [clip.decode.status for clip in store.manifest.clips]
    assert statuses.count("broken") == 1 and statuses.count("ok") == 7
    assert store.manifest.clips[3].decode.message == "crashes the decoder"


def test_missing_clips_are_counted_and_named_unless_allowed(world, home):
    for path in world.files()[:5]:
        path.unlink()
    with pytest.raises(DataError) as caught:
        prepare(world.spec, world.root, home)
    sentence = str(caught.value)
    assert "5 of 8 clips are missing" in sentence and "Archery/v_Archery_g01_c01.avi" in sentence
    assert "and 2 more clips" in sentence and "all clips of Archery" in sentence and "--partial" in sentence
    store = prepare(world.spec, world.root, home, partial=True, workers=1)
    assert store.manifest.partial and store.clips.shape[0] == 3
    assert store.manifest.empty_classes(1) == ("Archery", "Biking")


def test_a_shortened_split_file_is_noticed_by_the_published_counts(world, home):
    spec = world.spec.model_copy(update={"expected": {1: SplitSize(train=7, test=2)}})
    with pytest.raises(DataError, match="split 1 name 6 train and 2 test clips, not 7 and 2"):
        prepare(spec, world.root, home)
    assert prepare(spec, world.root, home, partial=True, workers=1).manifest.partial


def test_a_class_that_lost_its_test_clips_is_an_error_unless_allowed(world, home):
    for path in world.files()[:2]:
        worlds.damage(path)
    with pytest.raises(DataError, match=r"split 1 of ucf101 has no usable .* clip of Archery"):
        prepare(world.spec, world.root, home, workers=1)
    store = prepare(world.spec, world.root, home, workers=1, partial=True)
    assert store.manifest.empty_classes(1) == ("Archery",) and store.manifest.classes_of(1) == ("Biking",)
    assert store.manifest.classes_of(3) == ("Archery", "Biking")


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
    with pytest.raises(DataError, match=r"needs 0.0 GiB, but only 0.0 GiB are free .*--home"):
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


@pytest.mark.parametrize("row", [-1, -(2**63), 10**6, 2**80])
def test_a_manifest_that_names_a_row_beyond_its_clips_is_refused(world, home, row):
    store = prepare(world.spec, world.root, home, workers=1)
    (store.folder / "digests.json").unlink()
    described = json.loads((store.folder / "manifest.json").read_text())
    described["clips"][2]["row"] = row
    (store.folder / "manifest.json").write_text(json.dumps(described))
    with pytest.raises(DataError, match="row|does not fit"):
        ClipStore.open(store.folder)


def test_verify_names_every_difference(tmp_path, home):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=5, clips=1)
    hidden = world.files()[9].rename(tmp_path / "hidden.avi")
    store = prepare(world.spec, world.root, home, workers=1, partial=True)
    assert verify(store, world.root) == []
    changed, gone = world.files()[1:3]
    changed.write_bytes(changed.read_bytes() + b"x")
    gone.unlink()
    hidden.rename(world.videos / "Biking" / "v_Biking_g05_c01.avi")
    with (store.folder / "clips.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(bytes([store.clips[-1, -1, -1, -1, -1] ^ 1]))
    faults = verify(ClipStore.read(store.folder), world.root)
    assert len(faults) == 4
    for name, words in (
        ("Archery_g02", "not the file"),
        ("Archery_g03", "is missing"),
        ("Biking_g04", "other pixels in row 8"),
        ("Biking_g05", "is there now"),
    ):
        assert any(name in fault and words in fault for fault in faults)


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


def test_a_store_is_found_by_its_shape_or_offered_by_its_command(world, home):
    with pytest.raises(
        DataError, match=r"not prepared in .*; type: vdbench datasets prepare ucf101 --data-root FOLDER$"
    ):
        find_store(home, world.spec)
    own = prepare(world.spec, world.root, home, workers=1)
    assert find_store(home, world.spec).folder == own.folder
    assert find_store(home, world.spec, frames=4, size=16).folder == own.folder
    with pytest.raises(DataError, match=r"prepare ucf101 --frames 16 --data-root FOLDER$"):
        find_store(home, world.spec, frames=16)
    small = prepare(world.spec, world.root, home, workers=1, geometry=worlds.SMALL.at(4, 16))
    assert find_store(home, world.spec, frames=4, size=16).folder == own.folder
    shutil.rmtree(own.folder)
    assert find_store(home, world.spec, frames=4, size=16).folder == small.folder
    own = prepare(world.spec, world.root, home, workers=1)
    (own.folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="prepare it again"):
        find_store(home, world.spec)
    assert prepare(world.spec, world.root, home, workers=1).manifest == own.manifest


@pytest.mark.parametrize("width", [16, 24, 48, 72])
def test_a_narrow_video_fills_its_own_row_with_its_own_picture_and_no_other(tmp_path, home, width):
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=4, clips=1)
    narrow = np.full((20, 48, width, 3), 40, np.uint8)
    narrow[:, :, width // 2 :] = 200
    worlds.write_video(world.files()[3], narrow, "mpeg4")
    store = prepare(world.spec, world.root, home, workers=1)
    assert verify(store, world.root) == []
    row = store.clips[3].astype(int)
    assert abs(row[:, :, :12] - 40).max() < 20 and abs(row[:, :, -12:] - 200).max() < 20


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("clips.npy", lambda content: content[:-1], "clips.npy has .* bytes, not the"),
        ("clips.npy", lambda content: content[:-1] + bytes([content[-1] ^ 1]), "other pixels of Biking/v_Biking_g04"),
        ("clips.npy", None, "clips.npy is missing"),
        ("manifest.json", lambda content: content[:-9], "bytes of manifest.json, not"),
        ("manifest.json", lambda content: content.replace(b"g01_c01", b"g01_c02", 1), "other bytes in manifest.json"),
    ],
)
def test_a_damaged_store_is_one_sentence_with_its_cure_and_is_prepared_again(world, home, name, damage, words):
    store = prepare(world.spec, world.root, home, workers=1)
    path, before = store.folder / name, contents(store.folder)
    whole = path.read_bytes()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(whole))
    with pytest.raises(DataError, match=f"{words}.*; prepare it again$"):
        ClipStore.open(store.folder)
    prepare(world.spec, world.root, home, workers=1)
    assert contents(store.folder) == before


def test_a_store_of_an_earlier_version_opens_and_its_fingerprint_stands_in_for_a_digest(world, home):
    store = prepare(world.spec, world.root, home, workers=1)
    (store.folder / "digests.json").unlink()
    assert ClipStore.open(store.folder).manifest == store.manifest
    path = store.folder / "manifest.json"
    path.write_text(path.read_text().replace(store.manifest.clips[0].decode.pixels, "0" * 64))
    with pytest.raises(DataError, match="names other clips than its fingerprint; prepare it again"):
        ClipStore.open(store.folder)


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
