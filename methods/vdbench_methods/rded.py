"""rded: crops that a teacher finds easiest, alone or as mosaics, with hard labels or with the teacher's.

As the authors describe it for images and as it was carried over to video, with three differences. A task holds clips
and not videos, so crops differ in space alone, and not in the time at which they begin. They are not mirrored, which
may turn one class's motion into another's. Labels are fixed: a teacher that labels every view anew in a student's
training would have to be stored with the clips.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from vdbench.clips.clipset import on_device, to_network
from vdbench.clips.drawing import checked_ipc
from vdbench.encoders.features import BATCH
from vdbench.evaluation.parts import in_parts
from vdbench.method import Card, Method, Settings, identity
from vdbench.records import Provenance
from vdbench.seeding import generator
from vdbench.selector import generated_pool
from vdbench.work.workload import embedding
from vdbench_methods.judges import JudgeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import ClipSet
    from vdbench.distilled import DistilledSet
    from vdbench.method import Task
    from vdbench.work.assets import AssetSpec
    from vdbench.work.workload import Work

    Teacher = Callable[[torch.Tensor], torch.Tensor]
    Box = tuple[int, int, int, int]

ATTEMPTS = 10
"""How often a crop is drawn that does not fit into the frame, before the whole frame is taken."""
SQUARENESS = math.log(4 / 3)
"""Logarithm of the largest proportion of a crop's sides."""


class RDEDSettings(JudgeSettings):
    """Settings of RDED; the defaults are those of its public scripts for UCF101, with soft labels."""

    candidates: int = identity(70, "clips per class that crops are taken of, or all of a smaller class", gt=0)
    crops: int = identity(5, "crops of each of them, of which the easiest counts", gt=0)
    smallest: float = identity(0.08, "least share of the frame that a crop takes", gt=0, le=1)
    factor: int = identity(
        1, "crops per side of a mosaic: 1, single crops; 2, four crops in a clip; 3, nine", gt=0, le=3
    )
    score: Literal["teacher", "random"] = identity(
        "teacher", "which crops are kept: teacher, those with the smallest loss; random, the control"
    )
    labels: Literal["soft", "hard"] = identity("soft", "soft: the teacher's on what is stored; hard: the class")
    temperature: float = identity(4.0, "soft: what the teacher's logits are divided by", gt=0)


