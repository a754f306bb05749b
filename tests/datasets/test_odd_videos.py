"""Whole videos that a header alone misdescribes: every reader gives the frames that a player shows, upright."""

import os
from pathlib import Path

import numpy as np
import pytest

import odd_videos
import worlds
from odd_videos import noise, numbered
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.readers import READERS, ClipFacts, ReadError, read_frames

EVEN = Geometry(frames=8, sampling="even", resize=(64, 48), size=48)

pytestmark = pytest.mark.parametrize("reader", READERS.names())


def levels(path: Path, reader: str, length: int) -> ClipFacts:
    """Check that the clip is made of ``length`` frames numbered by their grey level, evenly picked; the facts."""
    clip, facts = read_frames(path, EVEN, reader)
    assert np.abs(clip.reshape(8, -1).mean(axis=1) - 3 * np.array(EVEN.picks(length))).max() < 1.6
    assert (facts.frames, facts.header_frames) == (length, length)
    return facts


@pytest.mark.parametrize(("first", "until"), [(18, 50), (0, 25), (18, 40), (1, 50)])
def test_what_an_edit_list_hides_is_not_in_the_clip(tmp_path, reader, first, until):
    odd_videos.encode(tmp_path / "whole.mp4", numbered(50), "libx264", crf="8", g="250")
    odd_videos.cut_by_edit_list(tmp_path / "whole.mp4", tmp_path / "cut.mp4", first, None if until == 50 else until)
    clip, facts = read_frames(tmp_path / "cut.mp4", EVEN, reader)
    shown = first + np.array(EVEN.picks(until - first))
    assert np.abs(clip.reshape(8, -1).mean(axis=1) - 3 * shown).max() < 1.6
    assert (facts.frames, facts.header_frames, facts.reader) == (until - first, until - first, "pyav")


def test_a_late_start_hides_nothing(tmp_path, reader):
    odd_videos.encode(tmp_path / "whole.mp4", numbered(50), "libx264", crf="8")
    odd_videos.cut_by_edit_list(tmp_path / "whole.mp4", tmp_path / "late.mp4", first=-10)
    assert levels(tmp_path / "late.mp4", reader, 50).reader == reader


@pytest.mark.parametrize("turn", odd_videos.MATRICES)
def test_a_display_matrix_is_obeyed(tmp_path, reader, turn):
    pixels = np.full((8, 48, 64, 3), 40, dtype=np.uint8)
    pixels[:, :, :32] += 60  # brighter on the left
    pixels[:, :24] += 120  # and brighter still at the top: each quarter has a level of its own
    upright = {
        "as it is": pixels[0],
        "a quarter right": np.rot90(pixels[0], -1),
        "half round": np.rot90(pixels[0], 2),
        "a quarter left": np.rot90(pixels[0], 1),
        "left to right": pixels[0, :, ::-1],
        "top to bottom": pixels[0, ::-1],
        "along the diagonal": pixels[0].swapaxes(0, 1),
        "along the other diagonal": np.rot90(pixels[0], 2).swapaxes(0, 1),
    }[turn]
    odd_videos.encode(tmp_path / "a.mp4", pixels, "libx264", crf="4")
    odd_videos.turn(tmp_path / "a.mp4", odd_videos.MATRICES[turn])
    clip, facts = read_frames(tmp_path / "a.mp4", EVEN.model_copy(update={"resize": 48}), reader)
    assert (facts.height, facts.width) == upright.shape[:2]
    height, width = upright.shape[:2]
    for row, column in ((8, 8), (8, -8), (-8, 8), (-8, -8)):
        expected = upright[height // 4 if row > 0 else -height // 4, width // 4 if column > 0 else -width // 4]
        assert np.abs(clip[0, row, column].astype(int) - expected).max() <= 4


@pytest.mark.parametrize("space", [1, 5])
def test_the_colour_space_is_honoured(tmp_path, reader, space):
    odd_videos.tagged(tmp_path / "a.mp4", (200, 60, 30), space)
    clip, facts = read_frames(tmp_path / "a.mp4", EVEN, reader)
    assert np.abs(clip.astype(int) - (200, 60, 30)).max() <= 4  # by the other matrix, green is 20 off
    assert facts.reader == reader


@pytest.mark.parametrize("dropped", [range(1, 40, 3), range(1, 5), range(20, 40)])
def test_dropped_frames_are_not_lost_ones(tmp_path, reader, dropped):
    pixels = np.broadcast_to((3 * np.arange(40, dtype=np.uint8))[:, None, None, None], (40, 48, 64, 3))
    odd_videos.with_gaps(tmp_path / "a.avi", pixels, dropped)
    _, facts = read_frames(tmp_path / "a.avi", EVEN, reader)
    assert facts.frames == facts.header_frames == 40 - len(dropped)


def test_a_file_with_dropped_frames_that_is_cut_is_truncated(tmp_path, reader):
    odd_videos.with_gaps(tmp_path / "a.avi", noise(40), range(1, 40, 3))
    worlds.truncate(tmp_path / "a.avi")
    _, facts = read_frames(tmp_path / "a.avi", EVEN, reader)
    assert facts.frames < 27 and facts.header_frames > facts.frames


@pytest.mark.parametrize("numbers", [range(2, 20, 4), range(10, 18)])
def test_frames_that_an_encoder_left_out_are_not_lost_ones(tmp_path, reader, numbers):
    odd_videos.encode(tmp_path / "whole.avi", numbered(20), "mpeg4", qscale="2")
    odd_videos.rewrite(
        tmp_path / "whole.avi", tmp_path / "a.avi", lambda n, data: odd_videos.left_out(n) if n in numbers else data
    )
    clip, facts = read_frames(tmp_path / "a.avi", EVEN, reader)
    assert facts.frames == facts.header_frames == 20 - len(numbers)
    assert len({frame.tobytes() for frame in clip}) == 8  # none is repeated


def test_damaged_packets_are_lost_frames_and_those_around_them_are_read(tmp_path, reader):
    odd_videos.encode(tmp_path / "whole.avi", noise(40), "mpeg4", qscale="2", g="1")
    junk = np.random.default_rng(1).integers(0, 255, 3000, dtype=np.uint8).tobytes()
    odd_videos.rewrite(tmp_path / "whole.avi", tmp_path / "a.avi", lambda n, data: junk if n in (10, 20) else data)
    _, facts = read_frames(tmp_path / "a.avi", EVEN, reader)
    assert (facts.frames, facts.header_frames) == (38, 40)


def test_a_webm_of_changing_frame_rate_is_whole(tmp_path, reader):
    odd_videos.encode(tmp_path / "steady.webm", noise(40), "libvpx-vp9", deadline="realtime", b="800k")
    odd_videos.stretched(tmp_path / "steady.webm", tmp_path / "a.webm", lambda n: n if n < 20 else 20 + 5 * (n - 20))
    _, facts = read_frames(tmp_path / "a.webm", EVEN, reader)
    assert facts.frames == facts.header_frames == 40
    worlds.truncate(tmp_path / "a.webm", 0.9)
    _, facts = read_frames(tmp_path / "a.webm", EVEN, reader)
    assert facts.frames < facts.header_frames


@pytest.mark.parametrize("width", [8, 12, 16, 20, 24, 48, 64, 72])
def test_narrow_videos_are_read_as_they_look(tmp_path, reader, width):
    pixels = np.full((20, 48, width, 3), 30, dtype=np.uint8)
    pixels[:, :, width // 2 :] = (200, 100, 60)
    odd_videos.encode(tmp_path / "a.mp4", pixels, "libx264", crf="2")
    clip, facts = read_frames(tmp_path / "a.mp4", EVEN, reader)
    assert (facts.width, facts.height) == (width, 48)
    assert np.abs(clip[:, 24, 2].astype(int) - 30).max() <= 6
    assert np.abs(clip[:, 24, -3].astype(int) - (200, 100, 60)).max() <= 12


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libsvtav1"),
        ("a.webm", "libsvtav1"),
        ("a.webm", "libvpx"),
        ("a.mp4", "libx265"),
        ("a.ts", "libx264"),
        ("a.mkv", "libx264"),
        ("a.flv", "flv"),
        ("a.mpg", "mpeg2video"),
    ],
)
def test_codecs_and_containers_that_videos_come_in(tmp_path, reader, name, codec):
    options = {"libsvtav1": {"preset": "12"}, "libx265": {"x265-params": "log-level=none"}}
    odd_videos.encode(tmp_path / name, numbered(40, 64, 96), codec, **options.get(codec, {"b": "2M"}))
    levels(tmp_path / name, reader, 40)


