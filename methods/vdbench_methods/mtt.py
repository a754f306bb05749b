"""mtt: trajectory matching, clips on which a network trains along the path of networks trained on real clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card, Settings, identity
from vdbench.records import Provenance
from vdbench_methods.learned import SCALE, LearnedSettings, Loop, PixelMethod, Scale, budget, descent, initial_clips
from vdbench_methods.trajectories import LIMITS, Matching, TrajectorySettings

if TYPE_CHECKING:
    import torch

    from vdbench.distilled import DistilledSet
    from vdbench.method import Limits, Task
    from vdbench.work.workload import Work
    from vdbench_methods.experts import Expert
    from vdbench_methods.trajectories import Steps

    Shown = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Sequence[torch.Tensor]], Steps]


class MTTSettings(LearnedSettings):
    """Settings of trajectory matching; what is published for MiniUCF stands in the suite ``vdsd``."""

    iterations: int = identity(8000, "updates of the learned clips", ge=0)
    lr: float = identity(1e5, "learning rate of the pixels, on normalised clips", gt=0)
    scale: Scale = identity("plain", SCALE, later=True)
    momentum: float = identity(0.5, "of the gradient of pixels, and of the step size unless it has its own", ge=0, lt=1)
    trajectory: TrajectorySettings = identity(TrajectorySettings(), "how experts are trained and matched")


class MTT(PixelMethod[MTTSettings]):
    """Learns clips, and the step size to train on them with, by matching the parameters of expert networks."""

    name: ClassVar[str] = "mtt"
    Settings: ClassVar[type[Settings]] = MTTSettings
    card: ClassVar[Card] = Card(
        "Matching of training trajectories",
        paper="Dataset Distillation by Matching Training Trajectories, CVPR 2022",
        bibtex="""@inproceedings{cazenavette2022mtt,
  title = {Dataset Distillation by Matching Training Trajectories},
  author = {Cazenavette, George and Wang, Tongzhou and Torralba, Antonio and Efros, Alexei A. and Zhu, Jun-Yan},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022},
}""",
    )

    def needs(self, task: Task) -> list[Expert]:
        """The experts, shared by all IPCs and seeds."""
        return self.settings.trajectory.specs(task, self.settings.student, self.settings.width)

    def work(self, task: Task) -> list[Work]:
        """Its iterations."""
        chosen, clips = self.settings, len(task.train.classes) * budget(task)
        return chosen.trajectory.work(task, chosen.student, chosen.width, clips, chosen.iterations)

    def limits(self) -> Limits:
        """See :meth:`Method.limits`."""
        return LIMITS

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` clips per class and a step size."""
        start, labels = initial_clips(task, self.settings.init, budget(task))
        clips = start.to(task.device).requires_grad_()
        step_size = self.learn(task, clips, labels, Rows)
        return self.pack(task, clips, labels, Provenance(pool="learned"), step_size)

    def learn(self, task: Task, pixels: torch.Tensor, labels: torch.Tensor, shown: Shown) -> float:
        """Learn pixels in place.

        Args:
            task: what is distilled.
            pixels: what clips are made of, a row for each.
            labels: their classes.
            shown: makes the steps of an iteration from pixels, their gradient, labels and rows, as :class:`Rows` does.

        Returns:
            The step size that was learned with them.
        """
        import torch

        settings, targets = self.settings, labels.to(task.device)
        matching = Matching(settings.trajectory, task, settings.student, settings.width)
        step_size = matching.step_size
        optimisers = {
            "pixels": descent([pixels], settings.lr, settings.momentum, settings.scale),
            "step": matching.step_size_descent(settings.momentum),
        }
        learned = {"clips": pixels, "step_size": step_size.learned}
        loop = Loop(task, self.name, settings.iterations, learned, optimisers)
        for step in loop:
            rng = loop.rng(step)
            pixels.grad = torch.zeros_like(pixels)
            steps = shown(pixels.detach(), pixels.grad, targets, matching.batches(rng, len(pixels)))
            match = matching.follow(rng, steps)
            step_size.descend(match.step_size)
            for optimiser in optimisers.values():
                optimiser.step()
            step_size.bound()
            loop.log(match.loss, step_size=step_size.value)
        return float(step_size.value)


@dataclass(frozen=True)
class Rows:
    """Steps on some rows of the clips that are learned."""

    learned: torch.Tensor
    gradient: torch.Tensor
    labels: torch.Tensor
    batches: Sequence[torch.Tensor]

    def __len__(self) -> int:
        return len(self.batches)

    def clips(self, step: int) -> torch.Tensor:
        """See :class:`vdbench_methods.trajectories.Steps`."""
        return self.learned[self.batches[step]]

    def targets(self, step: int) -> torch.Tensor:
        """See :class:`vdbench_methods.trajectories.Steps`."""
        return self.labels[self.batches[step]]

    def add(self, step: int, gradient: torch.Tensor) -> None:
        """See :class:`vdbench_methods.trajectories.Steps`."""
        self.gradient.index_add_(0, self.batches[step], gradient)
