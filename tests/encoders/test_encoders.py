"""Encoders: features are right, repeatable, computed once, and see nothing but train."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import Watch
from vdbench.clips.clipset import Normalisation
from vdbench.encoders import EncoderSettings
from vdbench.encoders.pixels import coarse_frames
from vdbench.encoders.trained import TrainedMiniC3D
from vdbench.students import build_student
from vdbench.testing import tiny_clips
from vdbench.work.assets import Assets

SMALL = {
    "pixels": {"dim": 5},
    "minic3d-random": {"width": 4},
    "minic3d-trained": {"width": 4, "epochs": 3},
}


def settings(name: str) -> EncoderSettings:
    return EncoderSettings.model_validate({"name": name, **SMALL[name]})


def assets(root: Path) -> Assets:
    return Assets(root, tiny_clips(), torch.device("cpu"))


@pytest.mark.parametrize("name", SMALL)
def test_features_are_one_finite_row_per_clip_and_repeatable(name: str, tmp_path: Path) -> None:
    spec = settings(name).features()
    one, other = (assets(tmp_path / home).get(spec) for home in "ab")
    assert one.dtype == np.float32
    assert one.shape[0] == 36
    assert np.isfinite(one).all()
    assert one.tobytes() == other.tobytes()
    assert one.std(axis=0).max() > 0


def test_network_features_are_the_students_embedding(tmp_path: Path) -> None:
    student = build_student("minic3d", 3, 4, 16, 4, seed=0).eval()
    clips = tiny_clips()
    for name in ("minic3d-random", "minic3d-trained"):
        if name == "minic3d-trained":
            spec = TrainedMiniC3D(width=4, seed=0, epochs=3, max_steps=10_000)
            student.load_state_dict(assets(tmp_path).get(spec))
        expected = student.embed(clips.render()[0]).detach().numpy()
        found = assets(tmp_path).get(settings(name).features())
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_pixel_features_are_the_projection_on_principal_components(tmp_path: Path) -> None:
    coarse = coarse_frames(tiny_clips()).astype(np.float64)
    assert coarse.shape == (36, 4 * 8 * 8 * 3)
    centred = coarse - coarse.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)[:5]
    found = assets(tmp_path).get(settings("pixels").features()).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), values, rtol=1e-4)
    assert assets(tmp_path).get(EncoderSettings(name="pixels", dim=500).features()).shape == (36, 36)


def test_components_of_clips_of_one_still_scene_are_those_of_double_precision(tmp_path: Path) -> None:
    """scikit-learn 1.9.1 makes the covariance of more clips than values in their own precision, means included."""
    rng, count = np.random.default_rng(0), 2000
    scene = rng.uniform(64, 192, (2, 8, 8, 3))
    pixels = np.clip(np.round(scene + rng.normal(size=(count, *scene.shape))), 0, 255).astype(np.uint8)
    channels, numbers = pixels.reshape(-1, 3) / 255, tuple(map(str, range(count)))
    clips = replace(
        tiny_clips(), clips=pixels, labels=np.arange(count) % 3, groups=numbers, ids=numbers,
        normalisation=Normalisation(tuple(channels.mean(axis=0)), tuple(channels.std(axis=0))),
    )  # fmt: skip
    coarse = coarse_frames(clips).astype(np.float64)
    true = np.linalg.eigvalsh(np.cov(coarse, rowvar=False))[::-1][:5]
    some = replace(clips, clips=pixels[:50], labels=clips.labels[:50], groups=numbers[:50], ids=numbers[:50])
    kept = Assets(tmp_path, clips, torch.device("cpu"))
    found = settings("pixels").features().encode(kept, clips)
    np.testing.assert_allclose(found.astype(np.float64).var(axis=0, ddof=1), true, rtol=1e-3)
    np.testing.assert_allclose(settings("pixels").features().encode(kept, some), found[:50], atol=1e-4)


def test_settings_that_do_not_concern_an_encoder_do_not_move_its_features(tmp_path: Path) -> None:
    def folder(**values: object) -> Path:
        return assets(tmp_path).folder(EncoderSettings.model_validate(values).features())

    assert folder(name="pixels", width=4) == folder(name="pixels", width=8)
    assert folder(name="minic3d-random", epochs=4) == folder(name="minic3d-random", epochs=8)
    distinct = [
        folder(name="pixels", dim=4),
        folder(name="pixels", dim=8),
        folder(name="minic3d-random", width=4),
        folder(name="minic3d-random", width=8),
        folder(name="minic3d-random", width=8, seed=1),
        folder(name="minic3d-trained", width=8, seed=1),
        folder(name="minic3d-trained", width=8, seed=1, epochs=2),
    ]
    assert len(set(distinct)) == len(distinct)


def test_a_trained_encoder_is_trained_once_for_all(tmp_path: Path, watched: Watch) -> None:
    build = watched(TrainedMiniC3D, "build")
    for _ in range(2):
        assets(tmp_path).get(settings("minic3d-trained").features())
    assert build.call_count == 1
    assert settings("minic3d-trained").saw == settings("pixels").saw == "train"
    assert settings("minic3d-random").saw == "nothing"


def _encode(root: Path) -> bytes:
    torch.set_num_threads(1)
    return assets(root).get(settings("minic3d-trained").features()).tobytes()


@pytest.mark.slow
def test_two_processes_that_ask_at_once_share_one_encoder(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, other = pool.map(_encode, [tmp_path, tmp_path])
    assert one == other
    assert len([p for p in (tmp_path / "features").iterdir() if p.is_dir()]) == 1
