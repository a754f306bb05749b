"""Pipelines off the shelf: asked for classes in words, one clip at a time, cut to the train split's geometry."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from PIL import Image

from tests.cli.conftest import Cli, cli, home, migrated, mlflow_store, prepared, results, tiny_run, world  # noqa: F401
from tests.generator.tiny_pipeline import FRAMES, HEIGHT, WIDTH, save_image_pipeline, save_pipeline
from vdbench.clips.clipset import ClipSet
from vdbench.errors import DataError
from vdbench.generator.choice import pool_spec
from vdbench.generator.sampling import Sampled
from vdbench.generator.settings import GeneratorSettings, SamplingSettings, generator_settings
from vdbench.generator.source import weights_sha256
from vdbench.generator.text import TextSampler, TextToVideo
from vdbench.seeding import generator, seed_of
from vdbench.testing import tiny_clips
from vdbench.work.assets import Assets

QUICK = {"per_class": 3, "batch": 2, "steps": 2}


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers", reason="NO TEXT-TO-VIDEO PIPELINE: pip install 'vdbench[hf]'")
    return save_pipeline(tmp_path_factory.mktemp("pipelines") / "tiny")


def assets_in(folder: Path, train: ClipSet | None = None) -> Assets:
    return Assets(folder, train or tiny_clips(), torch.device("cpu"))


def settings(pipeline: Path, **changes: Any) -> GeneratorSettings:
    return generator_settings({"pipeline": str(pipeline), "sampling": QUICK, **changes})


def opened(pipeline: Path, folder: Path, train: ClipSet | None = None, prompt: str = "a video of {name}") -> Any:
    assets = assets_in(folder, train)
    spec = TextToVideo.at(str(pipeline), prompt, "web videos")
    return spec.open(assets.get(spec), assets.train, assets.device)


def test_a_pool_is_of_the_train_splits_geometry_and_says_what_made_it(pipeline: Path, tmp_path: Path) -> None:
    assets = assets_in(tmp_path)
    spec = pool_spec(settings(pipeline, saw="web videos"), "tiny", assets.train)
    pool = assets.get(spec)
    assert pool.clips.clips.dtype == np.uint8
    assert pool.clips.clips.shape == (9, *assets.train.clips.shape[1:])
    assert pool.clips.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(np.unique(pool.clips.clips.reshape(9, -1), axis=0)) == 9
    assert pool.clips.clips.std() > 10
    assert pool.record.generator == str(pipeline)
    assert pool.record.weights == weights_sha256(pipeline)
    assert len(pool.record.weights) == 64
    assert (pool.record.saw, pool.record.steps, pool.record.seed) == ("web videos", 2, 0)
    assert pool.record.scheduler == "its own"
    assert settings(pipeline).saw == "unknown"


def test_a_clip_is_the_pipelines_own_cut_to_the_geometry(pipeline: Path, tmp_path: Path) -> None:
    """What the pipeline gives when it is asked by hand: 9 frames of 16x32, of which a clip takes 4 and the middle."""
    from diffusers import DiffusionPipeline

    clip = opened(pipeline, tmp_path)("red", [generator(0, 5)], SamplingSettings(steps=2, guidance=3))[0]
    raw = DiffusionPipeline.from_pretrained(pipeline)(
        prompt="a video of red",
        num_inference_steps=2,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(seed_of(generator(0, 5))),
        output_type="np",
    ).frames[0]
    assert raw.shape == (FRAMES, HEIGHT, WIDTH, 3)
    expected = np.round(raw[[1, 3, 5, 7], :, 8:24] * 255)
    assert np.abs(clip.astype(int) - expected).max() <= 1


def test_no_clip_depends_on_those_beside_it(pipeline: Path, tmp_path: Path) -> None:
    sampler, quick = opened(pipeline, tmp_path), SamplingSettings(steps=2)
    three = sampler("red", [generator(0, n) for n in range(3)], quick)
    alone = sampler("red", [generator(0, 2)], quick)
    again = opened(pipeline, tmp_path)("red", [generator(0, 2), generator(0, 0)], quick)
    assert three[2].tobytes() == alone[0].tobytes() == again[0].tobytes()
    assert three[0].tobytes() == again[1].tobytes()
    assert np.abs(three[0].astype(int) - three[1]).max() > 30


def test_seed_prompt_steps_and_guidance_matter(pipeline: Path, tmp_path: Path) -> None:
    sampler = opened(pipeline, tmp_path / "a")
    other = opened(pipeline, tmp_path / "b", prompt="{name}, {close} up")
    quick = SamplingSettings(steps=2)
    clips = [
        sampler("red", [generator(0, 0)], quick),
        sampler("red", [generator(1, 0)], quick),
        sampler("green", [generator(0, 0)], quick),
        sampler("red", [generator(0, 0)], SamplingSettings(steps=3)),
        sampler("red", [generator(0, 0)], SamplingSettings(steps=2, guidance=8)),
        other("red", [generator(0, 0)], quick),
    ]
    assert len({clip.tobytes() for clip in clips}) == len(clips)


def test_the_pieces_of_a_pool_draw_each_clip_by_its_number(pipeline: Path, tmp_path: Path) -> None:
    """In pieces of one or of three, the clips are the same; by another seed, none is."""
    train = tiny_clips()

    def clips(folder: str, **sampling: int) -> bytes:
        spec = pool_spec(settings(pipeline, sampling={**QUICK, **sampling}), "tiny", train)
        piece = next(part for part in spec.parts() if isinstance(part, Sampled) and part.first == 0)
        return assets_in(tmp_path / folder, train).get(piece)[:1].tobytes()

    assert clips("one", batch=1) == clips("three", batch=3)
    assert clips("one", batch=1, seed=1) != clips("one", batch=1)


class Recorder:
    """Stands for a pipeline: keeps what it is asked, and gives frames of one colour each."""

    def __init__(self, shape: tuple[int, ...] = (8, 20, 12, 3)) -> None:
        self.asked: list[dict[str, Any]] = []
        self.shape = shape

    def __call__(self, **asked: Any) -> SimpleNamespace:
        self.asked.append(asked)
        frames = np.zeros((1, *self.shape)) + np.linspace(-0.5, 1.5, self.shape[0]).reshape(-1, 1, 1, 1)
        return SimpleNamespace(frames=frames)


def test_classes_are_asked_for_in_words_and_by_generators_of_their_own() -> None:
    recorder = Recorder()
    sampler = TextSampler(recorder, "{name}: {name} in {4k}", frames=4, size=8)
    clips = sampler("ApplyEyeMakeup", [generator(0, 0), generator(0, 1)], SamplingSettings(steps=7, guidance=5))
    assert {asked["prompt"] for asked in recorder.asked} == {"apply eye makeup: apply eye makeup in {4k}"}
    assert {(asked["num_inference_steps"], asked["guidance_scale"]) for asked in recorder.asked} == {(7, 5)}
    first, second = (asked["generator"] for asked in recorder.asked)
    assert first.initial_seed() != second.initial_seed()
    assert first.initial_seed() == seed_of(generator(0, 0))
    assert clips.shape == (2, 4, 8, 8, 3)
    assert clips[0, :, 0, 0, 0].tolist() == [0, 91, 237, 255]  # frames 1, 3, 5 and 7; what lies outside is cut


def test_frames_are_cut_to_their_middle_square_and_resized() -> None:
    ramp = np.tile(np.arange(20) / 20, (1, 4, 12, 3, 1)).transpose(0, 1, 4, 2, 3)

    def ask(**asked: Any) -> SimpleNamespace:
        return SimpleNamespace(frames=ramp)

    frame = TextSampler(ask, "{name}", frames=2, size=6)("red", [generator(0)], SamplingSettings())[0, 0]
    rows = np.round(np.arange(20) / 20 * 255)[4:16].reshape(6, 2).mean(axis=1)
    assert np.abs(frame[:, 3, 0] - rows).max() <= 1
    large = TextSampler(ask, "{name}", frames=2, size=24)("red", [generator(0)], SamplingSettings())[0, 0]
    middle = Image.fromarray(np.round(ramp[0, 0, 4:16] * 255).astype(np.uint8))
    assert np.array_equal(large, np.asarray(middle.resize((24, 24), Image.Resampling.BICUBIC)))


def test_too_few_frames_are_an_error_with_its_cure(pipeline: Path, tmp_path: Path) -> None:
    train = tiny_clips(frames=12)
    with pytest.raises(DataError, match=r"makes 9 frames, fewer than the 12 of a clip; .*protocol.frames=9"):
        opened(pipeline, tmp_path, train)("red", [generator(0)], SamplingSettings(steps=2))
    with pytest.raises(DataError, match=r"arrays of shape \(8, 20, 12, 4\), not frames"):
        TextSampler(Recorder((8, 20, 12, 4)), "{name}", 4, 8)("red", [generator(0)], SamplingSettings())


def test_a_pipeline_that_nobody_gives_is_an_error_that_names_the_local_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("nobody/no-such-pipeline", "./no/such/folder"):
        with pytest.raises(DataError) as caught:
            opened(Path(name), tmp_path)
        assert str(caught.value).startswith(f"the pipeline '{Path(name)}' is no folder here and the model hub does not")
        assert str(caught.value).endswith("--set generator.pipeline=FOLDER")
        assert "\n" not in str(caught.value)


SPOILT: list[tuple[str, bytes | dict[str, Any] | None, str]] = [
    ("model_index.json", None, "holds no pipeline: model_index.json is missing"),
    ("model_index.json", b"{", "not a valid JSON file"),
    ("model_index.json", b"{}", "cannot be loaded"),
    ("model_index.json", b"[]", "cannot be loaded"),
    ("model_index.json", {"vae": 3}, "cannot be loaded"),
    ("model_index.json", {"_class_name": "NoSuchPipeline"}, "NoSuchPipeline"),
    ("vae/diffusion_pytorch_model.safetensors", None, "cannot be loaded"),
    ("text_encoder/model.safetensors", b"no weights", "cannot be loaded"),
    ("transformer/config.json", {"num_attention_heads": 4}, "size mismatch"),
]
"""Files of a pipeline, and what becomes of them: none, other bytes, or JSON with other values."""


@pytest.mark.parametrize(("name", "change", "message"), SPOILT)
def test_a_folder_that_holds_no_whole_pipeline_is_an_error_of_one_sentence(
    pipeline: Path, tmp_path: Path, name: str, change: bytes | dict[str, Any] | None, message: str
) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "spoilt"))
    if change is None:
        (folder / name).unlink()
    elif isinstance(change, bytes):
        (folder / name).write_bytes(change)
    else:
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | change))
    with pytest.raises(DataError) as caught:
        opened(folder, tmp_path / "assets")
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert str(caught.value).endswith("--set generator.pipeline=FOLDER")
    assert "\n" not in str(caught.value)


def test_a_pipeline_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = save_image_pipeline(tmp_path / "images")
    with pytest.raises(
        DataError, match="DDIMPipeline takes no prompt and no guidance_scale, so it is no text-to-video"
    ):
        opened(folder, tmp_path)
    with pytest.raises(DataError, match="gives no frames, so it is no text-to-video pipeline"):
        TextSampler(lambda **asked: SimpleNamespace(images=[]), "{name}", 4, 8)("a", [generator(0)], SamplingSettings())


def test_other_files_are_another_generator_and_another_trial(pipeline: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "tiny"))
    before = TextToVideo.at(str(folder), "{name}", "unknown")
    assert TextToVideo.at(str(folder), "{name}", "unknown") == before
    (folder / "transformer" / "more.safetensors").write_bytes(b"12345678")
    after = TextToVideo.at(str(folder), "{name}", "unknown")
    assets = assets_in(tmp_path)
    assert assets.folder(before) != assets.folder(after)
    assert before.describe() != after.describe()
    assert before.describe()["pipeline"] == str(folder)


@pytest.mark.slow
def test_without_transformers_it_says_what_to_type(pipeline: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r}); sys.modules['transformers'] = None\n"
        "from pathlib import Path\n"
        "from tests.generator.test_text import opened\n"
        f"opened(Path({str(pipeline)!r}), Path({str(tmp_path)!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("vdbench.errors.DependencyError: the pipeline in")
    assert last.endswith("type: pip install 'vdbench[hf]'")


@pytest.mark.slow
def test_a_run_selects_from_a_pipelines_clips(
    cli: Cli,  # noqa: F811
    home: Path,  # noqa: F811
    pipeline: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri := f"sqlite:///{tmp_path / 'own.db'}")
    monkeypatch.chdir(tmp_path)
    words = [f"generator.pipeline={pipeline}", "generator.saw=web videos"]
    words += [f"generator.sampling.{name}={value}" for name, value in QUICK.items()]
    answer = cli(*tiny_run(home, *(part for word in words for part in ("--set", word)), methods="random@generated"))
    answer.ended(0)
    (result,) = (r for r in results(home).values() if r.pool == "generated")
    assert (result.status, result.label) == ("done", "random@generated")
    assert result.provenance is not None
    assert result.provenance.pool == "generated"
    assert result.settings["generator"]["pipeline"] == str(pipeline)
    assert "web videos" in result.model_dump_json()
    (sheet,) = (home / "generator").glob("*/sheet.png")
    assert str(sheet) in answer.err
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("vdbench-generator")
    assert experiment is not None
    logged = {run.info.run_name.split()[0]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(logged) == {"generator", "pool"}
    assert [file.path for file in client.list_artifacts(logged["pool"].info.run_id)] == ["sheet.png"]
    missing = cli(*tiny_run(home, "--set", f"generator.pipeline={home}", methods="random@generated"))
    assert missing.code in {1, 3}
    assert "holds no pipeline: model_index.json is missing" in missing.out + missing.err
    assert "Traceback" not in missing.out + missing.err
