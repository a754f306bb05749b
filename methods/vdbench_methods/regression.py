"""Kernel regression on features of networks that train meanwhile: what ``frepo``, and ``vdsd`` on it, learn by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from vdbench.clips.clipset import on_device, sent
from vdbench.clips.targets import nearest_distribution
from vdbench.evaluation.precision import in_bf16, in_tf32
from vdbench.evaluation.rates import warmed
from vdbench.method import Settings, identity
from vdbench.seeding import generator, seed_of, seeded
from vdbench.work.workload import training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import torch

    from vdbench.method import Task
    from vdbench.students.student import Student
    from vdbench.work.workload import Work
    from vdbench_methods.learned import LearnedSettings, RealClips

    Fresh = Callable[[int], Student]

BETAS = (0.9, 0.999)
WARM_UP = 500
"""Steps over which the rate of a network rises, where it does."""


class RegressionSettings(Settings):
    """How clips predict real labels, and how the networks train meanwhile."""

    lr_labels: float = identity(3e-3, "learning rate of the labels, Adam", gt=0)
    real: int = identity(256, "real clips per iteration, of all classes, or all of a smaller split", gt=0)
    networks: int = identity(10, "networks in the pool", gt=0)
    online_steps: int = identity(
        100, "training steps after which a network of the pool is replaced by a fresh one", gt=0
    )
    online_lr: float = identity(3e-4, "learning rate of the networks, Adam", gt=0)
    online_batch: int = identity(500, "learned clips per training step of a network, or all of them", gt=0)
    ridge: float = identity(1e-6, "regulariser, in shares of the mean of the kernel's diagonal", gt=0)
    learn_labels: bool = identity(True, "whether labels are learned beside the pixels")
    margin: bool = identity(
        False,
        "whether the loss has the public video code's term, which keeps a clip's two largest labels apart",
        later=True,
    )
    label_scale: Literal["one", "classes"] = identity(
        "one",
        "what labels start from: one, centred one-hot; classes, as in the public code, these over sqrt(classes / 10)",
        later=True,
    )
    schedule: Literal["constant", "cosine"] = identity(
        "constant",
        "rates of all that is learned over time: constant; cosine, as in the public video code, each falls by half a "
        "cosine to a tenth of that of the labels",
        later=True,
    )
    online_schedule: Literal["constant", "warm-up"] = identity(
        "constant",
        "rate of a network over time: constant; warm-up, as in the public video code, rises from a hundredth over 500 "
        "steps, while a cosine over online_steps takes it back there",
        later=True,
    )
    tf32: bool = identity(False, "on a GPU, round products of networks to tf32", later=True)

    def rate(self, first: float, step: int, of: int) -> float:
        """What a rate of what is learned is at a step of so many, from what it is first."""
        if self.schedule == "constant":
            return first
        floor = self.lr_labels / 10
        return floor + (first - floor) * (1 + math.cos(math.pi * step / of)) / 2

    def regression_work(self, task: Task, learned: LearnedSettings, clips: int) -> list[Work]:
        """Iterations on so many clips, in each of which a network of the pool trains for a step."""
        real, batch, count = min(self.real, len(task.train)), min(self.online_batch, clips), learned.iterations
        step = training(task.train, learned.student, learned.width, batch, count, task.device)
        return [*learned.matching_work(task, real, real, count), step]


class Regression:
    """Labels, and the iterations that learn them together with clips.

    Args:
        settings: of all this.
        learned: of the method, which says through which networks.
        task: what is distilled.
        real: its train clips.
        classes: of the learned clips, ``(n,)``.
    """

    def __init__(
        self,
        settings: RegressionSettings,
        learned: LearnedSettings,
        task: Task,
        real: RealClips,
        classes: torch.Tensor,
    ) -> None:
        self._settings, self._iterations, self._bf16 = settings, learned.iterations, learned.in_bf16()
        self._train, self._device, self._real, self._classes = task.train, task.device, real, classes
        start = start_labels(classes, len(task.train.classes), settings.label_scale)
        self.labels = start.to(task.device).requires_grad_(settings.learn_labels)
        self._pool = NetworkPool(
            settings, lambda seed: learned.fresh_student(task.train, seed, task.device), task.device, task.seed
        )
        self._network = 0
        self._rates: list[float] = []

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that has to be remembered of it."""
        return {"labels": self.labels} | self._pool.tensors()

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Those of the networks."""
        return self._pool.optimisers()

    def adam(self, groups: Sequence[tuple[Sequence[torch.Tensor], float]]) -> torch.optim.Adam:
        """That of what is learned, each group with its rate, and of the labels."""
        import torch

        labels = [([self.labels], self._settings.lr_labels)] if self._settings.learn_labels else []
        chosen = [*groups, *labels]
        self._rates = [rate for _, rate in chosen]
        parts = [{"params": list(tensors), "lr": rate} for tensors, rate in chosen]
        self._optimiser = torch.optim.Adam(parts, betas=BETAS)
        return self._optimiser

    def backward(self, clips: torch.Tensor, rng: np.random.Generator, step: int) -> torch.Tensor:
        """Find the gradient of an iteration's loss in clips and labels, and set the rates of that iteration; the loss.

        Args:
            clips: the learned ones, ``(n, 3, T, H, W)``.
            rng: of the iteration.
            step: its number.
        """
        import torch

        settings, train = self._settings, self._train
        self._network = int(rng.integers(settings.networks))
        rows = rng.permutation(len(train))[: settings.real]
        goal = sent(centred(torch.from_numpy(train.labels[rows]), len(train.classes)), self._device)
        student = self._pool.students[self._network].eval().requires_grad_(False)
        shape = (train.frames, train.size, train.size)
        with torch.no_grad(), in_tf32(settings.tf32), in_bf16(self._device, self._bf16, shape):
            features = student.embed(self._real.render(rows)).float()
        self._optimiser.zero_grad()
        for group, first in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = settings.rate(first, step, self._iterations)
        with in_tf32(settings.tf32):
            own = student.embed(on_device(clips, self._device))
            loss = regression_loss(own, self.labels, features, goal, settings.ridge)
            if settings.margin:
                loss = loss + margin_term(self.labels)
            torch.autograd.backward(loss)
        return loss

    def train(self, clips: torch.Tensor, rng: np.random.Generator) -> None:
        """Train the network of this iteration on the clips as they are after its update."""
        with in_tf32(self._settings.tf32):
            self._pool.train(self._network, clips.detach(), self.labels.detach(), rng)

    def targets(self) -> torch.Tensor:
        """What students are told of the clips: the distributions nearest to the labels, or the classes."""
        return nearest_distribution(self.labels.detach()) if self._settings.learn_labels else self._classes


def centred(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """One-hot labels less their mean, ``(n, classes)``: what the regression predicts."""
    from torch.nn.functional import one_hot

    return one_hot(labels, classes).float() - 1 / classes


def start_labels(labels: torch.Tensor, classes: int, scale: Literal["one", "classes"]) -> torch.Tensor:
    """Labels of the learned clips before the first update, ``(n, classes)``."""
    start = centred(labels, classes)
    return start / math.sqrt(classes / 10) if scale == "classes" else start


def margin_term(labels: torch.Tensor) -> torch.Tensor:
    """Minus how far the largest label of a clip lies above the second, one over the classes at most; mean over clips.

    Beyond that it has no gradient.

    Args:
        labels: of the learned clips, ``(n, classes)``.
    """
    largest = labels.topk(2, dim=1).values
    term: torch.Tensor = -(largest[:, 0] - largest[:, 1]).clamp(max=1 / labels.shape[1]).mean()
    return term


def regression_loss(
    learned: torch.Tensor, labels: torch.Tensor, real: torch.Tensor, goal: torch.Tensor, ridge: float
) -> torch.Tensor:
    """Squared error of kernel ridge regression from learned to real clips, summed over classes, mean over clips.

    ``K_rs (K_ss + ridge tr(K_ss)/n I)^-1 labels``, with linear kernels of the features; solved in double precision,
    since the kernel of similar clips is close to singular.

    Args:
        learned: features of the learned clips, ``(n, D)``.
        labels: of the learned clips, ``(n, classes)``.
        real: features of real clips, ``(m, D)``.
        goal: centred labels of the real clips, ``(m, classes)``.
        ridge: regulariser.
    """
    import torch

    own, other = learned.double(), real.double()
    kernel = own @ own.T
    damped = kernel + ridge * kernel.trace() / len(own) * torch.eye(len(own), dtype=own.dtype, device=own.device)
    predicted = other @ own.T @ torch.linalg.solve(damped, labels.double())
    error: torch.Tensor = (predicted - goal.double()).square().sum(dim=1).mean()
    return error


class NetworkPool:
    """Networks of different ages that train on the learned clips, and are replaced by fresh ones when they are old.

    Args:
        settings: of the regression.
        fresh: a network with random weights of a seed, in evaluation mode, on the device.
        device: where all this is.
        seed: of the first networks.
    """

    def __init__(self, settings: RegressionSettings, fresh: Fresh, device: torch.device, seed: int) -> None:
        import torch

        self._settings, self._fresh, self._device = settings, fresh, device
        self.students: list[Student] = []
        self._optimisers: list[torch.optim.Optimizer] = []
        for number in range(settings.networks):
            self.students.append(fresh(seed_of(generator(seed, "pool", number))))
            self._optimisers.append(torch.optim.Adam(self.students[-1].parameters(), settings.online_lr, BETAS))
        # Ages that are spread out, so that the networks are not all replaced at once.
        self._ages = torch.arange(settings.networks) * settings.online_steps // settings.networks

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that has to be remembered of it."""
        weights = {
            f"pool.{number}.{name}": tensor
            for number, student in enumerate(self.students)
            for name, tensor in student.state_dict().items()
        }
        return weights | {"pool.ages": self._ages}

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Those of the networks."""
        return {f"pool-{number}": optimiser for number, optimiser in enumerate(self._optimisers)}

    def train(self, number: int, clips: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator) -> None:
        """Train one network for one step by the squared error of its logits, and replace it when it is old enough."""
        import torch
        from torch.nn.functional import mse_loss

        student, optimiser = self.students[number].train().requires_grad_(True), self._optimisers[number]
        rows = torch.from_numpy(rng.permutation(len(clips))[: self._settings.online_batch]).to(self._device)
        with seeded(seed_of(rng), self._device):
            logits = student(on_device(clips[rows], self._device))
        optimiser.zero_grad()
        optimiser.param_groups[0]["lr"] = self._rate(optimiser)
        torch.autograd.backward(mse_loss(logits, labels[rows]))
        optimiser.step()
        self._ages[number] += 1
        if self._ages[number] >= self._settings.online_steps:
            student.load_state_dict(self._fresh(seed_of(rng)).state_dict())
            optimiser.state.clear()
            self._ages[number] = 0

    def _rate(self, optimiser: torch.optim.Optimizer) -> float:
        """Of a network's next step, by the steps that it took itself: its age may have begun later."""
        chosen = self._settings
        if chosen.online_schedule == "constant":
            return chosen.online_lr
        taken = next((int(state["step"]) for state in optimiser.state.values()), 0)
        return warmed(chosen.online_lr, WARM_UP, chosen.online_steps)[taken]
