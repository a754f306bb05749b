"""Streams: clips come back in order and close, equal clips give equal bytes, and small frames do not break x265."""

import os
import random
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vdbench.clips.streams import DECODERS, Standard, decode, encode
from vdbench.errors import DataError, DependencyError, UsageError

STANDARDS: tuple[Standard, ...] = ("h264", "h265")


def waves(count: int, frames: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured waves that move, with a little noise: uint8 ``(N, T, H, W, 3)``."""
    rng = np.random.default_rng(seed)
    t, y, x = np.meshgrid(*map(np.arange, (frames, height, width)), indexing="ij")
    clips = np.full((count, frames, height, width, 3), 128.0)
    for row in range(count):
        for down, right, speed in rng.uniform((0.1, 0.1, -0.5), (0.5, 0.5, 0.5), (3, 3)):
            angle = down * y + right * x + speed * t
            clips[row] += 30 * np.sin(angle[..., None] + rng.uniform(0, 6, 3))
    clips += rng.normal(0, 2, clips.shape)
    return np.asarray(clips.clip(0, 255), dtype=np.uint8)


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def distance(clips: NDArray[np.uint8], standard: Standard, quality: int) -> NDArray[np.int64]:
    count, frames, height, width, _ = clips.shape
    back = decode(encode(clips, standard, quality), standard, (count, frames, height, width))
    return np.asarray(np.abs(back.astype(np.int64) - clips))


def packets(stream: bytes, standard: Standard) -> list[Any]:
    context = av.CodecContext.create(DECODERS[standard], "r")
    return [*context.parse(stream), *context.parse(None)]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(STANDARDS), st.integers(1, 3), st.integers(1, 5), st.integers(1, 40), st.integers(1, 40),
    st.integers(0, 51),
)  # fmt: skip
def test_every_shape_comes_back(
    standard: Standard, count: int, frames: int, height: int, width: int, quality: int
) -> None:
    clips = waves(count, frames, height, width)
    stream = encode(clips, standard, quality)
    back = decode(stream, standard, (count, frames, height, width))
    assert back.shape == clips.shape and back.dtype == np.uint8
    if quality <= 10:
        assert np.abs(back.astype(int) - clips).mean() <= 3


@pytest.mark.parametrize("clips", [waves(2, 5, 33, 48), noise(2, 5, 33, 48)], ids=["waves", "noise"])
def test_h264_loses_two_levels_at_most_at_quality_0_and_two_on_average_up_to_10(clips: NDArray[np.uint8]) -> None:
    assert distance(clips, "h264", 0).max() <= 2
    assert all(distance(clips, "h264", quality).mean() <= 2 for quality in (1, 5, 10))


@pytest.mark.parametrize("side", [16, 24, 32, 48, 64, 65])
def test_h265_is_close_at_sizes_where_one_coding_unit_could_span_a_frame(side: int) -> None:
    far = distance(waves(2, 5, side, side), "h265", 0)
    assert far.mean() <= 1.5 and far.max() <= 16


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize("frames", [1, 2, 3, 8, 24])
def test_frames_come_back_in_order(standard: Standard, frames: int) -> None:
    clips = np.empty((3, frames, 24, 26, 3), dtype=np.uint8)
    clips[:] = 10 * np.arange(frames)[None, :, None, None, None] + np.arange(3)[:, None, None, None, None] * 5
    assert distance(clips, standard, 23).max() <= 4


@pytest.mark.parametrize("standard", STANDARDS)
def test_colours_stay_in_their_channels_and_pixels_in_their_place(standard: Standard) -> None:
    clips = np.zeros((1, 2, 32, 48, 3), dtype=np.uint8)
    clips[:, :, :8, :8, 0] = clips[:, :, 8:, :16, 1] = clips[:, :, 20:, 40:, 2] = 220
    assert distance(clips, standard, 5).mean() <= 1


@pytest.mark.parametrize("standard", STANDARDS)
def test_tiny_patches_keep_their_colour(standard: Standard) -> None:
    """As they would not with chroma of half the size."""
    clips = np.zeros((1, 3, 24, 24, 3), dtype=np.uint8)
    clips[:, :, ::2, ::2, 0] = clips[:, :, 1::2, 1::2, 2] = 255
    assert distance(clips, standard, 5).mean() <= 6


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_coarser_quality_takes_fewer_bytes(standard: Standard) -> None:
    sizes = [len(encode(waves(3, 6, 40, 48), standard, quality)) for quality in (0, 5, 10, 18, 23, 28, 35, 42, 51)]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes)


@pytest.mark.parametrize("standard", STANDARDS)
def test_there_is_one_header_and_no_text_of_the_encoder(standard: Standard) -> None:
    stream = encode(waves(4, 3, 32, 32), standard, 30)
    sequence_headers = {"h264": rb"\x00\x00\x01\x67", "h265": rb"\x00\x00\x01\x42\x01"}
    assert stream.startswith(b"\x00\x00\x00\x01")
    assert len(re.findall(sequence_headers[standard], stream)) == 1
    assert b"x264" not in stream and b"x265" not in stream and b"crf" not in stream


@pytest.mark.parametrize("standard", STANDARDS)
def test_each_clip_is_a_closed_group_that_can_be_moved(standard: Standard) -> None:
    stream = encode(waves(3, 5, 32, 40), standard, 23)
    parts = [bytes(packet) for packet in packets(stream, standard)]
    assert [packet.is_keyframe for packet in packets(stream, standard)] == [True, False, False, False, False] * 3
    moved = b"".join(parts[:5] + parts[10:] + parts[5:10])
    clips = decode(stream, standard, (3, 5, 32, 40))
    assert np.array_equal(decode(moved, standard, (3, 5, 32, 40)), clips[[0, 2, 1]])


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_cut_within_a_clip_is_no_key_frame(standard: Standard) -> None:
    clips = np.concatenate([waves(2, 8, 32, 40, seed=1), 255 - noise(2, 4, 32, 40)], axis=1)
    keys = [packet.is_keyframe for packet in packets(encode(clips, standard, 30), standard)]
    assert keys == [True, *[False] * 11] * 2


ENCODE = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_streams import STANDARDS, encode, waves
for standard in STANDARDS:
    for side in ((16, 16), (24, 24), (32, 32), (32, 48), (32, 64), (64, 32), (64, 64), (9, 13)):
        for quality in (0, 10, 23):
            print(hashlib.sha256(encode(waves(2, 4, *side), standard, quality)).hexdigest())
"""


@pytest.mark.slow
def test_equal_clips_give_equal_bytes_whatever_memory_held_before() -> None:
    """glibc fills fresh memory with a byte of choice, which shows reads of what was never written."""

    def hashes(fill: str) -> str:
        command = [sys.executable, "-c", ENCODE, str(Path(__file__).parent)]
        return subprocess.run(
            command, env=os.environ | {"MALLOC_PERTURB_": fill}, stdout=-1, check=True, text=True
        ).stdout

    first = hashes("0")
    assert len(first.split()) == 48
    assert first == hashes("85") == hashes("170")


@pytest.mark.parametrize("standard", STANDARDS)
def test_clips_are_not_copied_as_a_whole(standard: Standard) -> None:
    clips = np.broadcast_to(waves(1, 8, 64, 64), (60, 8, 64, 64, 3))
    tracemalloc.start()
    try:
        stream = encode(clips, standard, 40)
        encoding = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        decode(stream, standard, (60, 8, 64, 64))
        decoding = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert encoding < clips.nbytes / 8
    assert decoding < clips.nbytes * 1.25


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda stream: b"",
        lambda stream: b"no stream",
        lambda stream: stream[: len(stream) // 2],
        lambda stream: stream[20:],
        lambda stream: stream + stream,
    ],
    ids=["empty", "text", "half", "no header", "twice"],
)
def test_a_broken_stream_is_one_sentence(standard: Standard, damage: Any) -> None:
    stream = damage(encode(waves(3, 4, 30, 41), standard, 20))
    with pytest.raises(DataError, match=f"the {standard} stream of 3 clips is broken") as caught:
        decode(stream, standard, (3, 4, 30, 41))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("standard", STANDARDS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_changed_bit_gives_clips_of_the_shape_or_a_data_error(standard: Standard, data: st.DataObject) -> None:
    stream = bytearray(encode(waves(2, 3, 24, 24), standard, 20))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert decode(bytes(stream), standard, (2, 3, 24, 24)).shape == (2, 3, 24, 24, 3)
    except DataError:
        pass


@pytest.mark.parametrize("standard", STANDARDS)
def test_memory_that_others_used_does_not_change_a_byte(standard: Standard) -> None:
    """Encoders have read what was never written, in frames of few blocks: about one stream in a hundred was another."""
    clips, chance = waves(2, 3, 24, 24), random.Random(0)
    first, used = encode(clips, standard, 20), [bytearray(size) for size in range(100)]
    for _ in range(500):
        used[chance.randrange(len(used))] = bytearray(chance.randrange(1, 40_000))
        assert encode(clips, standard, 20) == first


@pytest.mark.parametrize("shape", [(2, 4, 30, 41), (3, 5, 30, 41), (3, 4, 41, 30), (3, 4, 20, 41)])
def test_a_shape_that_is_not_the_streams_is_refused(shape: tuple[int, int, int, int]) -> None:
    with pytest.raises(DataError, match="instead of|not 41x30|not 20x41"):
        decode(encode(waves(3, 4, 30, 41), "h264", 30), "h264", shape)


def test_no_frames_are_no_stream() -> None:
    with pytest.raises(UsageError, match="no frame that could be stored as h264"):
        encode(np.empty((0, 4, 8, 8, 3), dtype=np.uint8), "h264", 20)


def test_a_pyav_without_an_encoder_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdbench.clips.streams.ENCODERS", {"h264": "libx264", "h265": "libnothing"})
    with pytest.raises(DependencyError, match="PyAV was built without libnothing, which writes h265"):
        encode(waves(1, 1, 16, 16), "h265", 20)
