"""vst-unet: clips that a 3D U-Net, trained by reinforcement, would keep; a reconstruction.

The paper (arXiv 2505.06670) says that VST-UNet selects representative videos from a pool which a diffusion model has
generated; its equations and code are not public. What is known are its ancestors: a 3D spatio-temporal U-Net that
summarises one video (arXiv 2106.10528, by the same senior author), and the reward of DSN (arXiv 1801.00054). How they
go from the frames of one video to the clips of a class is our reading:

- one policy is trained per class and budget, on the pool itself. Its network reads the features of one clip at a time
  and gives the logit of keeping it. Clips that look alike get logits alike, so that the largest would all be copies of
  each other; therefore each clip also has an offset of its own, which is learned beside the network.
- Episodes keep clips at random by these probabilities, and REINFORCE raises those of clips in choices of high reward.
  Larger choices have higher rewards, and what is good in a pair says little of what is good alone; therefore several
  choices are drawn per episode, and the one with a size nearest to k counts.
- The k clips with the largest probability are kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings, identity
from vdbench.seeding import seed_of, seeded
from vdbench.work.workload import Work
from vdbench_methods.reward import Reward, RewardSelector, RewardSettings, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from vdbench.method import Task
    from vdbench.work.reports import Report

ALL = 10.0
"""The logit that all clips start from where all are to be kept."""


class VstUnetSettings(RewardSettings):
    """Settings of VST-UNet."""

    width: int = identity(8, "channels of the U-Net at full resolution", gt=0, multiple_of=4)
    epochs: int = identity(60, "updates of the policy per class", gt=0)
    episodes: int = identity(20, "choices that an update learns from", gt=0)
    draws: int = identity(16, "choices drawn per episode, of which the nearest to k clips counts; 1: any size", gt=0)
    lr: float = identity(1e-3, "learning rate of Adam for the network", gt=0)
    lr_offsets: float = identity(0.2, "learning rate of Adam for the clips' offsets; 0: the network alone", ge=0)
    beta: float = identity(0.01, "weight of (mean probability - k/n)^2", ge=0)
    clip: float = identity(5.0, "largest norm of a gradient", gt=0)


class VstUnet(RewardSelector[VstUnetSettings]):
    """Keeps the clips with the largest keep-probability of a 3D U-Net trained by REINFORCE."""

    name: ClassVar[str] = "vst-unet"
    Settings: ClassVar[type[Settings]] = VstUnetSettings
    pools: ClassVar[tuple[str, ...]] = ("generated", "real")
    card: ClassVar[Card] = Card(
        "Clips that a 3D U-Net, trained by reinforcement, keeps (reconstruction)",
        paper="Video Dataset Condensation with Diffusion Models, arXiv 2505.06670",
        bibtex="""@article{li2025video,
  title = {Video Dataset Condensation with Diffusion Models},
  author = {Li and others},
  journal = {arXiv preprint arXiv:2505.06670},
  year = {2025},
}""",
        reconstruction=True,
    )

    def work(self, task: Task) -> list[Work]:
        """The updates of a policy per class, on as many clips of a class as the train split has."""
        chosen, train = self.settings, task.train
        classes, batch = len(train.classes), max(1, len(train) // len(train.classes))

        def ready() -> Callable[[int], object]:
            shape = (train.frames, chosen.encoder.width, chosen.grid, chosen.grid)
            clips = np.random.default_rng(0).random((batch, *shape), dtype=np.float32)
            found = describe(clips)

            policy = Policy(chosen, clips, min(task.ipc or 1, batch), 0, task.device)
            reward, rng = Reward(found, found), np.random.default_rng(0)
            return lambda items: policy.update(reward, rng)

        return [Work((self.name, str(chosen), task.ipc, batch), ready, 1, classes * chosen.epochs)]

    def choose(
        self,
        maps: NDArray[np.float32],
        reward: Reward,
        k: int,
        rng: np.random.Generator,
        device: torch.device,
        report: Report,
    ) -> NDArray[np.int64]:
        """Train a policy on the pool of the class, and keep what it would keep, the first of equals."""
        policy = Policy(self.settings, maps, k, seed_of(rng), device)
        for epoch in range(self.settings.epochs):
            mean = policy.update(reward, rng)
            report(epoch + 1, of=self.settings.epochs, reward=mean)
        return np.argsort(-policy.logits().detach().double().cpu().numpy(), kind="stable")[:k]


class Policy:
    """Keep-probabilities of the clips of one class, and how they are learned.

    Args:
        settings: of the method.
        maps: features of every frame of the candidates, ``(n, T, C, g, g)``.
        k: how many shall be kept.
        seed: of the initial weights.
        device: where to compute.
    """

    def __init__(
        self, settings: VstUnetSettings, maps: NDArray[np.float32], k: int, seed: int, device: torch.device
    ) -> None:
        import torch

        from vdbench_methods.unet3d import UNet3d

        self.settings, self.k = settings, k
        self._inputs = _standardised(torch.from_numpy(maps).to(device))
        _, channels, frames, height, width = self._inputs.shape
        with seeded(seed):
            self.network = UNet3d(channels, (frames, height, width), settings.width).to(device)
        resources = k / len(maps)
        start = math.log(resources / (1 - resources)) if resources < 1 else ALL
        self.offsets = torch.full((len(maps),), start, device=device, requires_grad=True)
        groups = [
            {"params": list(self.network.parameters()), "lr": settings.lr},
            {"params": [self.offsets], "lr": settings.lr_offsets},
        ]
        self._optimiser = torch.optim.Adam(groups)
        self._baseline: float | None = None

    def logits(self) -> torch.Tensor:
        """Of keeping each candidate, ``(n,)``; before training about those of k in n."""
        logits: torch.Tensor = self.network(self._inputs) + self.offsets
        return logits

    def update(self, reward: Reward, rng: np.random.Generator) -> float:
        """One step of REINFORCE, whose baseline is a moving average of the mean reward.

        Returns:
            The mean reward of the episodes, drawn before the step.
        """
        from torch.nn.utils import clip_grad_norm_

        logits = self.logits()
        kept = self.episodes(logits.detach().sigmoid().double().cpu().numpy(), rng)
        rewards = np.array([reward(choice) for choice in kept])
        mean = float(rewards.mean())
        baseline = mean if self._baseline is None else self._baseline
        loss = self.loss(logits, kept, rewards - baseline)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_([*self.network.parameters(), self.offsets], self.settings.clip)
        self._optimiser.step()
        self._baseline = 0.9 * baseline + 0.1 * mean
        return mean

    def episodes(self, probabilities: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Choices as masks, ``(episodes, n)``: of all that are drawn, those with sizes nearest to k."""
        drawn = rng.random((self.settings.draws * self.settings.episodes, len(probabilities))) < probabilities
        nearest = np.argsort(np.abs(drawn.sum(axis=1) - self.k), kind="stable")
        return np.asarray(drawn[nearest[: self.settings.episodes]])

    def loss(self, logits: torch.Tensor, kept: NDArray[np.bool_], advantages: NDArray[np.float64]) -> torch.Tensor:
        """Beta (mean p - k/n)^2 - mean over episodes of the advantage times the log-probability of its choice."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        taken = torch.from_numpy(kept).to(logits)
        surprise = binary_cross_entropy_with_logits(logits.expand_as(taken), taken, reduction="none").sum(dim=1)
        excess = (logits.sigmoid().mean() - self.k / len(logits)).square()
        return self.settings.beta * excess + (torch.from_numpy(advantages).to(logits) * surprise).mean()


def _standardised(maps: torch.Tensor) -> torch.Tensor:
    """Features as the network takes them, ``(n, C, T, g, g)``: what is common to all clips taken away, one scale."""
    maps = maps.transpose(1, 2).contiguous()
    maps = maps - maps.mean(dim=0)
    return maps / maps.std().clamp_min(1e-6)
