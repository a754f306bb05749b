"""el2n, forgetting and difficulty: clips by how hard they are for networks trained on the train split.

Each score is a shared asset, one number per clip, which selectors are handed as features of one column. Clips of a
generated pool are judged by the same networks, with the class that they were asked to be.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from vdbench.encoders import EncoderSettings
from vdbench.method import Card, Settings, identity
from vdbench.selector import Selector
from vdbench_methods.judges import ErrorNorms, ForgettingEvents, JudgeSettings, TeacherLosses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task

Keep = Literal["hard", "easy"]


def by_difficulty(scores: NDArray[np.float32], keep: Keep) -> NDArray[np.int64]:
    """Positions in the order of the scores ``(n, 1)``, the largest first for ``hard``; the first of equals first."""
    return np.argsort(scores[:, 0] if keep == "easy" else -scores[:, 0], kind="stable")


class EL2NSettings(JudgeSettings):
    """Settings of EL2N."""

    encoder: EncoderSettings = identity(
        EncoderSettings(epochs=10), "the networks that judge, trained for few epochs; they have to be minic3d-trained"
    )
    networks: int = identity(5, "networks whose scores are averaged", gt=0)
    keep: Keep = identity("hard", "which clips are kept: hard, as published for pruning little; or easy")


class EL2N(Selector[EL2NSettings]):
    """Keeps the clips with the largest error of networks early in training."""

    name: ClassVar[str] = "el2n"
    Settings: ClassVar[type[Settings]] = EL2NSettings
    seeded: ClassVar[bool] = False
    card: ClassVar[Card] = Card(
        "Clips with the largest error early in training",
        paper="Deep Learning on a Data Diet: Finding Important Examples Early in Training, NeurIPS 2021",
        bibtex="""@inproceedings{paul2021diet,
  title = {Deep Learning on a Data Diet: Finding Important Examples Early in Training},
  author = {Paul, Mansheej and Ganguli, Surya and Dziugaite, Gintare Karolina},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021},
}""",
    )

    def features(self) -> ErrorNorms:
        """The score of every clip."""
        return ErrorNorms(students=self.settings.judges(self.settings.networks))

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """The first k by their score."""
        return by_difficulty(features, self.settings.keep)[:k]


class ForgettingSettings(JudgeSettings):
    """Settings of the forgetting score."""

    networks: int = identity(5, "trainings over which events are averaged", gt=0)
    keep: Keep = identity("hard", "which clips are kept: hard, those forgotten most, as published; or easy")


class Forgetting(Selector[ForgettingSettings]):
    """Keeps the clips that networks forget most often while they train."""

    name: ClassVar[str] = "forgetting"
    Settings: ClassVar[type[Settings]] = ForgettingSettings
    card: ClassVar[Card] = Card(
        "Clips that are forgotten most often in training",
        paper="An Empirical Study of Example Forgetting during Deep Neural Network Learning, ICLR 2019",
        bibtex="""@inproceedings{toneva2019forgetting,
  title = {An Empirical Study of Example Forgetting during Deep Neural Network Learning},
  author = {Toneva, Mariya and Sordoni, Alessandro and Tachet des Combes, Remi and Trischler, Adam and Bengio, Yoshua
            and Gordon, Geoffrey J.},
  booktitle = {International Conference on Learning Representations},
  year = {2019},
}""",
    )

    def features(self) -> ForgettingEvents:
        """The score of every clip."""
        return ForgettingEvents(students=self.settings.judges(self.settings.networks))

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """The first k by their score, equals in the order of chance: many clips are never forgotten."""
        order = rng.permutation(len(features))
        return order[by_difficulty(features[order], self.settings.keep)[:k]]


class DifficultySettings(JudgeSettings):
    """Settings of coresets by difficulty."""

    keep: Keep = identity("easy", "which part of each class clips are drawn from: easy or hard")
    share: float = identity(0.5, "share of each class in that part; at least as many clips as are kept", gt=0, le=1)


class Difficulty(Selector[DifficultySettings]):
    """Draws clips at random from the half of each class that a teacher finds easy, or from the other one."""

    name: ClassVar[str] = "difficulty"
    Settings: ClassVar[type[Settings]] = DifficultySettings
    card: ClassVar[Card] = Card(
        "Random clips of the half that a teacher finds easy, or hard",
        paper="easy and hard coresets in arXiv 2604.18811",
    )

    def features(self) -> TeacherLosses:
        """The teacher's loss of every clip."""
        return TeacherLosses(student=self.settings.judges()[0])

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """K of that part, in the order of chance."""
        part = max(k, math.ceil(self.settings.share * len(features)))
        return rng.permutation(by_difficulty(features, self.settings.keep)[:part])[:k]
