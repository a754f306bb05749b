"""frepo: clips and labels from which kernel regression on the features of networks in training predicts real labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from vdbench.clips.clipset import on_device, sent
from vdbench.clips.targets import nearest_distribution
from vdbench.evaluation.precision import in_bf16, in_tf32
from vdbench.evaluation.rates import warmed
from vdbench.method import Card, Settings, identity
from vdbench.records import Provenance
from vdbench.seeding import generator, seed_of, seeded
from vdbench.work.workload import training
from vdbench_methods.learned import LearnedSettings, Loop, PixelMethod, RealClips, budget, initial_clips

if TYPE_CHECKING:
    import numpy as np
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.method import Task
    from vdbench.students.student import Student
    from vdbench.work.workload import Work

BETAS = (0.9, 0.999)
WARM_UP = 500
"""Steps over which the rate of a network rises, where it does."""


class FRePoSettings(LearnedSettings):
    """Settings of FRePo."""

    lr: float = identity(3e-3, "learning rate of the pixels, Adam", gt=0)
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
        "rates of pixels and labels over time: constant; cosine, as in the public video code, each falls by half a "
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
    bf16: bool = identity(True, "on a GPU, embed real clips in bfloat16; everything else stays in float32", later=True)


class FRePo(PixelMethod[FRePoSettings]):
    """Learns clips and soft labels by kernel ridge regression on features of networks that train on them meanwhile."""

    name: ClassVar[str] = "frepo"
    Settings: ClassVar[type[Settings]] = FRePoSettings
    card: ClassVar[Card] = Card(
        "Neural feature regression with pooling",
        paper="Dataset Distillation using Neural Feature Regression, NeurIPS 2022",
        bibtex="""@inproceedings{zhou2022frepo,
  title = {Dataset Distillation using Neural Feature Regression},
  author = {Zhou, Yongchao and Nezhadarya, Ehsan and Ba, Jimmy},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
}""",
        learns_labels=True,
    )

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; clips and soft labels are stored as float32."""
        classes = len(task.train.classes)
        return super().stored_bytes(task, clip_bytes) + 4 * classes**2 * (task.ipc or 0)

    def work(self, task: Task) -> list[Work]:
        """Its iterations, in each of which a network of the pool trains for a step."""
        chosen, learned = self.settings, len(task.train.classes) * budget(task)
        real, batch = min(chosen.real, len(task.train)), min(chosen.online_batch, learned)
        step = training(task.train, chosen.student, chosen.width, batch, chosen.iterations, task.device)
        return [*chosen.matching_work(task, real, real, chosen.iterations), step]

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` clips per class and, unless switched off, a label for each."""
        import torch

        settings, train = self.settings, task.train
        real, shape = RealClips(train, task.device), (train.frames, train.size, train.size)
        start, classes = initial_clips(task, settings.init, budget(task))
        clips = start.to(task.device).requires_grad_()
        labels = start_labels(classes, len(train.classes), settings.label_scale).to(task.device)
        labels.requires_grad_(settings.learn_labels)
        groups = [{"params": [clips], "lr": settings.lr}]
        if settings.learn_labels:
            groups.append({"params": [labels], "lr": settings.lr_labels})
        optimiser = torch.optim.Adam(groups, betas=BETAS)
        pool = NetworkPool(settings, train, task.device, task.seed)
        tensors = {"clips": clips, "labels": labels} | pool.tensors()
        loop = Loop(task, self.name, settings.iterations, tensors, {"optimiser": optimiser} | pool.optimisers())
        for step in loop:
            rng = loop.rng(step)
            network = int(rng.integers(settings.networks))
            rows = rng.permutation(len(train))[: settings.real]
            goal = sent(centred(torch.from_numpy(train.labels[rows]), len(train.classes)), task.device)
            student = pool.students[network].eval().requires_grad_(False)
            with torch.no_grad(), in_tf32(settings.tf32), in_bf16(task.device, settings.bf16, shape):
                features = student.embed(real.render(rows)).float()
            optimiser.zero_grad()
            for group, first in zip(optimiser.param_groups, (settings.lr, settings.lr_labels), strict=False):
                group["lr"] = rate(settings, first, step)
            with in_tf32(settings.tf32):
                own = student.embed(on_device(clips, task.device))
                loss = regression_loss(own, labels, features, goal, settings.ridge)
                if settings.margin:
                    loss = loss + margin_term(labels)
                torch.autograd.backward(loss)
                optimiser.step()
                pool.train(network, clips.detach(), labels.detach(), rng)
            loop.log(loss)
        targets = nearest_distribution(labels.detach()) if settings.learn_labels else classes
        return self.pack(task, clips, targets, Provenance(pool="learned"))


def rate(settings: FRePoSettings, first: float, step: int) -> float:
    """What the rate of pixels or labels is at a step, from what it is first."""
    if settings.schedule == "constant":
        return first
    floor = settings.lr_labels / 10
    return floor + (first - floor) * (1 + math.cos(math.pi * step / settings.iterations)) / 2


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
    """Networks of different ages that train on the learned clips, and are replaced by fresh ones when they are old."""

    def __init__(self, settings: FRePoSettings, train: ClipSet, device: torch.device, seed: int) -> None:
        import torch

        self._settings, self._train, self._device = settings, train, device
        self.students: list[Student] = []
        self._optimisers: list[torch.optim.Optimizer] = []
        for number in range(settings.networks):
            self.students.append(settings.fresh_student(train, seed_of(generator(seed, "pool", number)), device))
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
            fresh = self._settings.fresh_student(self._train, seed_of(rng), self._device)
            student.load_state_dict(fresh.state_dict())
            optimiser.state.clear()
            self._ages[number] = 0

    def _rate(self, optimiser: torch.optim.Optimizer) -> float:
        """Of a network's next step, by the steps that it took itself: its age may have begun later."""
        chosen = self._settings
        if chosen.online_schedule == "constant":
            return chosen.online_lr
        taken = next((int(state["step"]) for state in optimiser.state.values()), 0)
        return warmed(chosen.online_lr, WARM_UP, chosen.online_steps)[taken]
