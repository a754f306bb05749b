"""Autoencoders that are published as two files of plain weights become networks, by their shapes alone."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file
from torch.nn.functional import group_norm

from vdbench.errors import DataError
from vdbench.generator.autoencoder import decode, encode, load_autoencoder
from vdbench.generator.choice import generator_spec
from vdbench.generator.sampling import SamplingSettings
from vdbench.generator.settings import generator_settings
from vdbench.generator.taesd import PlainAutoencoder, layers_of, load_plain
from vdbench.seeding import generator, seeded
from vdbench.testing import tiny_clips, tiny_task

Weights = dict[str, torch.Tensor]


def tiny(latents: int = 6) -> AutoencoderTiny:
    with seeded(0):
        return AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            num_encoder_blocks=(1, 2, 1),
            num_decoder_blocks=(2, 1, 1),
            latent_channels=latents,
        ).eval()


def as_published(network: AutoencoderTiny) -> tuple[Weights, Weights]:
    """The weights of its halves; the published decoder begins with the cut, which diffusers does not count."""
    halves: tuple[Weights, Weights] = ({}, {})
    for name, weight in network.state_dict().items():
        half, _, number, rest = name.split(".", 3)
        if half == "encoder":
            halves[0][f"{number}.{rest}"] = weight.half()
        else:
            halves[1][f"{int(number) + 1}.{rest}"] = weight.half()
    return halves


def save(folder: Path, halves: tuple[Weights, Weights], suffix: str = ".pth") -> Path:
    folder.mkdir()
    (folder / "LICENSE").write_text("free")
    for name, weights in zip(("encoder", "decoder"), halves, strict=True):
        path = folder / f"tae_{name}{suffix}"
        save_file(weights, path) if suffix == ".safetensors" else torch.save(weights, path)
    return folder


def frames() -> torch.Tensor:
    return torch.from_numpy(tiny_clips().clips[:3].copy())


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_it_computes_what_diffusers_does_with_the_same_weights(tmp_path: Path, suffix: str) -> None:
    theirs = tiny().half().float()
    ours = load_autoencoder(save(tmp_path / "plain", as_published(theirs), suffix))
    assert isinstance(ours, PlainAutoencoder)
    assert ours.dtype == torch.float32
    latents = encode(ours, frames())
    assert latents.shape == (3, 6, 4, 4, 4)
    torch.testing.assert_close(latents, encode(theirs, frames()))
    wild = torch.randn(2, 6, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 5  # the cut matters
    torch.testing.assert_close(decode(ours, wild), decode(theirs, wild))
    assert decode(ours, wild).float().std() > 5


def test_wide_blocks_mix_the_channels_of_the_whole_image_first(tmp_path: Path) -> None:
    encoder, decoder = as_published(tiny())
    chance = torch.Generator().manual_seed(1)
    pool = {
        "pool.0.weight": torch.randn(32, 8, 1, 1, generator=chance),
        "pool.1.weight": torch.rand(32, generator=chance),
        "pool.1.bias": torch.rand(32, generator=chance),
        "pool.3.weight": torch.randn(8, 32, 1, 1, generator=chance),
    }
    encoder |= {f"1.{name}": weight for name, weight in pool.items()}
    folder = save(tmp_path / "plain", (encoder, decoder))
    network = load_autoencoder(folder)
    assert [kind for kind, _, _ in layers_of(encoder)][:3] == ["conv", "wide-block", "shrink"]
    maps = torch.rand(2, 8, 5, 5, generator=chance)
    wide = torch.einsum("nchw,kc->nkhw", maps, pool["pool.0.weight"][..., 0, 0])
    wide = group_norm(wide, 4, pool["pool.1.weight"], pool["pool.1.bias"]).relu()
    mixed = maps + torch.einsum("nkhw,ck->nchw", wide, pool["pool.3.weight"][..., 0, 0])
    block = network.encoder[1]
    torch.testing.assert_close(block(maps), (block.conv(mixed) + mixed).relu(), atol=1e-4, rtol=1e-4)


def test_a_generator_is_trained_on_its_latents_and_needs_the_folder_no_more(tmp_path: Path) -> None:
    folder = save(tmp_path / "plain", as_published(tiny()))
    settings = generator_settings(
        {
            "autoencoder": {"pretrained": str(folder)},
            "denoiser": {"heads": 2, "head_dim": 8, "layers": 1},
            "training": {"steps": 2, "batch": 4},
        }
    )
    task = tiny_task(tmp_path / "task")
    spec = generator_spec(settings, "tiny", task.train)
    made = task.assets.get(spec)
    for path in folder.iterdir():
        path.unlink()
    assert "outside data" in made.record.saw
    sampler = spec.open(made, task.train, torch.device("cpu"))
    clips = sampler("red", [generator(0, 1), generator(0, 2)], SamplingSettings(steps=2))
    assert clips.shape == (2, 4, 16, 16, 3)
    assert clips.dtype == "uint8"


@pytest.mark.parametrize(
    ("half", "spoilt"),
    [
        ("encoder", {"1.attention.weight": torch.zeros(8, 8)}),
        ("decoder", {"layers.3.weight": torch.zeros(8, 8)}),
        ("encoder", {"1.conv.2.weight": torch.zeros(8, 4, 3, 3)}),
        ("encoder", {"0": torch.zeros(3)}),
        ("decoder", None),
    ],
    ids=["unknown layers", "names without numbers", "another shape", "no layer", "nothing"],
)
def test_weights_of_another_network_are_refused(tmp_path: Path, half: str, spoilt: Weights | None) -> None:
    encoder, decoder = as_published(tiny())
    weights = {"encoder": encoder, "decoder": decoder}
    weights[half] = {} if spoilt is None else weights[half] | spoilt
    folder = save(tmp_path / "plain", (weights["encoder"], weights["decoder"]))
    with pytest.raises(DataError, match="are not the weights of a tiny autoencoder .*; name a folder of one") as caught:
        load_autoencoder(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files_that_are_no_weights_are_refused_and_run_nothing(tmp_path: Path, suffix: str) -> None:
    folder = save(tmp_path / "plain", as_published(tiny()), suffix)
    (folder / f"tae_decoder{suffix}").write_bytes(b"no weights")
    with pytest.raises(DataError, match="are not the weights of a tiny autoencoder"):
        load_autoencoder(folder)
    if suffix == ".pth":
        torch.save({"0.weight": Path("a pickled object")}, folder / "tae_decoder.pth")
        with pytest.raises(DataError, match="are not the weights of a tiny autoencoder"):
            load_plain(folder / "tae_encoder.pth", folder / "tae_decoder.pth")


def test_a_folder_with_one_half_is_no_autoencoder(tmp_path: Path) -> None:
    folder = save(tmp_path / "plain", as_published(tiny()))
    (folder / "tae_decoder.pth").unlink()
    with pytest.raises(DataError, match=r"cannot be loaded \(.*config.json.*--set generator.autoencoder.pretrained="):
        load_autoencoder(folder)


def test_a_damaged_folder_of_diffusers_is_an_error_of_one_sentence(tmp_path: Path) -> None:
    tiny().save_pretrained(tmp_path / "tiny")
    assert isinstance(load_autoencoder(tmp_path / "tiny"), AutoencoderTiny)
    other = tiny(latents=7)
    other.save_config(tmp_path / "tiny")
    with pytest.raises(DataError, match=r"cannot be loaded \(.*; name another: --set") as caught:
        load_autoencoder(tmp_path / "tiny")
    assert "\n" not in str(caught.value)
