"""Encoders that see single frames: one map per frame, the same whichever clips are encoded beside it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import Watch
from vdbench.clips.clipset import ClipSet
from vdbench.encoders import EncoderSettings
from vdbench.encoders.features import PoolFeatures
from vdbench.encoders.frames import CLIPS_AT_ONCE, ClipOfFrames, CnnGruFrames, FrameFeatures
from vdbench.encoders.trained import TrainedCnnGru
from vdbench.errors import UsageError
from vdbench.students import build_student
from vdbench.testing import TinyPool, tiny_clips
from vdbench.work.assets import Assets

WIDTH = 4


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings.model_validate({"name": "cnn-gru", "width": WIDTH, "epochs": 2, **changes})


def assets(root: Path, train: ClipSet | None = None) -> Assets:
    return Assets(root, train or tiny_clips(), torch.device("cpu"))


@pytest.mark.parametrize("grid", [1, 2])
def test_every_frame_has_a_map_and_it_is_repeatable(tmp_path: Path, grid: int) -> None:
    one, other = (assets(tmp_path / home).get(settings().frames(grid)) for home in "ab")
    assert one.dtype == np.float32
    assert one.shape == (36, 4, WIDTH, grid, grid)
    assert np.isfinite(one).all()
    assert one.tobytes() == other.tobytes()
    assert (one.std(axis=(0, 1)) > 0).any()


def test_a_map_is_that_of_the_trained_backbone_on_that_frame_alone(tmp_path: Path) -> None:
    train = tiny_clips()
    spec = settings().frames(2)
    assert isinstance(spec, CnnGruFrames)
    student: Any = build_student("cnn-gru", 3, 4, 16, WIDTH, seed=7)
    student.load_state_dict(assets(tmp_path).get(spec.student))
    found = assets(tmp_path).get(spec)
    for clip, time in ((0, 0), (0, 3), (35, 1)):
        pixels = torch.from_numpy(train.clips[clip, time].copy()).permute(2, 0, 1).float() / 255
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in train.normalisation)
        with torch.no_grad():
            expected = student.eval().features(((pixels - mean) / std)[None])[0]
        assert expected.shape == (WIDTH, 2, 2)
        np.testing.assert_allclose(found[clip, time], expected.numpy(), rtol=1e-4, atol=1e-5)


def test_no_clip_depends_on_those_beside_it(tmp_path: Path) -> None:
    train, spec = tiny_clips(), settings().frames(2)
    whole = assets(tmp_path).get(spec)
    assert len(train) > 2 * CLIPS_AT_ONCE
    for count in (1, CLIPS_AT_ONCE + 1):
        some = spec.encode(assets(tmp_path), train.some(range(count)))
        np.testing.assert_allclose(some, whole[:count], rtol=1e-4, atol=1e-6)


def test_a_clip_is_the_mean_of_its_frames(tmp_path: Path) -> None:
    spec = settings().features()
    assert isinstance(spec, ClipOfFrames)
    clips, frames = assets(tmp_path).get(spec), assets(tmp_path).get(settings().frames())
    assert clips.dtype == np.float32
    assert clips.shape == (36, WIDTH)
    expected = sum(frames[:, time, :, 0, 0].astype(np.float64) for time in range(4)) / 4
    np.testing.assert_allclose(clips, expected, rtol=1e-4, atol=1e-6)


def test_the_clips_of_a_pool_go_through_the_encoder_of_the_train_clips(tmp_path: Path) -> None:
    home, spec = assets(tmp_path), settings().frames(2)
    pool = home.get(TinyPool()).clips
    found = home.get(PoolFeatures(features=spec, pool=TinyPool()))
    assert found.shape == (18, 4, WIDTH, 2, 2)
    mixed = replace(
        home.train,
        clips=np.concatenate([pool.clips, home.train.clips]),
        labels=np.concatenate([pool.labels, home.train.labels]),
        groups=pool.groups + home.train.groups,
        ids=pool.ids + home.train.ids,
    )
    together = spec.encode(home, mixed)
    np.testing.assert_allclose(together[:18], found, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(together[18:], home.get(spec), rtol=1e-4, atol=1e-6)
    assert len([path for path in (tmp_path / "cnn-gru").iterdir() if path.is_dir()]) == 1


class Maps(FrameFeatures):
    """Stands for an encoder: the frame itself is its map."""

    encoder: str = "pixels-as-they-are"

    def network(self, assets: Assets) -> Any:
        return lambda frames: frames.permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("grid", [1, 2, 4, 16])
def test_a_grid_holds_the_means_of_its_cells(tmp_path: Path, grid: int) -> None:
    train = tiny_clips().some(range(5))
    side = 16 // grid
    found = Maps(grid=grid).encode(assets(tmp_path, train), train)
    expected = np.empty((5, 4, 3, grid, grid))
    for row in range(grid):
        for column in range(grid):
            cell = train.clips[:, :, row * side : (row + 1) * side, column * side : (column + 1) * side]
            expected[..., row, column] = cell.mean(axis=(2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_changes_the_features_changes_their_address(tmp_path: Path) -> None:
    def folder(grid: int = 1, **changes: Any) -> Path:
        return assets(tmp_path).folder(settings(**changes).frames(grid))

    distinct = [
        folder(),
        folder(grid=2),
        folder(width=8),
        folder(seed=1),
        folder(epochs=3),
        folder(max_steps=5),
        folder(name="efficientnet-lite0"),
        folder(name="dino"),
        assets(tmp_path).folder(settings().features()),
        assets(tmp_path).folder(settings(name="minic3d-trained").features()),
    ]
    assert len(set(distinct)) == len(distinct)
    assert folder(dim=3) == folder(dim=5)
    assert folder(name="dino", width=4) == folder(name="dino", width=8)
    other = replace(tiny_clips(), fingerprint="another split")
    assert assets(tmp_path, other).folder(settings().frames()) != folder()


@pytest.mark.parametrize("name", ["pixels", "minic3d-random", "minic3d-trained"])
def test_encoders_of_whole_clips_have_no_frames(name: str) -> None:
    with pytest.raises(UsageError, match=f"encoder {name} does not see single frames; use cnn-gru, efficientnet-lite0"):
        settings(name=name).frames()


def test_the_backbone_is_trained_once_for_every_grid(tmp_path: Path, watched: Watch) -> None:
    build = watched(TrainedCnnGru, "build")
    for spec in (settings().frames(1), settings().frames(2), settings().features()):
        assets(tmp_path).get(spec)
    assert build.call_count == 1
    assert settings().saw == "train"
