"""Clips as movies and pictures: what is kept of them."""

import numpy as np
import pytest

from vdbench.clips.frames import Frames, parse_frames
from vdbench.errors import DataError, UsageError


def moving(height: int = 24, width: int = 31) -> np.ndarray:
    """A smooth clip, uint8 ``(6, H, W, 3)``, of odd width, in which every frame and channel differs."""
    t, y, x, c = np.meshgrid(*(np.arange(n) for n in (6, height, width, 3)), indexing="ij")
    return (127 + 100 * np.sin((x + 2 * t) / 6 + c) * np.cos(y / 7)).astype(np.uint8)


def test_png_keeps_every_pixel_and_h264_nearly() -> None:
    clip = moving()
    png, movie = Frames(None), Frames(18)
    pictures = png.encode(clip)
    assert [ending for ending, _ in pictures] == [f"{number:02}.png" for number in range(6)]
    np.testing.assert_array_equal(png.decode([content for _, content in pictures]), clip)
    ((ending, content),) = movie.encode(clip)
    back = movie.decode([content])
    assert ending == "mp4"
    assert back.shape == clip.shape
    assert np.abs(back.astype(int) - clip).mean() < 3


def test_a_player_that_knows_nothing_of_vdbench_sees_the_same_colours() -> None:
    import io

    import av

    clip = moving()
    with av.open(io.BytesIO(Frames(10).encode(clip)[0][1])) as container:
        seen = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert np.abs(seen.astype(int) - clip).mean() < 3


@pytest.mark.parametrize("frames", [Frames(None), Frames(18)], ids=str)
def test_equal_clips_give_equal_bytes(frames: Frames) -> None:
    assert frames.encode(moving()) == frames.encode(moving())


def test_a_worse_quality_takes_fewer_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    assert len(Frames(40).encode(noise)[0][1]) < len(Frames(10).encode(noise)[0][1])


@pytest.mark.parametrize("text", ["png", "h264:0", "h264:28", "h264:51"])
def test_what_is_typed_is_what_is_shown(text: str) -> None:
    assert str(parse_frames(text)) == text
    assert str(parse_frames("h264")) == "h264:18"


@pytest.mark.parametrize("text", ["png:3", "h264:52", "h264:", "h265", "jpeg", ""])
def test_other_frames_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"write png, or h264 with a quality, as in h264:18"):
        parse_frames(text)


def test_frames_too_small_for_a_movie_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="8x31 pixels are too small for H.264; write them with --frames png"):
        Frames(18).encode(moving(height=8))


@pytest.mark.parametrize("frames", [Frames(None), Frames(18)], ids=str)
def test_damaged_files_are_no_clip(frames: Frames) -> None:
    with pytest.raises(DataError, match="cannot|can be decoded"):
        frames.decode([b"this is no clip" * 20])
