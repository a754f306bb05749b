"""Encoders that see single frames: features of every frame, as maps over space."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import SerializeAsAny

from vdbench.encoders.features import Features, FeaturesSpec
from vdbench.work.assets import AssetSpec
from vdbench.work.workload import Work, training

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.evaluation.train import Recipe
    from vdbench.work.assets import Assets

CLIPS_AT_ONCE = 16


class TrainedCnnGru(AssetSpec["dict[str, torch.Tensor]"]):
    """The weights of a CNN+GRU trained on the train split, and on nothing else.

    Attributes:
        width: channels of its convolutions.
        seed: of the initial weights and the batches.
        epochs: passes over the train split, in batches of 32.
        max_steps: training steps, at most.
    """

    kind: ClassVar[str] = "cnn-gru"
    width: int
    seed: int
    epochs: int
    max_steps: int

    def work(self, assets: Assets) -> list[Work]:
        """Its training."""
        recipe, clips = self._recipe(), len(assets.train)
        batch = min(recipe.batch, clips)
        return [training(assets.train, "cnn-gru", self.width, batch, recipe.steps(clips), assets.device)]

    def build(self, assets: Assets, folder: Path) -> None:
        """Train by the field's recipe, with smaller batches."""
        from safetensors.torch import save_file

        from vdbench.evaluation.train import train_student

        student = self.fresh(assets.train)
        recipe = self._recipe()
        log = partial(assets.report, of=recipe.steps(len(assets.train)))
        train_student(student, assets.train, recipe, self.seed, assets.device, log)
        weights = {name: tensor.cpu().contiguous() for name, tensor in student.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")

    def load(self, folder: Path) -> dict[str, torch.Tensor]:
        """Read the weights, as ``load_state_dict`` takes them."""
        from safetensors.torch import load_file

        weights: dict[str, torch.Tensor] = load_file(folder / "weights.safetensors")
        return weights

    def fresh(self, train: ClipSet) -> Any:
        """The network before its training."""
        from vdbench.students import build_student

        return build_student("cnn-gru", len(train.classes), train.frames, train.size, self.width, self.seed)

    def _recipe(self) -> Recipe:
        from vdbench.evaluation.train import Recipe

        return Recipe(batch=32, epochs=self.epochs, max_steps=self.max_steps)


class FrameFeatures(FeaturesSpec):
    """Features of every frame, float32 ``(N, T, C, grid, grid)``: the encoder's map, averaged over a grid.

    Attributes:
        grid: cells per side that a map is averaged to; 1 gives one vector per frame.
    """

    grid: int

    def network(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The encoder on its device: from frames, uint8 ``(n, H, W, 3)``, to maps, float32 ``(n, C, h, w)``."""
        raise NotImplementedError

    def untrained(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The same with any weights, to time it by; the encoder itself where none of it is trained here."""
        return self.network(assets)

    def work(self, assets: Assets) -> list[Work]:
        """Encoding every clip."""
        train = assets.train

        def ready() -> Callable[[int], object]:
            import torch

            network = self.untrained(assets)

            def encode(items: int) -> None:
                with torch.inference_mode():
                    network(torch.from_numpy(np.array(train.clips[:items])).flatten(0, 1))

            return encode

        what = (self.kind, str(self), train.clips.shape[1:])
        batch = min(CLIPS_AT_ONCE, len(train))
        return [Work(what, ready, batch, len(train) / batch)]

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Encode every frame by itself."""
        import torch
        from torch.nn.functional import adaptive_avg_pool2d

        network = self.network(assets)
        parts = []
        with torch.inference_mode():
            for start in range(0, len(clips), CLIPS_AT_ONCE):
                frames = torch.from_numpy(np.array(clips.clips[start : start + CLIPS_AT_ONCE])).flatten(0, 1)
                parts.append(adaptive_avg_pool2d(network(frames), self.grid).float().cpu())
                assets.report(min(start + CLIPS_AT_ONCE, len(clips)), of=len(clips))
        maps: Features = torch.cat(parts).view(len(clips), clips.frames, -1, self.grid, self.grid).numpy()
        return maps


class CnnGruFrames(FrameFeatures):
    """Maps of the frame backbone of a CNN+GRU trained on the train split.

    Attributes:
        encoder: tells its address from that of other encoders.
        student: the trained network.
    """

    encoder: Literal["cnn-gru"] = "cnn-gru"
    student: TrainedCnnGru

    def parts(self) -> tuple[TrainedCnnGru]:
        """The trained network."""
        return (self.student,)

    def network(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The backbone, on frames scaled by the statistics of the train split and cropped as the student does."""
        student = self.student.fresh(assets.train)
        student.load_state_dict(assets.get(self.student))
        return self._backbone(student, assets)

    def untrained(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The backbone before its training."""
        return self._backbone(self.student.fresh(assets.train), assets)

    def _backbone(self, student: Any, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        from vdbench.clips.clipset import to_network

        student.to(assets.device).eval()

        def encode(frames: torch.Tensor) -> torch.Tensor:
            pixels = to_network(frames.unsqueeze(1).to(assets.device), assets.train.normalisation)
            maps: torch.Tensor = student.frame_maps(pixels)
            return maps

        return encode


class ClipOfFrames(FeaturesSpec):
    """One vector per clip, the mean over its frames: float32 ``(N, C)``.

    Attributes:
        frames: features of every frame, with a grid of 1.
    """

    frames: SerializeAsAny[FrameFeatures]

    def parts(self) -> tuple[AssetSpec[Any], ...]:
        """What the frame encoder needs."""
        return tuple(self.frames.parts())

    def work(self, assets: Assets) -> list[Work]:
        """Encoding every frame."""
        return self.frames.work(assets)

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Encode every frame and average."""
        means: Features = self.frames.encode(assets, clips).mean(axis=1).reshape(len(clips), -1)
        return means
