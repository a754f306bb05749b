"""Preparing where clips are damaged, missing or odd: each is named, and the rest goes on."""

import os
import signal
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest

import odd_videos
import worlds
from vdbench.datasets.prepare import prepare, verify
from vdbench.datasets.spec import SplitSize
from vdbench.datasets.store import ClipStore
from vdbench.errors import DataError


def decodes(store: ClipStore) -> dict[str, tuple[str, str]]:
    return {clip.id: (clip.decode.status, clip.decode.message) for clip in store.manifest.clips}


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
    assert pyav.manifest.clips[1].decode == replace(decode, message="")


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
