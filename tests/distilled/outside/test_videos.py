"""Folders of videos as distilled sets."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from tests import odd_videos
from tests.distilled.outside.conftest import CLASSES, LABELS, SIZE, Save, pixels, same
from vdbench.datasets.store import ClipStore
from vdbench.datasets.view import View
from vdbench.distilled.outside.loading import load_outside
from vdbench.errors import DataError, UsageError


def film(path: Path, clip: torch.Tensor) -> None:
    """Write a video that loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec, pix, options = ("libx264rgb", "rgb24", {"crf": "0"}) if path.suffix == ".mp4" else ("ffv1", "bgr0", {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8, options=options)
        stream.width, stream.height, stream.pix_fmt = clip.shape[2], clip.shape[1], pix
        for frame in clip.numpy():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))


LAYOUTS = {
    "folders": ["Archery/b.mp4", "Archery/c.mkv", "biking/clip_2.mp4", "biking/clip_10.mp4", "2/x.mkv", "2/y.mkv"],
    "names": [
        "Archery_000.mp4", "Archery-001.mkv", "Biking_9.mp4", "Biking_10.mp4", "Diving.mkv", "Diving 1.mp4",
    ],
}  # fmt: skip


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_lossless_videos_are_the_same_pixels(load: Any, tmp_path: Path, names: list[str]) -> None:
    folder = tmp_path / "films"
    for name, clip in reversed(list(zip(names, pixels(), strict=True))):
        film(folder / name, clip)
    (folder / "README.txt").write_text("about")
    (folder / ".hidden.mp4").write_bytes(b"")
    made = load(folder)
    if names[0].startswith("Archery_"):  # a dash sorts before an underscore, and a space before a dot
        order = [1, 0, 2, 3, 5, 4]
        assert same(made, pixels()[order])
    else:
        assert same(made)


def test_a_file_of_labels_names_the_classes_of_videos(load: Any, save: Save, tmp_path: Path) -> None:
    for number, clip in enumerate(pixels()):
        film(tmp_path / "films" / f"{number}.mp4", clip)
    assert same(load(tmp_path / "films", labels=save(LABELS)))
    with pytest.raises(DataError, match=r"0\.mp4 is of no class .* \(Archery/\), or call them Archery_001\.mp4"):
        load(tmp_path / "films")
    with pytest.raises(UsageError, match="no effect on videos"):
        load(tmp_path / "films", labels=save(LABELS), pixels="unit")


def test_a_video_of_the_data_set_is_the_clip_of_its_view(store: ClipStore, view: View, tmp_path: Path) -> None:
    videos = {path.name: path for path in store.folder.parents[2].rglob("*.avi")}
    rows = [int(view.train.rows_of(label)[0]) for label in range(3)]
    for row in rows:
        name = Path(view.train.ids[row]).name
        target = tmp_path / view.train.classes[view.train.labels[row]] / videos[name].name
        target.parent.mkdir()
        target.write_bytes(videos[name].read_bytes())
    with pytest.warns(UserWarning, match="3 of 3 videos are not 4 frames of 16x16 pixels; .* as those of ucf101 are"):
        made = load_outside(tmp_path, store, view.train)
    assert np.array_equal(made.tensors["clips"].numpy(), view.train.clips[rows])


def test_videos_of_a_folder_are_judged_as_they_are_shown(load: Any, tmp_path: Path) -> None:
    """Hidden frames are not judged, and a turned video stands upright: both are of the suite's shape as shown."""
    lying = np.rot90(odd_videos.numbered(12, SIZE, SIZE), 1, axes=(1, 2)).copy()
    lying[:, :, : SIZE // 2] += 120  # brighter on the left as coded, at the top as shown
    odd_videos.encode(tmp_path / "whole.mp4", lying, "libx264", crf="4", g="250")
    for name in CLASSES:
        path = tmp_path / "films" / name / "a.mp4"
        path.parent.mkdir(parents=True)
        odd_videos.cut_by_edit_list(tmp_path / "whole.mp4", path, first=8)
        odd_videos.turn(path, odd_videos.MATRICES["a quarter right"])
    clips = load(tmp_path / "films").tensors["clips"].numpy().astype(int)
    shown = 3 * np.arange(8, 12)
    assert np.abs(clips[:, :, 2].mean(axis=(2, 3)) - shown - 120).max() < 3
    assert np.abs(clips[:, :, -3].mean(axis=(2, 3)) - shown).max() < 3


def test_a_damaged_video_is_one_sentence(load: Any, tmp_path: Path) -> None:
    (tmp_path / "Archery").mkdir()
    (tmp_path / "Archery" / "a.mp4").write_bytes(b"this is no video " * 50)
    with pytest.raises(DataError, match=r"a\.mp4 cannot be opened as a video .* replace it or take it away"):
        load(tmp_path)
