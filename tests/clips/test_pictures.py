import av
import numpy as np
import pytest
from PIL import Image

from vdbench.clips import pictures
from vdbench.clips.pictures import PREVIEW_BYTES, contact_sheet, preview_video


def clips(count, frames=6, size=24):
    values = np.arange(count * frames, dtype=np.uint8).reshape(count, frames, 1, 1, 1) * 3 + 60
    return np.broadcast_to(values, (count, frames, size, size, 3)).copy()


def test_a_sheet_shows_every_clip_in_a_row_in_the_order_of_time(tmp_path):
    path = tmp_path / "deep" / "sheet.png"
    contact_sheet(clips(3), ["a", "b", "c"], path)
    pixels = np.asarray(Image.open(path).convert("L")).astype(int)
    levels = [60 + 3 * i for i in range(18)]
    places = [np.argwhere(pixels == level) for level in levels]
    assert all(len(place) >= 96 * 96 for place in places)
    middles = np.array([place.mean(axis=0) for place in places]).reshape(3, 6, 2)
    assert (np.diff(middles[:, :, 1], axis=1) > 90).all() and (np.diff(middles[:, :, 0], axis=0) > 90).all()


def test_the_same_clips_give_the_same_sheet_and_names_matter(tmp_path):
    for name, labels in (("a", ["x", "y"]), ("b", ["x", "y"]), ("c", ["x", "z"])):
        contact_sheet(clips(2), labels, tmp_path / name)
    one, two, three = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == two != three


def test_many_frames_and_clips_are_thinned_out_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "SHOWN", 3)
    monkeypatch.setattr(pictures, "MOST", 2)
    contact_sheet(clips(4, frames=9), ["0", "1", "2", "3"], tmp_path / "few.png")
    contact_sheet(clips(2, frames=3), ["0", "3"], tmp_path / "plain.png")
    few, plain = (Image.open(tmp_path / name) for name in ("few.png", "plain.png"))
    assert few.width == plain.width and 0 < few.height - plain.height < 40
    levels, counts = np.unique(np.asarray(few.convert("L")), return_counts=True)
    tiles = set(levels[counts >= 96 * 96].tolist()) & set(range(60, 200))
    assert tiles == {60 + 3 * (9 * clip + frame) for clip in (0, 3) for frame in (0, 4, 8)}


def test_a_very_long_name_does_not_push_the_frames_away(tmp_path):
    contact_sheet(clips(1), ["n" * 500], tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").width < 1000


@pytest.mark.parametrize(("count", "size"), [(1, 31), (7, 24), (12, 112)])
def test_a_preview_plays_every_frame(tmp_path, count, size):
    path = tmp_path / "preview.mp4"
    preview_video(clips(count, size=size), [f"clip {i}" for i in range(count)], path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 8 and stream.width % 2 == stream.height % 2 == 0
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
    assert len(frames) == 6
    tile = [float(frame[24:80, 24:80].mean()) for frame in frames]
    assert np.abs(np.array(tile) - (60 + 3 * np.arange(6))).max() < 3


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "preview.mp4"
    path.write_bytes(b"old")
    with pytest.raises(IndexError):
        preview_video(clips(2), ["only one"], path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_preview_of_noise_fits_a_page_and_one_that_fits_stays_as_it_is(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 32, 32, 3), dtype=np.uint8)
    flat = np.full_like(noise, 99)
    for name, content in (("noise", noise), ("flat", flat)):
        preview_video(content, ["clip"] * 8, tmp_path / f"{name}.mp4")
    assert PREVIEW_BYTES / 3 < (tmp_path / "noise.mp4").stat().st_size <= PREVIEW_BYTES
    with av.open(str(tmp_path / "flat.mp4")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(int(frame[40, 40].astype(int).mean()) - 99) <= 3
