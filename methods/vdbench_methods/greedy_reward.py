"""greedy-reward: the control of vst-unet, which seeks the same reward without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card, Settings
from vdbench_methods.reward import RewardSelector, RewardSettings

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vdbench.work.reports import Report
    from vdbench_methods.reward import Reward


class GreedyReward(RewardSelector[RewardSettings]):
    """Adds one clip after another, each time the one that raises the reward most."""

    name: ClassVar[str] = "greedy-reward"
    Settings: ClassVar[type[Settings]] = RewardSettings
    seeded: ClassVar[bool] = False
    pools: ClassVar[tuple[str, ...]] = ("generated", "real")
    card: ClassVar[Card] = Card(
        "Greedy choice by diversity and representation, the control of vst-unet",
        paper="the reward: Deep Reinforcement Learning for Unsupervised Video Summarization with "
        "Diversity-Representativeness Reward, AAAI 2018",
        bibtex="""@inproceedings{zhou2018deep,
  title = {Deep Reinforcement Learning for Unsupervised Video Summarization with Diversity-Representativeness Reward},
  author = {Zhou, Kaiyang and Qiao, Yu and Xiang, Tao},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year = {2018},
}""",
    )

    def choose(
        self,
        maps: NDArray[np.float32],
        reward: Reward,
        k: int,
        rng: np.random.Generator,
        device: torch.device,
        report: Report,
    ) -> NDArray[np.int64]:
        """Greedy choice, without replacement."""
        return reward.greedy(k)
