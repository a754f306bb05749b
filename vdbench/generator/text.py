"""A generator off the shelf: any diffusers text-to-video pipeline, asked for classes in words."""

from __future__ import annotations

import inspect
import json
import re
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError

from vdbench.datasets.geometry import evenly
from vdbench.errors import DataError, DependencyError
from vdbench.generator.autoencoder import quiet_diffusers, unreachable
from vdbench.generator.source import Generator, GeneratorRecord, GeneratorSpec, weights_sha256, write_record
from vdbench.seeding import seed_of
from vdbench.storage import files

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.generator.settings import SamplingSettings
    from vdbench.work.assets import Assets

LOCATION = "location.json"
INDEX = "model_index.json"
"""What diffusers writes into every folder of a pipeline: its class and its parts."""
TAKES = ("prompt", "num_inference_steps", "guidance_scale", "generator", "output_type")
"""What a pipeline is called with."""

UNLOADABLE = (
    OSError, ValueError, AttributeError, ImportError, LookupError, RuntimeError, SafetensorError, TypeError,
)  # fmt: skip
"""What diffusers raises for a folder that holds no whole pipeline."""


class TextToVideo(GeneratorSpec):
    """A pretrained pipeline. Its weights stay where they are; the asset holds what and where they are.

    Attributes:
        pipeline: folder or hub id.
        content: hash of the files' names and sizes, for a folder, so that other files are another generator.
        prompt: what it is asked for; ``{name}`` stands for the class in words.
        saw: what it was trained on, as its user says.
    """

    own_scheduler: ClassVar[bool] = True
    pipeline: str
    content: str
    prompt: str
    saw: str

    @classmethod
    def at(cls, pipeline: str, prompt: str, saw: str) -> TextToVideo:
        """The generator of a pipeline in a folder or on the hub."""
        folder = Path(pipeline).expanduser()
        listing: list[Any] = []
        if folder.is_dir():
            pipeline = str(folder.absolute())
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            listing = [[path.relative_to(folder).as_posix(), path.stat().st_size] for path in paths]
        return cls(pipeline=pipeline, content=files.digest(listing) if listing else "", prompt=prompt, saw=saw)

    def build(self, assets: Assets, folder: Path) -> None:
        """Find the pipeline, downloading it where it is on the hub, and hash its weights.

        Raises:
            DataError: there is none.
        """
        place = self._found()
        files.write_json(folder / LOCATION, str(place))
        write_record(folder, GeneratorRecord(name=self.pipeline, weights=weights_sha256(place), saw=self.saw))

    def open(self, found: Generator, train: ClipSet, device: torch.device) -> TextSampler:
        """Load the pipeline, in bfloat16 on a GPU.

        Raises:
            DataError: it cannot be loaded, or cannot be asked for a video of words.
            DependencyError: it needs a package that is not installed.
        """
        from diffusers import DiffusionPipeline

        place = Path(json.loads((found.folder / LOCATION).read_text(encoding="utf-8")))
        _check_packages(place)
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        try:
            with quiet_diffusers(), warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # its older versions know no other name than torch_dtype
                pipeline = DiffusionPipeline.from_pretrained(place, torch_dtype=dtype)
        except UNLOADABLE as error:
            raise unreachable("pipeline", place, "generator.pipeline", error) from error
        if missing := [name for name in TAKES if name not in inspect.signature(pipeline.__call__).parameters]:
            raise _no_video(pipeline, f"takes no {' and no '.join(missing)}")
        pipeline.set_progress_bar_config(disable=True)
        return TextSampler(pipeline.to(device), self.prompt, train.frames, train.size)

    def describe(self) -> dict[str, Any]:
        """The pipeline, which files it consists of, and its prompt."""
        return {"source": "pipeline", **self.model_dump(mode="json", include={"pipeline", "content", "prompt"})}

    def _found(self) -> Path:
        from diffusers import DiffusionPipeline

        folder = Path(self.pipeline)
        if (folder / INDEX).is_file():
            return folder
        if folder.is_dir():
            raise DataError(
                f"{folder} holds no pipeline: {INDEX} is missing; name the folder that save_pretrained of a "
                "diffusers pipeline wrote: --set generator.pipeline=FOLDER"
            )
        try:
            with quiet_diffusers():
                return Path(DiffusionPipeline.download(self.pipeline))
        except (OSError, ValueError) as error:
            raise unreachable("pipeline", self.pipeline, "generator.pipeline", error) from error


class TextSampler:
    """A text-to-video pipeline in memory.

    Args:
        pipeline: on its device.
        prompt: with ``{name}``.
        frames: per clip wanted.
        size: of a frame wanted, in pixels.
    """

    def __init__(self, pipeline: Any, prompt: str, frames: int, size: int) -> None:
        self.pipeline, self.prompt, self.frames, self.size = pipeline, prompt, frames, size

    def __call__(
        self, class_name: str, rngs: Sequence[np.random.Generator], sampling: SamplingSettings
    ) -> NDArray[np.uint8]:
        """Clips of a class, one by one, so that none depends on its neighbours.

        The pipeline's own scheduler is used; steps and guidance are those of ``sampling``.
        """
        prompt = self.prompt.replace("{name}", readable(class_name))
        return np.stack([self._one(prompt, seed_of(rng), sampling) for rng in rngs])

    def _one(self, prompt: str, seed: int, sampling: SamplingSettings) -> NDArray[np.uint8]:
        out = self.pipeline(
            prompt=prompt,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        )
        if not hasattr(out, "frames"):
            raise _no_video(self.pipeline, "gives no frames")
        frames = np.asarray(out.frames[0])
        if frames.ndim != 4 or frames.shape[-1] != 3:
            raise DataError(f"the pipeline gives arrays of shape {frames.shape}, not frames (T, H, W, 3)")
        if len(frames) < self.frames:
            raise DataError(
                f"the pipeline makes {len(frames)} frames, fewer than the {self.frames} of a clip; choose another one, "
                f"or shorter clips with --set protocol.frames={len(frames)}"
            )
        pixels = (frames[evenly(len(frames), self.frames)].clip(0, 1) * 255).round().astype(np.uint8)
        return np.stack([_square(frame, self.size) for frame in pixels])


def _check_packages(place: Path) -> None:
    """Pipelines put words into numbers by transformers; without it, diffusers fails in ways that do not say so."""
    index = place / INDEX
    if find_spec("transformers") is None and index.is_file() and '"transformers"' in index.read_text(encoding="utf-8"):
        raise DependencyError(
            f"the pipeline in {place} needs a package that is not installed; type: pip install 'vdbench[hf]'"
        )


def _no_video(pipeline: Any, why: str) -> DataError:
    return DataError(
        f"{type(pipeline).__name__} {why}, so it is no text-to-video pipeline; name another one: "
        "--set generator.pipeline=FOLDER"
    )


def readable(class_name: str) -> str:
    """A class name in words: ``ApplyEyeMakeup`` and ``brush_hair`` as ``apply eye makeup`` and ``brush hair``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", class_name)
    return " ".join(re.sub(r"[_\[\]]+", " ", words).split()).lower()


def _square(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The middle square of a frame at another size."""
    height, width = frame.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = Image.fromarray(np.ascontiguousarray(frame[top : top + side, left : left + side]))
    return np.asarray(image.resize((size, size), Image.Resampling.BOX if size <= side else Image.Resampling.BICUBIC))