@pytest.mark.parametrize(
    ("codec", "options"), [("libx264", {"x264-params": "bframes=3:keyint=12"}), ("mpeg2video", {})]
)
def test_a_transport_stream_is_read_from_its_first_frame(tmp_path, reader, codec, options):
    """decord 0.6 begins with the second group of pictures, and repeats the last frame, without an error."""
    odd_videos.encode(tmp_path / "a.ts", numbered(60, 64, 96), codec, b="2M", **options)
    assert levels(tmp_path / "a.ts", reader, 60).reader == "pyav"


def test_a_cover_picture_is_no_video(tmp_path, reader):
    odd_videos.add_cover(tmp_path / "song.mp4", None)
    with pytest.raises(ReadError, match="holds no video stream, only a picture"):
        read_frames(tmp_path / "song.mp4", EVEN, reader)
    odd_videos.add_cover(tmp_path / "film.mp4", numbered(40))
    levels(tmp_path / "film.mp4", reader, 40)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_of_two_videos_the_first_is_read(tmp_path, reader, name):
    odd_videos.two_videos(tmp_path / name, numbered(40), np.full((40, 96, 128, 3), 250, dtype=np.uint8))
    facts = levels(tmp_path / name, reader, 40)
    assert (facts.width, facts.height) == (44, 32)


def test_a_video_that_stands_still_is_read_by_the_reader_that_was_asked_for(tmp_path, reader):
    odd_videos.encode(tmp_path / "a.mp4", np.full((20, 48, 64, 3), 90, dtype=np.uint8), "libx264")
    _, facts = read_frames(tmp_path / "a.mp4", EVEN, reader)
    assert (facts.frames, facts.reader) == (20, reader)


def test_open_groups_of_pictures_lose_no_frame(tmp_path, reader):
    """As x265 writes by default; decord 0.6.0 gives frames 3 too late where it starts at a key frame of such files."""
    keys = "keyint=12:min-keyint=12:scenecut=0:bframes=4:b-adapt=0:frame-threads=1:log-level=none"
    odd_videos.encode(tmp_path / "open.mp4", numbered(50, 96, 128), "libx265", **{"x265-params": f"crf=4:{keys}"})
    assert levels(tmp_path / "open.mp4", reader, 50).reader == reader


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system does not tell how it schedules")
def test_an_encoder_does_not_change_how_these_tests_are_scheduled(tmp_path, reader):
    before = os.sched_getscheduler(0)
    odd_videos.encode(tmp_path / "a.mp4", numbered(8, 64, 96), "libsvtav1", preset="12")
    levels(tmp_path / "a.mp4", reader, 8)
    assert os.sched_getscheduler(0) == before
