"""A generator learns from train clips alone, resumes to the same bits, and fills a pool that says what made it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import vdbench.generator
from vdbench.clips.clipset import ClipSet
from vdbench.errors import DataError, UsageError
from vdbench.generator import autoencoder as autoencoders
from vdbench.generator.autoencoder import decode, encode, load_autoencoder
from vdbench.generator.choice import generator_spec, pool_spec
from vdbench.generator.sampling import GeneratedPool, Sampled
from vdbench.generator.settings import GeneratorSettings, SamplingSettings, generator_settings
from vdbench.generator.shipped import ShippedGenerator, shipped_for
from vdbench.generator.source import read_generator
from vdbench.generator.text import readable
from vdbench.generator.training import TrainedGenerator, TrainedSampler
from vdbench.seeding import generator
from vdbench.testing import tiny_clips
from vdbench.work.assets import Assets

SHIPPED = Path(vdbench.generator.__file__).parent / "shipped" / "motion-digits-8x32"
SMALL = {
    "autoencoder": {"steps": 30, "width": 8, "channels": 8, "batch": 8},
    "denoiser": {"heads": 2, "head_dim": 8, "layers": 1},
    "training": {"steps": 40, "batch": 8, "views": 2},
    "sampling": {"per_class": 3, "batch": 2, "steps": 4},
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


def small(**changes: Any) -> GeneratorSettings:
    return generator_settings({**SMALL, **changes})


def assets_in(folder: Path, train: ClipSet | None = None, **hooks: Any) -> Assets:
    return Assets(folder, train or tiny_clips(), torch.device("cpu"), **hooks)


def pool_bytes(folder: Path, train: ClipSet | None = None, **hooks: Any) -> bytes:
    assets = assets_in(folder, train, **hooks)
    return assets.get(pool_spec(small(), "tiny", assets.train)).clips.clips.tobytes()


def test_a_pool_has_its_clips_and_says_what_made_them(tmp_path: Path) -> None:
    assets = assets_in(tmp_path)
    spec = pool_spec(small(), "tiny", assets.train)
    pool = assets.get(spec)
    assert pool.clips.clips.shape == (9, *assets.train.clips.shape[1:])
    assert pool.clips.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert pool.clips.normalisation == assets.train.normalisation
    assert len(np.unique(pool.clips.clips.reshape(9, -1), axis=0)) == 9
    made = assets.get(spec.generator).record
    assert pool.record.model_dump(include={"weights", "saw", "per_class", "steps", "guidance", "scheduler"}) == {
        "weights": made.weights,
        "saw": "train",
        "per_class": 3,
        "steps": 4,
        "guidance": 2.0,
        "scheduler": "dpm++",
    }
    assert pool.record.bytes == pool.clips.clips.nbytes
    assert pool.record.seconds > 0
    assert made.clips == tuple(sorted(assets.train.ids))


def test_every_clip_is_the_same_whichever_others_are_sampled() -> None:
    sampler = TrainedSampler.load(SHIPPED, torch.device("cpu"))
    both = sampler("left", [generator(0, n) for n in (0, 1)], SamplingSettings(steps=4)).astype(int)
    alone = sampler("left", [generator(0, 1)], SamplingSettings(steps=4))
    assert np.abs(both[1] - alone[0]).max() <= 1
    assert np.abs(both[0] - both[1]).max() > 30


@pytest.mark.parametrize("stage", ["autoencoder loss", "denoiser loss"])
def test_killed_in_training_it_ends_in_the_same_pool(tmp_path: Path, stage: str) -> None:
    def kill(step: int, **metrics: float) -> None:
        if stage in metrics and step >= 20:
            raise Killed

    with pytest.raises(Killed):
        pool_bytes(tmp_path / "killed", report=kill)
    assert list((tmp_path / "killed").glob("*/.*.state/state.safetensors"))
    assert pool_bytes(tmp_path / "killed") == pool_bytes(tmp_path / "whole")
    assert not list((tmp_path / "killed").glob("*/.*.state"))


def test_killed_in_sampling_it_goes_on_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build, built = Sampled.build, []

    def killing(self: Sampled, assets: Assets, folder: Path) -> None:
        if len(built) == 3:
            built.append("killed")
            raise Killed
        built.append(self.class_name)
        build(self, assets, folder)

    monkeypatch.setattr(Sampled, "build", killing)
    with pytest.raises(Killed):
        pool_bytes(tmp_path / "killed")
    again = pool_bytes(tmp_path / "killed")
    assert built == ["red", "red", "green", "killed", "green", "blue", "blue"]
    assert again == pool_bytes(tmp_path / "whole")


def test_another_seed_gives_other_clips(tmp_path: Path) -> None:
    assets = assets_in(tmp_path)
    pools = [
        assets.get(pool_spec(small(sampling={**SMALL["sampling"], "seed": seed}), "tiny", assets.train))
        for seed in (0, 1)
    ]
    assert pools[0].clips.fingerprint != pools[1].clips.fingerprint


def test_it_reads_nothing_but_the_train_file(tmp_path: Path) -> None:
    """Validation and test clips lie beside the train clips, as a view has them, and cannot be read."""
    view, clips = tmp_path / "view", tiny_clips()
    for part in ("train", "validation", "test"):
        (view / part).mkdir(parents=True)
        np.save(view / part / "clips.npy", clips.clips)
    clean = pool_bytes(tmp_path / "clean", replace(clips, clips=np.load(view / "train" / "clips.npy", mmap_mode="r")))
    for part in ("validation", "test"):
        (view / part / "clips.npy").write_bytes(b"poison")
        (view / part / "clips.npy").chmod(0)
    poisoned = replace(clips, clips=np.load(view / "train" / "clips.npy", mmap_mode="r"))
    assert pool_bytes(tmp_path / "poisoned", poisoned) == clean


def test_one_changed_train_clip_is_another_generator(tmp_path: Path) -> None:
    train = tiny_clips()
    other = replace(train, fingerprint="another")
    spec = generator_spec(small(), "tiny", train)
    assert assets_in(tmp_path, train).folder(spec) != assets_in(tmp_path, other).folder(spec)


@pytest.mark.slow
def test_training_from_nothing_learns_the_classes(tmp_path: Path) -> None:
    """The class of a tiny clip is its colour: 400 steps are enough to see it in what is sampled."""
    train = tiny_clips()
    settings = generator_settings(
        {
            "autoencoder": {"steps": 400, "width": 16, "channels": 16},
            "denoiser": {"heads": 2, "head_dim": 24, "layers": 2},
            "training": {"steps": 400, "lr": 3e-3, "ema": 0.99},
            "sampling": {"per_class": 8, "steps": 12},
        }
    )
    assets = assets_in(tmp_path, train)
    pool = assets.get(pool_spec(settings, "tiny", train)).clips
    brightest = pool.clips.astype(float).reshape(len(pool), -1, 3).max(axis=1).argmax(axis=1)
    assert (brightest == pool.labels).mean() > 0.8
    losses = json.loads((assets.get(generator_spec(settings, "tiny", train)).folder / "losses.json").read_text())
    steps, values = zip(*losses, strict=True)
    assert steps == tuple(range(20, 401, 20))
    assert np.mean(values[-3:]) < 0.6 * values[0]


@pytest.mark.parametrize("roll", [False, True])
def test_stacks_are_successive_frames_that_reach_the_device_as_pixels(roll: bool) -> None:
    train = tiny_clips()
    found = autoencoders._stacks(train, np.random.default_rng(0), 5, 2, roll, torch.device("cpu"))
    rng = np.random.default_rng(0)
    rows, times = rng.integers(len(train), size=5), rng.integers(train.frames - 1, size=5)
    shifts = rng.integers(train.size, size=(5, 2)) if roll else np.zeros((5, 2), int)
    for stack, row, time, by in zip(found, rows, times, shifts, strict=True):
        pixels = np.roll(train.clips[row, time : time + 2], tuple(by), (1, 2))
        signed = torch.from_numpy(pixels).float() / 127.5 - 1
        assert torch.equal(stack, torch.cat([frame.permute(2, 0, 1) for frame in signed]))
    meta = torch.device("meta")
    there = autoencoders._stacks(train.on(meta), np.random.default_rng(0), 5, 2, roll, meta)
    assert there.device == meta and there.shape == found.shape


def test_latents_of_several_frames_come_back_in_their_order(tmp_path: Path) -> None:
    assets = assets_in(tmp_path)
    spec = generator_spec(small(), "tiny", assets.train)
    assert isinstance(spec, TrainedGenerator)
    autoencoder = load_autoencoder(assets.get(spec.parts()[0]))
    clips = torch.from_numpy(np.array(assets.train.clips[:3]))
    latents = encode(autoencoder, clips)
    assert latents.shape == (3, 8, 1, 2, 2)
    assert decode(autoencoder, latents).shape == clips.shape
    turned = encode(autoencoder, clips.flip(0)).flip(0)
    assert torch.allclose(latents, turned, atol=1e-5)


def test_a_saved_autoencoder_of_diffusers_is_used(tmp_path: Path) -> None:
    from diffusers import AutoencoderKL, UNet2DModel

    vae = AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, **_two_levels("Encoder"))
    vae.save_pretrained(tmp_path / "vae")
    settings = small(autoencoder={"pretrained": str(tmp_path / "vae")})
    assets = assets_in(tmp_path / "assets")
    pool = assets.get(pool_spec(settings, "tiny", assets.train))
    assert "outside data" in pool.record.saw
    with pytest.raises(DataError, match="no folder here and the model hub does not give it"):
        load_autoencoder(str(tmp_path / "nowhere"))
    UNet2DModel(block_out_channels=(8, 8), norm_num_groups=4, **_two_levels("")).save_pretrained(tmp_path / "unet")
    with pytest.raises(DataError, match="holds a UNet2DModel; an autoencoder must be one of"):
        load_autoencoder(tmp_path / "unet")


def _two_levels(kind: str) -> dict[str, Any]:
    down, up = f"Down{kind}Block2D", f"Up{'Decoder' if kind else ''}Block2D"
    return {"down_block_types": (down, down), "up_block_types": (up, up)}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"samplng": {}}, "unknown setting 'generator.samplng'; did you mean"),
        ({"sampling": {"steps": 0}}, "generator.sampling.steps=0 is not valid"),
        ({"prompt": "a video"}, "prompt must contain {name}"),
        ({"source": "pipeline"}, "source is pipeline, but none is named"),
        ({"preset": "huge"}, "generator.preset='huge' is not valid"),
    ],
)
def test_wrong_settings_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        generator_settings(values)
    assert message in str(caught.value)


def test_a_preset_gives_way_to_what_is_set() -> None:
    paper = generator_settings({"preset": "paper", "sampling": {"steps": 50}})
    assert (paper.sampling.steps, paper.sampling.guidance, paper.denoiser.head_dim) == (50, 7.0, 72)


def test_a_shipped_generator_serves_only_splits_that_hold_all_it_saw(tmp_path: Path) -> None:
    saw = read_generator(SHIPPED).record.clips
    clips = np.zeros((len(saw), 8, 32, 32, 3), dtype=np.uint8)
    whole = replace(
        tiny_clips(), clips=clips, labels=np.zeros(len(saw), dtype=np.int64), groups=saw, ids=saw, fingerprint="digits"
    )
    spec = shipped_for("motion-digits", whole)
    assert spec is not None
    assert assets_in(tmp_path, whole).get(spec).record.weights == spec.weights
    assert shipped_for("motion-digits", replace(whole, ids=("held-out", *saw[1:]))) is None
    assert shipped_for("ucf101", whole) is None
    damaged = ShippedGenerator(name=spec.name, weights="0" * 64)
    with pytest.raises(DataError, match="is damaged; install vdbench again"):
        assets_in(tmp_path, whole).get(damaged)
    assert isinstance(generator_spec(GeneratorSettings(source="trained"), "motion-digits", whole), TrainedGenerator)


def test_nothing_of_the_shipped_weights_names_a_machine() -> None:
    texts = [path.read_text() for path in SHIPPED.rglob("*.json")]
    assert len(texts) == 7
    assert not [text for text in texts if "/home/" in text or "/root/" in text]


def test_class_names_are_put_into_words() -> None:
    names = ["ApplyEyeMakeup", "brush_hair", "YoYo", "Pushing [something] so that it moves", "riding mule"]
    words = ["apply eye makeup", "brush hair", "yo yo", "pushing something so that it moves", "riding mule"]
    assert [readable(name) for name in names] == words


def test_the_pieces_of_a_pool_are_built_before_it_and_after_the_generator(tmp_path: Path) -> None:
    assets = assets_in(tmp_path)
    spec = pool_spec(small(), "tiny", assets.train)
    waves = [(wave, type(part).__name__) for wave, part in assets.missing([spec])]
    assert waves == [
        (0, "TrainedAutoencoder"),
        (1, "TrainedGenerator"),
        *[(2, "Sampled")] * 6,
        (3, GeneratedPool.__name__),
    ]
