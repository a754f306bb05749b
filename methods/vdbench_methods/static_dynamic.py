"""What ``vdsd`` learns: images, motions and a hallucinator, by matching distributions or trajectories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from vdbench.errors import UsageError
from vdbench.method import identity, runtime
from vdbench.seeding import seed_of
from vdbench_methods.dm import backward
from vdbench_methods.learned import SCALE, LearnedSettings, RealClips, Scale, budget, initial_clips
from vdbench_methods.trajectories import Matching, TrajectorySettings

if TYPE_CHECKING:
    import numpy as np
    import torch

    from vdbench.method import Task

HALLUCINATOR = (3, 4, 3, 3, 3)
"""Shape of its weights: from an image's three channels and a motion to three channels, windows of 3x3x3."""


class VDSDSettings(LearnedSettings):
    """Settings of static-dynamic distillation; what is published for MiniUCF stands in the suite ``vdsd``."""

    base: Literal["dm", "mtt"] = identity("dm", "how motions are learned: distribution or trajectory matching")
    static: int | None = identity(
        None, "images per class; as many pairs of image and motion as the bytes of IPC clips hold when left out", gt=0
    )
    dynamic: int | None = identity(None, "motions per class; as many as images when left out", gt=0)
    pairing: Literal["any", "slots"] = identity(
        "any",
        "which images and motions of a class make a clip: any; slots, its own ones alone, as in the public code",
        later=True,
    )
    static_loss: Literal["dm", "dc"] = identity(
        "dm",
        "how images are learned from frames: dm, by their distributions; dc, by gradients, as in the public code",
        later=True,
    )
    static_iterations: int = identity(1000, "updates of the images; of dc, the networks that they are for", ge=0)
    static_lr: float = identity(1.0, "learning rate of the images; 0.1 on dc unless set", gt=0)
    static_real: int | None = identity(
        None, "real frames per class and update of the images; real if left out", later=True, gt=0
    )
    static_width: int = identity(128, "channels of the random networks that images are learned through", gt=0)
    lr_dynamic: float = identity(1e-4, "learning rate of the motions; 1e4 on mtt unless set", gt=0)
    lr_hallucinator: float = identity(1e-5, "learning rate of the hallucinator; 1e-3 on mtt unless set", gt=0)
    scale: Scale = identity("plain", f"{SCALE}; of motions, and of the hallucinator", later=True)
    momentum: float = identity(0.95, "of the gradient of motions and hallucinator", ge=0, lt=1)
    real: int = identity(64, "dm: real clips per class and iteration, or all of a smaller class", gt=0)
    trajectory: TrajectorySettings = identity(TrajectorySettings(), "mtt: how experts are trained and matched")
    clips_per_pass: int = runtime(256, "dm: real clips in one forward pass; fewer take less memory", gt=0)
    bf16: bool = identity(
        True, "dm: on a GPU, embed in bfloat16; losses and what is learned stay in float32", later=True
    )

    def pairs(self, classes: int, ipc: int, frames: int, size: int) -> tuple[int, int]:
        """Images and motions per class."""
        images = self.static or fitting_pairs(classes, ipc, frames, size)
        return images, self.dynamic or images

    def in_bf16(self) -> bool:
        """Only the matching of distributions does."""
        return self.bf16 and self.base == "dm"

    @property
    def real_frames(self) -> int:
        """Real frames per class and update of the images, at most."""
        return self.static_real or self.real

    @model_validator(mode="before")
    @classmethod
    def _published_rates(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        on_mtt = {"lr_dynamic": 1e4, "lr_hallucinator": 1e-3} if values.get("base") == "mtt" else {}
        on_dc = {"static_lr": 0.1} if values.get("static_loss") == "dc" else {}
        return on_mtt | on_dc | values


def fitting_pairs(classes: int, ipc: int, frames: int, size: int) -> int:
    """Pairs of an image and a motion per class that, with the hallucinator, take no more bytes than IPC float32 clips.

    At 16 frames and IPC 1 these are the published two; at least one.
    """
    allowed = 3 * frames * size**2 * ipc * classes - math.prod(HALLUCINATOR) - HALLUCINATOR[0]
    return max(1, allowed // (classes * (3 + frames) * size**2))


class Memory:
    """What is stored: images, motions and hallucinator, and the clips that they make.

    It starts from frames of real clips, their changes of brightness over time, and a hallucinator that adds the two.
    """

    def __init__(self, settings: VDSDSettings, task: Task) -> None:
        import torch

        from vdbench.distilled.pairs import draw_pairs, draw_within_slots

        train = task.train
        self.classes, self.ipc = len(train.classes), budget(task)
        self.images, self.motions = settings.pairs(self.classes, self.ipc, train.frames, train.size)
        if settings.pairing == "slots" and (self.images % self.ipc or self.motions % self.ipc):
            raise UsageError(
                f"{self.images} images and {self.motions} motions per class cannot be shared out among {self.ipc} "
                f"clips; add --set vdsd.static={2 * self.ipc} --set vdsd.dynamic={2 * self.ipc}"
            )
        self._pairs = draw_within_slots if settings.pairing == "slots" else draw_pairs
        self.targets = torch.arange(self.classes).repeat_interleave(self.ipc)
        clips, _ = initial_clips(task, settings.init, max(self.images, self.motions))
        by_class = clips.view(self.classes, -1, *clips.shape[1:])
        middle = train.frames // 2
        static = by_class[:, : self.images, :, middle].flatten(0, 1)
        brightness = by_class[:, : self.motions].mean(dim=2)
        dynamic = (brightness - brightness[:, :, middle : middle + 1]).flatten(0, 1)
        weight = torch.zeros(HALLUCINATOR)
        weight[range(3), range(3), 1, 1, 1] = weight[range(3), 3, 1, 1, 1] = 1.0
        parts = {"static": static, "dynamic": dynamic, "weight": weight, "bias": torch.zeros(3)}
        self.tensors = {name: part.clone().to(task.device) for name, part in parts.items()}

    def clips(self, draw: int, rows: torch.Tensor | None = None) -> torch.Tensor:
        """The clips of one draw, class by class, or some of them: float32 ``(classes * ipc, 3, T, H, W)``."""
        from vdbench.clips.clipset import sent
        from vdbench.distilled.parameterisations import hallucinate

        kept = self.tensors
        pairs = sent(self._pairs(self.images, self.motions, self.ipc, self.classes, draw), kept["static"].device)
        static, dynamic = pairs if rows is None else pairs[:, rows]
        return hallucinate(kept["static"][static], kept["dynamic"][dynamic], kept["weight"], kept["bias"])


class OnDistributions:
    """Motions by distribution matching: see :mod:`vdbench_methods.dm`."""

    def __init__(self, settings: VDSDSettings, real: RealClips) -> None:
        self._settings, self._real = settings, real
        self.tensors: dict[str, torch.Tensor] = {}
        self.optimisers: dict[str, torch.optim.Optimizer] = {}

    def backward(self, memory: Memory, rng: np.random.Generator) -> torch.Tensor:
        """Add the gradient of an iteration's loss to what is learned."""
        import torch

        draw = seed_of(rng)
        clips = memory.clips(draw).detach().requires_grad_()
        loss = backward(self._settings, self._real, clips, memory.ipc, rng)
        torch.autograd.backward(memory.clips(draw), clips.grad)
        return loss

    def after(self) -> dict[str, torch.Tensor]:
        """Nothing to do, nothing to tell."""
        return {}

    def step_size(self) -> None:
        """None is learned."""


@dataclass(frozen=True)
class _Draws:
    """Steps on some rows of a draw of their own each."""

    memory: Memory
    batches: Sequence[tuple[int, torch.Tensor]]
    device: torch.device

    def __len__(self) -> int:
        return len(self.batches)

    def clips(self, step: int) -> torch.Tensor:
        import torch

        draw, rows = self.batches[step]
        with torch.no_grad():
            return self.memory.clips(draw, rows)

    def targets(self, step: int) -> torch.Tensor:
        return self.memory.targets.to(self.device)[self.batches[step][1]]

    def add(self, step: int, gradient: torch.Tensor) -> None:
        import torch

        draw, rows = self.batches[step]
        torch.autograd.backward(self.memory.clips(draw, rows), gradient)


class OnTrajectories:
    """Motions by trajectory matching: see :mod:`vdbench_methods.mtt`."""

    def __init__(self, settings: VDSDSettings, task: Task) -> None:
        self.matching = Matching(settings.trajectory, task, settings.student, settings.width)
        self._device = task.device
        self.tensors = {"step_size": self.matching.step_size.learned}
        self.optimisers = {"step": self.matching.step_size_descent(0.5)}

    def backward(self, memory: Memory, rng: np.random.Generator) -> torch.Tensor:
        """Add the gradient of an iteration's loss to what is learned, one step's clips in memory at a time."""
        batches = [(seed_of(rng), rows) for rows in self.matching.batches(rng, len(memory.targets))]
        match = self.matching.follow(rng, _Draws(memory, batches, self._device))
        self.matching.step_size.descend(match.step_size)
        return match.loss

    def after(self) -> dict[str, torch.Tensor]:
        """Bound the step size, and tell it."""
        self.matching.step_size.bound()
        return {"step_size": self.matching.step_size.value}

    def step_size(self) -> float:
        """What was learned."""
        return float(self.matching.step_size.value)
