from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

import worlds
from odd_videos import numbered
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.readers import READERS, ReadError, decoding, read_frames
from vdbench.datasets.readers.scaling import scaled

NATIVE = Geometry(frames=12, sampling="strided", gap=4, resize=(44, 32), size=32)
CONTAINERS = [("a.avi", "mpeg4"), ("a.avi", "libx264"), ("a.mp4", "libx264"), ("a.webm", "libvpx-vp9")]


@pytest.mark.parametrize("reader", READERS.names())
@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_the_picked_frames_come_in_order_of_time(tmp_path, name, codec, reader):
    worlds.write_video(tmp_path / name, numbered(80), codec)
    clip, facts = read_frames(tmp_path / name, NATIVE, reader)
    levels = clip.reshape(12, -1).mean(axis=1)
    assert np.abs(levels - 3 * np.array(NATIVE.picks(80))).max() < 1.5
    assert (facts.frames, facts.width, facts.height, facts.fps) == (80, 44, 32, 25.0)
    assert facts.header_frames <= 80


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_decord_and_pyav_agree(tmp_path, name, codec):
    worlds.write_video(tmp_path / name, worlds.clip(1, 5, frames=70, width=64, height=48), codec)
    geometry = NATIVE.model_copy(update={"resize": (50, 38)})
    (one, facts), (two, other) = (read_frames(tmp_path / name, geometry, reader) for reader in READERS.names())
    assert facts.reader == "decord" and replace(facts, reader="pyav") == other
    assert np.abs(one.astype(int) - two).max() <= 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_frames_are_turned_into_rgb_on_one_thread(tmp_path, monkeypatch):
    """PyAV 17 and 18 take one for each core by themselves, and then a hundred times as long for a small frame."""
    worlds.write_video(tmp_path / "a.avi", numbered(20), "mpeg4")
    threads = []
    looked = decoding.orientation

    def counting(frame):
        threads.append(len(list(Path("/proc/self/task").iterdir())))
        return looked(frame)

    monkeypatch.setattr(decoding, "orientation", counting)
    before = len(list(Path("/proc/self/task").iterdir()))
    decoding.by_pyav(tmp_path / "a.avi", range(20))
    assert threads == [before] * 20


@pytest.mark.parametrize("reader", READERS.names())
def test_a_truncated_file_is_counted_by_what_decodes(tmp_path, reader):
    path = tmp_path / "a.avi"
    worlds.write_video(path, worlds.clip(0, 0, frames=60), "mpeg4")
    worlds.truncate(path)
    clip, facts = read_frames(path, NATIVE, reader)
    assert facts.header_frames == 60 and 12 <= facts.frames < 60
    reference, _ = read_frames(path, NATIVE, "pyav")
    assert np.abs(clip.astype(int) - reference).max() <= 1


@pytest.mark.parametrize("reader", READERS.names())
def test_a_truncated_webm_is_noticed_by_its_duration(tmp_path, reader):
    path = tmp_path / "a.webm"
    rng = np.random.default_rng(0)
    worlds.write_video(path, rng.integers(0, 255, (60, 32, 44, 3), dtype=np.uint8), "libvpx-vp9")
    worlds.truncate(path)
    _, facts = read_frames(path, NATIVE, reader)
    assert facts.frames < facts.header_frames <= 60


@pytest.mark.parametrize("reader", READERS.names())
def test_a_short_clip_repeats_its_last_frame(tmp_path, reader):
    worlds.write_video(tmp_path / "a.mp4", numbered(5))
    clip, facts = read_frames(tmp_path / "a.mp4", NATIVE, reader)
    assert facts.frames == 5 and clip.shape == (12, 32, 32, 3)
    assert all(np.array_equal(clip[t], clip[4]) for t in range(5, 12))
    assert not np.array_equal(clip[3], clip[4])


@pytest.mark.parametrize("reader", READERS.names())
@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_what_is_no_video_is_a_read_error(tmp_path, reader, content):
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(ReadError):
        read_frames(tmp_path / "a.avi", NATIVE, reader)


def test_the_crop_is_the_middle_of_the_resized_frame(tmp_path):
    pixels = np.zeros((12, 48, 96, 3), dtype=np.uint8)
    pixels[:, :, 32:64] = 255  # the middle third
    worlds.write_video(tmp_path / "a.mp4", pixels)
    clip, _ = read_frames(tmp_path / "a.mp4", Geometry(frames=1, sampling="even", resize=24, size=24), "pyav")
    columns = clip[0].mean(axis=(0, 2))
    assert columns[:3].max() < 20 and columns[6:18].min() > 235 and columns[-3:].max() < 20


PLACES = ((0, 0, 0), (5, 17, 1), (50, 60, 2), (77, 3, 0), (100, 111, 1), (111, 111, 2))
FIELD = Geometry(frames=1, sampling="even", resize=(160, 120), size=112)


def formula(path: Path, width: int, height: int) -> Path:
    """A video of one frame by formula, kept without loss."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    waves = 70 * np.sin(0.1 + 0.173 * x + 0.029 * y + 1.1 * c) + 40 * np.cos(0.211 * y - 0.8 * c + 0.0131 * x)
    frame = np.floor(128 + waves).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("width", "height", "total", "values"),
    [
        (320, 240, 4795777, [142, 88, 123, 161, 50, 117]),
        (340, 256, 4793472, [104, 54, 106, 201, 215, 131]),
        (480, 360, 4800442, [130, 94, 161, 142, 69, 190]),
    ],
)
def test_frames_shrink_as_by_pillow_unless_asked_otherwise(tmp_path, width, height, total, values):
    clip, _ = read_frames(formula(tmp_path / "a.mkv", width, height), FIELD, "pyav")
    assert clip.sum() == total
    assert [int(clip[0][place]) for place in PLACES] == values


@pytest.mark.parametrize(
    ("width", "height", "total", "values", "off"),
    [
        (320, 240, 4795918, [142, 87, 122, 161, 50, 117], 0),
        (340, 256, 4788937, [103, 54, 106, 202, 216, 131], 0.12),
        (480, 360, 4800457, [130, 94, 162, 142, 68, 192], 0),
    ],
)
def test_without_antialias_they_shrink_as_by_opencv(tmp_path, width, height, total, values, off):
    """By which the field prepares UCF101; its fixed point cuts a little off where the factor is no whole number."""
    geometry = FIELD.model_copy(update={"antialias": False})
    clip, _ = read_frames(formula(tmp_path / "a.mkv", width, height), geometry, "pyav")
    assert abs(int(clip.sum()) - total) <= off * clip.size
    assert [int(clip[0][place]) for place in PLACES] == values


@pytest.mark.parametrize(("size", "wanted"), [((1, 1), (4, 3)), ((2, 5), (6, 2)), ((7, 6), (3, 6))])
def test_two_taps_per_direction_are_those_of_torch(size, wanted):
    """Enlarged and shrunk, down to one pixel, where nothing lies beyond the border."""
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    tensor = torch.from_numpy(frame).permute(2, 0, 1)[None].double()
    expected = torch.nn.functional.interpolate(tensor, wanted, mode="bilinear", align_corners=False)
    found = scaled(frame, wanted[1], wanted[0], antialias=False)
    assert np.abs(found - expected[0].permute(1, 2, 0).numpy()).max() <= 0.5 + 1e-9
