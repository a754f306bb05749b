"""A tiny world with a known answer: three classes of coloured clips, and a pool of generated ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field, SerializeAsAny

from vdbench.clips.clipset import ClipSet, pixel_statistics
from vdbench.clips.pool import write_pool
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe
from vdbench.generator.sampling import GeneratedPool
from vdbench.generator.settings import AutoencoderSettings, DenoiserSettings, SamplingSettings, TrainingSettings
from vdbench.generator.source import GeneratorSpec  # noqa: TC001 - pydantic reads it
from vdbench.generator.training import TrainedGenerator
from vdbench.method import Task
from vdbench.records import PoolRecord
from vdbench.work.assets import Assets
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.evaluation.given import Reading

CLASSES = ("red", "green", "blue")
STUDENT = StudentSpec(name="minic3d", width=4)
RECIPE = Recipe(lr=0.05, epochs=20, batch=12)
LOOKS = 3
"""Each class of the tiny world consists of so many tight groups of clips."""


def tiny_clips(frames: int = 4, size: int = 16) -> ClipSet:
    """A train split of 36 clips in which every class has three looks.

    The class decides the colour of a moving square, the look its row, and noise of a few grey levels tells the
    clips of one look apart. ``groups`` names class and look, so that a selector of three clips that covers its
    class picks three different groups. The classes have 9, 12 and 15 clips, in mixed order; the clips cannot be
    written to.
    """
    rng = np.random.default_rng(0)
    kinds = [(label, look) for label in range(len(CLASSES)) for look in range(LOOKS) for _ in range(3 + label)]
    kinds = [kinds[i] for i in rng.permutation(len(kinds))]
    clips = _draw(kinds, frames, size, rng)
    labels = np.array([label for label, _ in kinds], dtype=np.int64)
    clips.flags.writeable = labels.flags.writeable = False
    groups = tuple(f"{CLASSES[label]}-{look}" for label, look in kinds)
    ids = tuple(f"{group}-{number}" for number, group in enumerate(groups))
    fingerprint = hashlib.sha256(clips.tobytes() + labels.tobytes()).hexdigest()[:16]
    return ClipSet(clips, labels, CLASSES, groups, ids, pixel_statistics(clips), fingerprint)


def _draw(kinds: list[tuple[int, int]], frames: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One clip for each label and look."""
    clips = rng.integers(60, 66, (len(kinds), frames, size, size, 3), dtype=np.uint8)
    side = size // LOOKS
    for clip, (label, look) in zip(clips, kinds, strict=True):
        for time in range(frames):
            left = time * (size - side) // max(1, frames - 1)
            clip[time, look * side : (look + 1) * side, left : left + side, label] += 150
    return clips


def _tiny_generator() -> TrainedGenerator:
    """One that is trained in a second, and so makes clips of nothing."""
    return TrainedGenerator(
        autoencoder=AutoencoderSettings(steps=2, width=8, channels=4, batch=4),
        denoiser=DenoiserSettings(heads=1, head_dim=8, layers=1),
        training=TrainingSettings(steps=2, batch=4),
    )


class TinyPool(GeneratedPool):
    """A generated pool for the tiny world: two clips of each look per class, of other noise than the train clips.

    The clips are drawn and not sampled, so that they show what their class does. The generator is for methods that
    make clips of their own by it.
    """

    generator: SerializeAsAny[GeneratorSpec] = Field(default_factory=_tiny_generator)
    sampling: SamplingSettings = SamplingSettings(per_class=2 * LOOKS, steps=4, batch=4)
    classes: tuple[str, ...] = CLASSES

    def parts(self) -> tuple[()]:
        """None: nothing is sampled."""
        return ()

    def build(self, assets: Assets, folder: Path) -> None:
        """Draw the clips."""
        train, rng = assets.train, np.random.default_rng(1)
        looks = [look for look in range(LOOKS) for _ in range(2)]
        blocks = (
            (name, _draw([(label, look) for look in looks], train.frames, train.size, rng))
            for label, name in enumerate(train.classes)
        )
        record = PoolRecord(
            generator="tiny", weights="", saw="train", per_class=len(looks), scheduler="", steps=0, guidance=1, seed=1
        )
        write_pool(folder, blocks, train, record)


def tiny_task(folder: Path, ipc: int | None = 1, seed: int = 0, report: Report = silent) -> Task:
    """A task over :func:`tiny_clips`, on the CPU, from which everything can be read that a method may declare.

    Args:
        folder: where its shared assets and its checkpoints are kept.
        ipc: instances per class; None for methods without a budget.
        seed: of the distillation.
        report: hears of progress.
    """
    train, device = tiny_clips(), torch.device("cpu")
    assets = Assets(folder / "assets", train, device)
    given: dict[Reading, Any] = {
        "student": STUDENT,
        "recipe": RECIPE,
        "teacher": TrainedTeacher(student=STUDENT, recipe=RECIPE),
        "directed": False,
        "budget_bytes": None,
    }
    return Task("tiny", train, ipc, seed, device, assets, report, folder / "checkpoints", pool=TinyPool(), given=given)
