"""Clips that are parts of longer videos: their frames are those that are shown between start and end."""

import numpy as np
import pytest

import worlds
from vdbench.datasets.new import Wish, new_dataset
from vdbench.datasets.prepare import prepared_store
from vdbench.datasets.readers import READERS, ReadError, read_frames

FPS = 25


def grounds(clip):
    """The number of each frame, which its brightness tells."""
    return np.rint((np.median(clip, axis=(1, 2, 3)) - 20) / 4).astype(int).tolist()


def video(path, codec="libx264"):
    """50 frames in two seconds, each 4 levels brighter than the one before it."""
    worlds.write_video(path, worlds.clip(0, 1, frames=50), codec, fps=FPS)
    return path


@pytest.mark.parametrize("reader", READERS.names())
@pytest.mark.parametrize(("name", "codec"), [("x.mp4", "libx264"), ("x.avi", "mpeg4"), ("x.mkv", "libx264")])
def test_the_frames_of_a_segment_are_those_between_start_and_end(tmp_path, reader, name, codec):
    path, geometry = video(tmp_path / name, codec), worlds.SMALL
    for segment, first, count in (
        ((0.4, 1.2), 10, 20),
        ((0.0, 2.0), 0, 50),
        ((1.2, None), 30, 20),
        ((0.4, 9.0), 10, 40),
    ):
        clip, facts = read_frames(path, geometry, reader, segment)
        assert facts.frames == count
        assert grounds(clip) == [first + pick for pick in geometry.picks(count)]
    whole, _ = read_frames(path, geometry, reader)
    assert np.array_equal(read_frames(path, geometry, reader, (0.0, 2.0))[0], whole)


def test_a_segment_shorter_than_a_frame_is_the_frame_that_stands_there(tmp_path):
    clip, facts = read_frames(video(tmp_path / "x.mp4"), worlds.SMALL, "pyav", (0.41, 0.42))
    assert (facts.frames, set(grounds(clip))) == (1, {10})


def test_a_segment_after_the_end_is_no_clip(tmp_path):
    with pytest.raises(ReadError, match="ends before its segment begins"):
        read_frames(video(tmp_path / "x.mp4"), worlds.SMALL, "pyav", (3.0, 4.0))


def test_a_damaged_file_gives_the_frames_of_its_segment_that_are_left(tmp_path):
    path = video(tmp_path / "x.avi", "mpeg4")
    worlds.truncate(path, 0.7)
    _, whole = read_frames(path, worlds.SMALL, "decord")
    assert 10 < whole.frames < whole.header_frames
    clip, facts = read_frames(path, worlds.SMALL, "decord", (0.08, 9.0))
    assert facts.frames == whole.frames - 2
    assert grounds(clip) == [2 + pick for pick in worlds.SMALL.picks(facts.frames)]


def test_rows_of_one_video_are_clips_of_their_own_and_of_one_group(tmp_path):
    rows = ["path,label,start,end"]
    for number in range(4):
        video(tmp_path / f"{number}.mp4")
        rows += [f"{number}.mp4,early,0,0.8", f"{number}.mp4,late,1.2,"]
    table = tmp_path / "clips.csv"
    table.write_text("\n".join(rows) + "\n")
    made = new_dataset("lab", Wish(csv=table, geometry=worlds.SMALL), tmp_path / "home")
    assert [entry.id for entry in made.index.entries][:2] == ["0.mp4@0-0.8", "0.mp4@1.2-"]
    assert {entry.group for entry in made.index.entries} == {"0", "1", "2", "3"}
    for group in "0123":
        assert len({e.roles[1] for e in made.index.entries if e.group == group}) == 1
    store = prepared_store("lab", tmp_path / "home")
    shown = {clip.id: grounds(store.clips[clip.row]) for clip in store.manifest.clips}
    assert shown["2.mp4@0-0.8"] == worlds.SMALL.picks(20)
    assert shown["2.mp4@1.2-"] == [30 + pick for pick in worlds.SMALL.picks(20)]
