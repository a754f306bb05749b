"""How hard clips are for networks that were trained on the train split: scores, as shared assets of one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import field_validator

from vdbench.encoders import EncoderSettings
from vdbench.encoders.features import BATCH, Features, FeaturesSpec
from vdbench.encoders.trained import TrainedMiniC3D
from vdbench.evaluation.passes import test_student
from vdbench.evaluation.train import train_student
from vdbench.method import identity
from vdbench.selector import FeatureSettings
from vdbench.work.workload import Work, embedding, training

if TYPE_CHECKING:
    import torch

    from vdbench.clips.clipset import ClipSet
    from vdbench.students.student import Student
    from vdbench.work.assets import Assets


class JudgeSettings(FeatureSettings):
    """Settings of a selector that asks trained networks how hard clips are."""

    encoder: EncoderSettings = identity(EncoderSettings(), "the network that judges; it has to be minic3d-trained")

    @field_validator("encoder")
    @classmethod
    def _classifies(cls, encoder: EncoderSettings) -> EncoderSettings:
        if encoder.name != "minic3d-trained":
            raise ValueError(f"{encoder.name} gives no logits to judge clips by; use minic3d-trained")
        return encoder

    def judges(self, count: int = 1) -> tuple[TrainedMiniC3D, ...]:
        """Networks of the encoder's settings and of seeds from its own on; the first is the encoder itself."""
        fields = self.encoder.model_dump(include=set(TrainedMiniC3D.model_fields) - {"seed"})
        return tuple(TrainedMiniC3D(**fields, seed=self.encoder.seed + number) for number in range(count))


class ErrorNorms(FeaturesSpec):
    """EL2N: the length of the softmax minus the one-hot class, mean over networks.

    Attributes:
        score: tells its address from that of others.
        students: the networks.
    """

    score: Literal["el2n"] = "el2n"
    students: tuple[TrainedMiniC3D, ...]

    def parts(self) -> tuple[TrainedMiniC3D, ...]:
        """The networks."""
        return self.students

    def work(self, assets: Assets) -> list[Work]:
        """Showing every clip to every network."""
        return _shown(assets, self.students[0], len(self.students))

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Judge clips, ``(N, 1)``."""
        import torch

        norms = [error_norms(*judged(judge.trained(assets), clips, assets.device)) for judge in self.students]
        return _column(torch.stack(norms).mean(dim=0))


class TeacherLosses(FeaturesSpec):
    """Cross-entropy under one network.

    Attributes:
        score: tells its address from that of others.
        student: the network.
    """

    score: Literal["loss"] = "loss"
    student: TrainedMiniC3D

    def parts(self) -> tuple[TrainedMiniC3D]:
        """The network."""
        return (self.student,)

    def work(self, assets: Assets) -> list[Work]:
        """Showing it every clip."""
        return _shown(assets, self.student, 1)

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Judge clips, ``(N, 1)``."""
        from torch.nn.functional import cross_entropy

        logits, labels = judged(self.student.trained(assets), clips, assets.device)
        return _column(cross_entropy(logits, labels, reduction="none"))


class ForgettingEvents(FeaturesSpec):
    """How often a clip is forgotten while networks train on the train split, mean over networks.

    Every clip is tested after every epoch. The networks' weights at that time are not kept, so clips of a pool are
    judged by the same training once more.

    Attributes:
        score: tells its address from that of others.
        students: the networks, and how they are trained.
    """

    score: Literal["forgetting"] = "forgetting"
    students: tuple[TrainedMiniC3D, ...]

    def work(self, assets: Assets) -> list[Work]:
        """Training every network, and showing it every clip after every epoch."""
        own, recipe, clips = self.students[0], self.students[0].training(), len(assets.train)
        batch, steps = min(recipe.batch, clips), len(self.students) * recipe.steps(clips)
        trained = training(assets.train, own.network().name, own.width, batch, steps, assets.device)
        return [trained, *_shown(assets, own, len(self.students) * own.epochs)]

    def encode(self, assets: Assets, clips: ClipSet) -> Features:
        """Judge clips, ``(N, 1)``."""
        import torch

        return _column(torch.stack([self._events(assets, clips, judge) for judge in self.students]).mean(dim=0))

    def _events(self, assets: Assets, clips: ClipSet, judge: TrainedMiniC3D) -> torch.Tensor:
        """Events of one training, float32 ``(N,)``."""
        import torch

        student, correct = judge.fresh(assets.train), []
        recipe = judge.training().on(assets.device.type)
        steps = recipe.steps(len(assets.train))

        def test() -> None:
            logits, labels = judged(student, clips, assets.device)
            correct.append(logits.argmax(dim=1) == labels)
            student.train()

        def report(step: int, loss: float) -> None:
            assets.report(step, of=steps, loss=loss)

        train_student(student, assets.train, recipe, judge.seed, assets.device, report, test)
        return forgetting_events(torch.stack(correct)).float()


def error_norms(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The length of the softmax of each row minus its one-hot label, ``(N,)``."""
    from torch.nn.functional import one_hot

    norms: torch.Tensor = (logits.softmax(dim=1) - one_hot(labels, logits.shape[1])).norm(dim=1)
    return norms


def forgetting_events(correct: torch.Tensor) -> torch.Tensor:
    """How often each clip was right after one epoch and wrong after the next; of a clip never right, all epochs.

    Args:
        correct: bool ``(epochs, N)``.

    Returns:
        int64 ``(N,)``.
    """
    import torch

    events = (correct[:-1] & ~correct[1:]).sum(dim=0)
    return torch.where(correct.any(dim=0), events, len(correct))


def judged(student: Student, clips: ClipSet, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits ``(N, classes)`` of all clips, and their labels, on the CPU; the student is left in evaluation mode."""
    import torch

    return test_student(student, clips, device, BATCH)[0], torch.from_numpy(clips.labels.copy())


def _shown(assets: Assets, student: TrainedMiniC3D, times: int) -> list[Work]:
    clips = times * len(assets.train)
    return [embedding(assets.train, student.network().name, student.width, BATCH, clips, assets.device)]


def _column(scores: torch.Tensor) -> Features:
    column: Features = scores.float().unsqueeze(1).numpy()
    return column
