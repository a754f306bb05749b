"""Encoders that see single frames: features of every frame, as maps over space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import SerializeAsAny

from vdbench.encoders.features import Features, FeaturesSpec
from vdbench.encoders.trained import TrainedCnnGru
from vdbench.work.workload import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.work.assets import Assets, AssetSpec

CLIPS_AT_ONCE = 16


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

        from vdbench.evaluation.parts import in_parts

        network = self.network(assets)
        parts = []
        with torch.inference_mode():
            for start in range(0, len(clips), CLIPS_AT_ONCE):
                frames = torch.from_numpy(np.array(clips.clips[start : start + CLIPS_AT_ONCE])).flatten(0, 1)
                parts.append(adaptive_avg_pool2d(in_parts(network, frames), self.grid).float().cpu())
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
        return self._backbone(self.student.trained(assets), assets)

    def untrained(self, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        """The backbone before its training."""
        return self._backbone(self.student.fresh(assets.train), assets)

    def _backbone(self, student: Any, assets: Assets) -> Callable[[torch.Tensor], torch.Tensor]:
        from vdbench.clips.clipset import sent, to_network

        student.to(assets.device).eval()

        def encode(frames: torch.Tensor) -> torch.Tensor:
            pixels = to_network(sent(frames.unsqueeze(1), assets.device), assets.train.normalisation)
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
