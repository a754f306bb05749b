"""How ``vdsd`` learns motions and hallucinator: by distributions, by trajectories, or by kernel regression."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdbench.seeding import seed_of
from vdbench_methods.dm import backward
from vdbench_methods.learned import descent
from vdbench_methods.regression import Regression
from vdbench_methods.trajectories import Matching

if TYPE_CHECKING:
    import numpy as np
    import torch

    from vdbench.method import Task
    from vdbench_methods.learned import RealClips
    from vdbench_methods.static_dynamic import Memory, VDSDSettings

    Optimisers = dict[str, torch.optim.Optimizer]


def base_of(settings: VDSDSettings, task: Task, real: RealClips, memory: Memory) -> Base:
    """The one that the settings name."""
    if settings.base == "frepo":
        return OnRegression(settings, task, real, memory)
    return OnTrajectories(settings, task) if settings.base == "mtt" else OnDistributions(settings, real)


class Base(ABC):
    """One way to learn what makes clips.

    Attributes:
        tensors: what is learned, or has to be remembered, beside images, motions and hallucinator.
        others: optimisers of what trains by itself.
    """

    tensors: dict[str, torch.Tensor]
    others: Optimisers

    def __init__(self, settings: VDSDSettings) -> None:
        self._settings = settings
        self.tensors, self.others = {}, {}

    def optimisers(self, memory: Memory) -> Optimisers:
        """Those of motions, of the hallucinator, and of what else is learned."""
        chosen, kept = self._settings, memory.tensors
        return {
            "dynamic": descent([kept["dynamic"]], chosen.lr_dynamic, chosen.momentum, chosen.scale),
            "hallucinator": descent(
                [kept["weight"], kept["bias"]], chosen.lr_hallucinator, chosen.momentum, chosen.scale
            ),
        }

    @abstractmethod
    def backward(self, memory: Memory, rng: np.random.Generator, step: int) -> torch.Tensor:
        """Add the gradient of an iteration's loss to what is learned; the loss."""

    def after(self, memory: Memory, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Whatever follows an update; numbers to tell."""
        return {}

    def targets(self, memory: Memory) -> torch.Tensor:
        """What students are told of the clips."""
        return memory.targets

    def step_size(self) -> float | None:
        """What was learned, if one is."""
        return None


class OnDistributions(Base):
    """Motions by distribution matching: see :mod:`vdbench_methods.dm`."""

    def __init__(self, settings: VDSDSettings, real: RealClips) -> None:
        super().__init__(settings)
        self._real = real

    def backward(self, memory: Memory, rng: np.random.Generator, step: int) -> torch.Tensor:
        """See :meth:`Base.backward`."""
        import torch

        draw = seed_of(rng)
        clips = memory.clips(draw).detach().requires_grad_()
        loss = backward(self._settings, self._real, clips, memory.ipc, rng)
        torch.autograd.backward(memory.clips(draw), clips.grad)
        return loss


class OnRegression(Base):
    """Motions and labels by kernel regression: see :mod:`vdbench_methods.frepo`."""

    def __init__(self, settings: VDSDSettings, task: Task, real: RealClips, memory: Memory) -> None:
        super().__init__(settings)
        self._regression = Regression(settings.regression, settings, task, real, memory.targets)
        self.tensors, self.others = self._regression.tensors(), self._regression.optimisers()

    def optimisers(self, memory: Memory) -> Optimisers:
        """See :meth:`Base.optimisers`; all that is learned has one, as in the public code."""
        kept, chosen = memory.tensors, self._settings
        hallucinator = ([kept["weight"], kept["bias"]], chosen.lr_hallucinator)
        return {"adam": self._regression.adam([([kept["dynamic"]], chosen.lr_dynamic), hallucinator])}

    def backward(self, memory: Memory, rng: np.random.Generator, step: int) -> torch.Tensor:
        """See :meth:`Base.backward`."""
        import torch

        made = memory.clips()
        clips = made.detach().requires_grad_()
        loss = self._regression.backward(clips, rng, step)
        torch.autograd.backward(made, clips.grad)
        return loss

    def after(self, memory: Memory, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Train a network of the pool."""
        import torch

        with torch.no_grad():
            clips = memory.clips()
        self._regression.train(clips, rng)
        return {}

    def targets(self, memory: Memory) -> torch.Tensor:
        """See :meth:`Base.targets`: the learned labels."""
        return self._regression.targets()


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


class OnTrajectories(Base):
    """Motions by trajectory matching: see :mod:`vdbench_methods.mtt`."""

    def __init__(self, settings: VDSDSettings, task: Task) -> None:
        super().__init__(settings)
        self.matching = Matching(settings.trajectory, task, settings.student, settings.width)
        self._device = task.device
        self.tensors = {"step_size": self.matching.step_size.learned}

    def optimisers(self, memory: Memory) -> Optimisers:
        """See :meth:`Base.optimisers`."""
        return super().optimisers(memory) | {"step": self.matching.step_size_descent(0.5)}

    def backward(self, memory: Memory, rng: np.random.Generator, step: int) -> torch.Tensor:
        """See :meth:`Base.backward`; one step's clips are in memory at a time."""
        batches = [(seed_of(rng), rows) for rows in self.matching.batches(rng, len(memory.targets))]
        match = self.matching.follow(rng, _Draws(memory, batches, self._device))
        self.matching.step_size.descend(match.step_size)
        return match.loss

    def after(self, memory: Memory, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Bound the step size, and tell it."""
        self.matching.step_size.bound()
        return {"step_size": self.matching.step_size.value}

    def step_size(self) -> float:
        """What was learned."""
        return float(self.matching.step_size.value)