class RDED(Method[RDEDSettings]):
    """Keeps, of random crops of real clips, those that a teacher recognises best."""

    name: ClassVar[str] = "rded"
    Settings: ClassVar[type[Settings]] = RDEDSettings
    pools: ClassVar[tuple[str, ...]] = ("real", "generated")
    card: ClassVar[Card] = Card(
        "Crops that a teacher recognises best, with its labels",
        paper="On the Diversity and Realism of Distilled Dataset: An Efficient Dataset Distillation Paradigm, "
        "CVPR 2024",
        bibtex="""@inproceedings{sun2024rded,
  title = {On the Diversity and Realism of Distilled Dataset: An Efficient Dataset Distillation Paradigm},
  author = {Sun, Peng and Shi, Bei and Yu, Daiwei and Lin, Tao},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2024},
}""",
        learns_labels=True,
    )

    def needs(self, task: Task) -> list[AssetSpec[Any]]:
        """The teacher, and the pool where it is generated."""
        pool = [generated_pool(self.name, task)] if self.settings.pool == "generated" else []
        return [self.settings.judges()[0].drawn(task.draw), *pool]

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; soft labels are stored as float32."""
        soft = 4 * len(task.train.classes) ** 2 * (task.ipc or 0) if self.settings.labels == "soft" else 0
        return super().stored_bytes(task, clip_bytes) + soft

    def work(self, task: Task) -> list[Work]:
        """Showing crops to the teacher."""
        judge, classes = self.settings.judges()[0], len(task.train.classes)
        crops = classes * self.settings.candidates * self.settings.crops
        return [embedding(task.train, judge.network().name, judge.width, BATCH, crops, task.device)]

    def distill(self, task: Task) -> DistilledSet:
        """Choose crops class by class, and label what they make.

        Raises:
            UsageError: a class has fewer clips than the IPC asks for, or there is no generated pool.
        """
        import torch

        made = task.assets.get(generated_pool(self.name, task)) if self.settings.pool == "generated" else None
        pool = task.train if made is None else made.clips
        ipc = checked_ipc(task.ipc, pool, task.dataset)
        teacher = self.settings.judges()[0].drawn(task.draw).trained(task.assets).to(task.device).eval()
        clips = []
        for label, name in enumerate(pool.classes):
            clips.append(self._of_class(label, pool, ipc, teacher, generator(task.seed, name), task.device))
            task.report(label + 1, of=len(pool.classes))
        stored = torch.cat(clips)
        labels = torch.arange(len(pool.classes)).repeat_interleave(ipc)
        if self.settings.labels == "soft":
            logits = shown_to(teacher, stored, pool, task.device)
            labels = (logits / self.settings.temperature).softmax(dim=1)
        record = None if made is None else made.record
        provenance = Provenance(
            pool=self.settings.pool,
            encoder=self.settings.encoder.name,
            encoder_saw="train",
            generator=record.generator if record else None,
            generator_saw=record.saw if record else "nothing",
            sampled=record,
        )
        return self.pack(task, stored, labels, provenance)

    def _of_class(
        self, label: int, pool: ClipSet, ipc: int, teacher: Teacher, rng: np.random.Generator, device: torch.device
    ) -> torch.Tensor:
        """What is kept of a class, uint8 ``(ipc, T, H, W, 3)``."""
        import torch

        settings, tiles = self.settings, ipc * self.settings.factor**2
        rows, side = rng.permutation(pool.rows_of(label)), -(-pool.size // settings.factor)
        if settings.score == "random":
            chosen = [cropped(pool.clips[row], drawn(rng, pool.size, settings.smallest), side)
                      for row in np.resize(rows, tiles)]  # fmt: skip
            return mosaics(torch.stack(chosen), settings.factor, pool.size)
        rows = np.resize(rows, max(tiles, min(settings.candidates, len(rows))))
        boxes = [[drawn(rng, pool.size, settings.smallest) for _ in range(settings.crops)] for _ in rows]
        crops = torch.stack(
            [cropped(pool.clips[row], box, side) for row, own in zip(rows, boxes, strict=True) for box in own]
        )
        logits = shown_to(teacher, crops, pool, device)
        scores = losses(logits, label).view(len(rows), settings.crops).numpy()
        places = [candidate * settings.crops + crop for candidate, crop in easiest(scores, tiles)]
        return mosaics(crops[places], settings.factor, pool.size)


def drawn(rng: np.random.Generator, size: int, smallest: float) -> Box:
    """Draw a crop: top, left, height and width, of a share of the frame between the smallest and all of it."""
    for _ in range(ATTEMPTS):
        area, lean = size**2 * rng.uniform(smallest, 1), math.exp(rng.uniform(-SQUARENESS, SQUARENESS) / 2)
        height, width = round(math.sqrt(area) / lean), round(math.sqrt(area) * lean)
        if 0 < height <= size and 0 < width <= size:
            return int(rng.integers(size - height + 1)), int(rng.integers(size - width + 1)), height, width
    return 0, 0, size, size


def cropped(clip: NDArray[np.uint8], box: Box, side: int) -> torch.Tensor:
    """The same crop of every frame of a clip ``(T, H, W, 3)``, scaled to uint8 ``(T, side, side, 3)``."""
    import torch
    from torch.nn.functional import interpolate

    top, left, height, width = box
    part = torch.from_numpy(np.array(clip[:, top : top + height, left : left + width])).permute(0, 3, 1, 2)
    scaled = interpolate(part.float(), (side, side), mode="bilinear", antialias=True)
    return scaled.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def shown_to(teacher: Teacher, pixels: torch.Tensor, like: ClipSet, device: torch.device) -> torch.Tensor:
    """Logits of clips or crops, uint8 ``(n, T, h, w, 3)``, on the CPU; smaller ones amid frames of the mean colour."""
    import torch
    from torch.nn.functional import pad

    missing = like.size - pixels.shape[2]
    margins = [missing // 2, missing - missing // 2] * 2
    with torch.inference_mode():
        parts = [
            in_parts(teacher, on_device(pad(to_network(part, like.normalisation), margins), device)).float().cpu()
            for part in torch.split(pixels, BATCH)
        ]
    return torch.cat(parts)


def losses(logits: torch.Tensor, label: int) -> torch.Tensor:
    """Minus the logarithm of the probability of a class, ``(n,)``."""
    return -logits.log_softmax(dim=1)[:, label]


def easiest(scores: NDArray[np.floating[Any]], count: int) -> list[tuple[int, int]]:
    """Candidate and crop of the crops to keep: each candidate's easiest, the easiest of them first.

    Where every candidate is kept they stay in their order, as in the public code.

    Args:
        scores: loss of every crop, ``(candidates, crops)``.
        count: how many to keep, at most as many as there are candidates.
    """
    crops = scores.argmin(axis=1)
    best = scores.min(axis=1)
    order = np.argsort(best, kind="stable")[:count] if count < len(best) else np.arange(len(best))
    return [(int(candidate), int(crops[candidate])) for candidate in order]


def mosaics(tiles: torch.Tensor, factor: int, size: int) -> torch.Tensor:
    """Clips of ``factor`` x ``factor`` tiles each, row by row, uint8 ``(n / factor^2, T, size, size, 3)``.

    Args:
        tiles: ``(n, T, side, side, 3)``; what of ``factor`` times the side is more than the size is cut off.
        factor: tiles per row and column.
        size: height and width of a frame.
    """
    count, frames, side, _, channels = tiles.shape
    grid = tiles.view(count // factor**2, factor, factor, frames, side, side, channels)
    whole = grid.permute(0, 3, 1, 4, 2, 5, 6).reshape(-1, frames, factor * side, factor * side, channels)
    return whole[:, :, :size, :size].contiguous()
