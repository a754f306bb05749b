"""Codecs: how they are typed, and what a clip takes."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vdbench.clips.codecs import DEFAULT_QUALITY, Codec, clip_bytes, parse_codec
from vdbench.clips.streams import encode
from vdbench.errors import UsageError


@pytest.mark.parametrize("text", ["uint8", "float16", "float32", "h264", "h265", "h264:0", "h264:28", "h265:51"])
def test_a_codec_gives_back_the_text_that_it_was_read_from(text: str) -> None:
    assert str(parse_codec(text)) == text


@given(st.sampled_from(["h264", "h265"]), st.integers(0, 51))
def test_a_video_of_any_quality_comes_back_from_its_text(name: str, quality: int) -> None:
    codec = parse_codec(f"{name}:{quality}")
    assert codec.video == (name, quality)
    assert parse_codec(str(codec)) == codec == Codec.model_validate(codec.model_dump())


def test_a_quality_that_is_left_out_is_the_encoders_own() -> None:
    assert parse_codec("h264").quality == 23 and parse_codec("h265").quality == 28
    assert Codec(name="h264").quality == 23
    assert parse_codec("h264:23") == parse_codec("h264")
    assert str(parse_codec("h264:23")) == "h264"
    assert parse_codec("uint8").quality is None and parse_codec("float32").video is None


REFUSED = ["", "mp4", "H264", "uint8:3", "float16:0", "h264:", "h264:52", "h264:-1", "h264:2.5", "h264:028", "h264: 3"]


@pytest.mark.parametrize("text", [*REFUSED, "h264:3:4", "h264:٣", "h264\n"])
def test_anything_else_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(UsageError, match="write uint8, float16, float32, h264 or h265, .* as in h264:28$") as caught:
        parse_codec(text)
    assert f"unknown codec '{text}'" in str(caught.value)


@pytest.mark.parametrize("fields", [{"name": "uint8", "quality": 3}, {"name": "h264", "quality": 52}, {"name": "gif"}])
def test_a_codec_that_does_not_exist_cannot_be_built(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Codec.model_validate(fields)


def test_codecs_import_nothing_heavy() -> None:
    code = "import sys, vdbench.clips.codecs; print([name for name in ('torch', 'av', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], stdout=-1, check=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "width"), [("uint8", 1), ("float16", 2), ("float32", 4)])
def test_tensors_take_their_width_times_their_values(name: str, width: int) -> None:
    clips = np.zeros((5, 4, 6, 7, 3), dtype=np.uint8)
    assert clip_bytes(clips, parse_codec(name)) == width * 4 * 6 * 7 * 3


@pytest.mark.parametrize("name", DEFAULT_QUALITY)
def test_videos_are_measured_with_their_header(name: str) -> None:
    clips = np.random.default_rng(0).integers(0, 256, (3, 2, 24, 24, 3), dtype=np.uint8)
    codec = parse_codec(f"{name}:30")
    assert codec.video is not None
    assert clip_bytes(clips, codec) == len(encode(clips, *codec.video)) / 3
    assert clip_bytes(clips, parse_codec(f"{name}:40")) < clip_bytes(clips, codec)
