"""d4m and mode-guided by denoisers whose answers are known, and on a generator that is really trained."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from vdbench.errors import UsageError
from vdbench.generator.pipeline import ClassVideoPipeline, noise_schedule
from vdbench.generator.settings import SamplingSettings
from vdbench.generator.source import Generator, GeneratorRecord, GeneratorSpec, write_record
from vdbench.generator.text import TextToVideo
from vdbench.generator.training import TrainedSampler
from vdbench.method import Method, Task
from vdbench.seeding import generator
from vdbench.testing import TinyPool, check_method, tiny_clips, tiny_task
from vdbench.work.assets import Assets
from vdbench_methods.d4m import D4M, D4MSettings
from vdbench_methods.mode_guided import ModeGuided, ModeGuidedSettings

METHODS: list[type[Method[Any]]] = [D4M, ModeGuided]
DDIM = SamplingSettings(scheduler="ddim", steps=20, guidance=1, batch=2)
TRAIN = tiny_clips()


class Frames(torch.nn.Module):
    """An autoencoder whose latents are the frames."""

    config = SimpleNamespace(in_channels=3)
    device, dtype = torch.device("cpu"), torch.float32

    def encode(self, frames: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(latents=frames)

    def decode(self, latents: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=latents)


class Denoiser(torch.nn.Module):
    """Predicts noise from what it takes for the clean latents, told by the latents, their class and both parts."""

    device = torch.device("cpu")
    config = SimpleNamespace(in_channels=3, video_length=TRAIN.frames, sample_size=TRAIN.size)

    def __init__(self, clean: Callable[[torch.Tensor, int, float, float], torch.Tensor], prediction: str) -> None:
        super().__init__()
        self.clean, self.prediction, self.schedule = clean, prediction, noise_schedule(prediction)

    def forward(self, latents: torch.Tensor, time: torch.Tensor, captions: torch.Tensor) -> SimpleNamespace:
        kept = float(self.schedule.alphas_cumprod[time[0]])
        signal, noise = math.sqrt(kept), math.sqrt(1 - kept)
        clean = self.clean(latents, int(captions[0, 0].argmax()), signal, noise)
        epsilon = (latents - signal * clean) / noise
        return SimpleNamespace(sample=epsilon if self.prediction == "epsilon" else signal * epsilon - noise * clean)


def unmoved(latents: torch.Tensor, label: int, signal: float, noise: float) -> torch.Tensor:
    """There is no noise: what is seen is the clean latents, scaled."""
    return latents / signal


def looks(label: int) -> torch.Tensor:
    """The mean clips of the three looks of a class, as latents ``(3, 3, T, H, W)``."""
    rows = TRAIN.rows_of(label)
    groups = np.array([TRAIN.groups[row] for row in rows])
    means = [TRAIN.clips[rows[groups == group]].mean(axis=0) for group in sorted(set(groups))]
    return torch.from_numpy(np.stack(means)).float().div(127.5).sub(1).permute(0, 4, 1, 2, 3)


def one_of_the_looks(latents: torch.Tensor, label: int, signal: float, noise: float) -> torch.Tensor:
    """The best estimate where every clip of a class is one of its looks, each as likely."""
    atoms = looks(label)
    distance = (latents[:, None] - signal * atoms[None]).square().flatten(2).sum(dim=2)
    return torch.einsum("nk,kcthw->ncthw", (-distance / (2 * noise**2)).softmax(dim=1), atoms)


def pipeline_of(clean: Callable[..., torch.Tensor], prediction: str = "v_prediction") -> ClassVideoPipeline:
    """The pipeline of a denoiser, whose latents are frames in -1..1."""
    denoiser: Any = Denoiser(clean, prediction)
    return ClassVideoPipeline(Frames(), denoiser, noise_schedule(prediction), TRAIN.classes, [0.0] * 3, [1.0] * 3)


class Planted(GeneratorSpec):
    """A generator that knows the looks of each class."""

    kind: ClassVar[str] = "planted"

    def build(self, assets: Assets, folder: Path) -> None:
        write_record(folder, GeneratorRecord(name="planted", weights="planted", saw="train"))

    def open(self, found: Generator, train: Any, device: torch.device) -> TrainedSampler:
        return TrainedSampler(pipeline_of(one_of_the_looks))

    def describe(self) -> dict[str, Any]:
        return {"source": "planted"}


def planted(folder: Path, ipc: int, seed: int = 0, sampling: SamplingSettings = DDIM) -> Task:
    pool = TinyPool(generator=Planted(), sampling=sampling)
    return replace(tiny_task(folder, ipc, seed), pool=pool)


def looks_shown(clips: torch.Tensor, label: int) -> list[int]:
    """For clips of a class, uint8, the look that each is, to a few grey levels."""
    shown = clips.float().div(127.5).sub(1).permute(0, 4, 1, 2, 3)
    distance = (shown[:, None] - looks(label)[None]).abs().flatten(2).amax(dim=2)
    assert (distance.amin(dim=1) < 0.1).all()
    return distance.argmin(dim=1).tolist()


@pytest.mark.parametrize("method", METHODS)
def test_they_conform(method: type[Method[Any]]) -> None:
    assert check_method(method) == []


@pytest.mark.parametrize("scheduler", ["ddim", "dpm++"])
@pytest.mark.parametrize(
    "method", [D4M(D4MSettings(strength=0.5)), ModeGuided(ModeGuidedSettings(weight=0.9))], ids=["d4m", "mode-guided"]
)
@pytest.mark.parametrize("seed", range(3))
def test_with_one_clip_per_look_every_look_is_there(
    tmp_path: Path, method: Method[Any], scheduler: str, seed: int
) -> None:
    sampling = DDIM.model_copy(update={"scheduler": scheduler})
    made = method.distill(planted(tmp_path, ipc=3, seed=seed, sampling=sampling)).tensors["clips"]
    assert [sorted(looks_shown(made[3 * label : 3 * label + 3], label)) for label in range(3)] == [[0, 1, 2]] * 3


def test_without_guidance_some_seed_misses_a_look(tmp_path: Path) -> None:
    """The world tells guided clips from others."""
    method = ModeGuided(ModeGuidedSettings(weight=0))
    made = [method.distill(planted(tmp_path, ipc=3, seed=seed)).tensors["clips"][:3] for seed in range(3)]
    assert any(sorted(looks_shown(clips, 0)) != [0, 1, 2] for clips in made)


@pytest.mark.parametrize("prediction", ["v_prediction", "epsilon"])
@pytest.mark.parametrize(("weight", "stop"), [(0.1, 0.5), (0.3, 0.0), (1.0, 0.25), (0.5, 1.0)])
def test_guidance_moves_a_sample_to_its_mode_as_far_as_can_be_computed(
    weight: float, stop: float, prediction: str
) -> None:
    """Of DDIM with a denoiser that sees no noise, the rest of the way shrinks by 1 - weight * (1 - ratio of levels)."""
    pipeline = pipeline_of(unmoved, prediction)
    modes, noise = looks(0)[:2], pipeline.noise([generator(0, n) for n in range(2)])
    method = ModeGuided(ModeGuidedSettings(weight=weight, stop=stop))
    made = method.denoised(pipeline, "red", modes, noise, DDIM)
    kept = noise_schedule(prediction).alphas_cumprod.double()
    times = [950 - 50 * step for step in range(20)]
    level = [math.sqrt((1 - kept[time]) / kept[time]) for time in times] + [0.0]
    rest = (noise / kept[times[0]].sqrt()).double() - modes
    for step in range(20 - round(20 * stop)):
        rest = rest * (1 - weight * (1 - level[step + 1] / level[step]))
    torch.testing.assert_close(made.double(), modes + rest, rtol=1e-3, atol=1e-3)


def test_a_mode_is_noised_to_the_level_at_which_the_last_steps_begin() -> None:
    """A denoiser that sees no noise gives back what it was handed, without its scale: mode + noise * level."""
    pipeline = pipeline_of(unmoved)
    modes, noise = looks(1), pipeline.noise([generator(1, n) for n in range(3)])
    made = D4M(D4MSettings(strength=0.35)).denoised(pipeline, "green", modes, noise, DDIM)
    kept = noise_schedule("v_prediction").alphas_cumprod[300]  # seven of twenty steps: 300, 250, ..., 0
    torch.testing.assert_close(made, modes + noise * ((1 - kept) / kept).sqrt(), rtol=1e-3, atol=1e-3)


def test_modes_are_the_means_of_clusters() -> None:
    pipeline = pipeline_of(unmoved)
    latents = pipeline.encoded(torch.from_numpy(np.array(TRAIN.clips[TRAIN.rows_of(2)])))
    found = D4M().modes(latents, 3, np.random.default_rng(0))
    order = [int((looks(2) - mode).square().flatten(1).sum(dim=1).argmin()) for mode in found]
    assert sorted(order) == [0, 1, 2]
    torch.testing.assert_close(found, looks(2)[order], rtol=1e-4, atol=1e-4)


def test_without_guidance_clips_are_those_of_the_generators_pool(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=2, seed=3)
    made = ModeGuided(ModeGuidedSettings(weight=0)).distill(task).tensors["clips"]
    assert isinstance(task.pool, TinyPool)
    sampler = task.pool.generator.open(task.assets.get(task.pool.generator), task.train, task.device)
    for label, name in enumerate(task.train.classes):
        noise = [generator(3, "noise", name, number) for number in range(2)]
        assert np.array_equal(made[2 * label : 2 * label + 2].numpy(), sampler(name, noise, task.pool.sampling))


@pytest.mark.parametrize(("method", "steps"), [(D4M, 14), (ModeGuided, 20)])
def test_a_set_says_what_made_it_and_takes_the_bytes_of_its_pixels(
    tmp_path: Path, method: type[Method[Any]], steps: int
) -> None:
    task = planted(tmp_path, ipc=2, seed=5)
    made = method().distill(task)
    told = made.record.provenance
    assert (told.pool, told.generator, told.generator_saw, told.clip_ids) == ("generated", "planted", "train", None)
    assert told.sampled is not None
    assert told.sampled.model_dump(include={"weights", "scheduler", "steps", "seed", "per_class", "guidance"}) == {
        "weights": "planted", "scheduler": "ddim", "steps": steps, "seed": 5, "per_class": 2, "guidance": 1,
    }  # fmt: skip
    assert told.sampled.bytes == made.tensors["clips"].numel() == made.stored_bytes
    assert made.labels().tolist() == [0, 0, 1, 1, 2, 2]


def test_the_work_is_the_steps_of_all_clips(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=6)  # 18 clips in batches of 4, and 4 steps, of which 2 are tried
    whole, part = ModeGuided().work(task), D4M(D4MSettings(strength=0.5)).work(task)
    assert whole is not None
    assert part is not None
    assert [one.times for one in whole] == pytest.approx([18 / 4 * 4 / 2])
    assert [one.times for one in part] == pytest.approx([18 / 4 * 4 / 2 / 2])
    assert planted_work(tmp_path) is None


def planted_work(folder: Path) -> object:
    return D4M().work(planted(folder, ipc=1))


def test_a_generator_that_cannot_be_steered_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "model_index.json").write_text("{}")
    foreign = TextToVideo.at(str(tmp_path / "there"), "a video of {name}", "unknown")
    task = replace(tiny_task(tmp_path), pool=TinyPool(generator=foreign))
    for ask in (D4M().needs, D4M().distill):
        with pytest.raises(UsageError, match="needs a generator whose latents it can encode and steer"):
            ask(task)
    with pytest.raises(UsageError, match="makes clips by a generator, and there is none here"):
        D4M().needs(replace(task, pool=None))
