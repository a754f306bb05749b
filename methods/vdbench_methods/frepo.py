"""frepo: clips and labels from which kernel regression on the features of networks in training predicts real labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card, Settings, identity
from vdbench.records import Provenance
from vdbench_methods.learned import LearnedSettings, Loop, PixelMethod, RealClips, budget, initial_clips
from vdbench_methods.regression import Regression, RegressionSettings

if TYPE_CHECKING:
    from vdbench.distilled.distilled_set import DistilledSet
    from vdbench.method import Task
    from vdbench.work.workload import Work


class FRePoSettings(RegressionSettings, LearnedSettings):
    """Settings of FRePo."""

    lr: float = identity(3e-3, "learning rate of the pixels, Adam", gt=0)
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
        return self.settings.regression_work(task, self.settings, len(task.train.classes) * budget(task))

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` clips per class and, unless switched off, a label for each."""
        settings, real = self.settings, RealClips(task.train, task.device)
        start, classes = initial_clips(task, settings.init, budget(task))
        clips = start.to(task.device).requires_grad_()
        regression = Regression(settings, settings, task, real, classes)
        optimiser = regression.adam([([clips], settings.lr)])
        tensors = {"clips": clips} | regression.tensors()
        optimisers = {"optimiser": optimiser} | regression.optimisers()
        for step in (loop := Loop(task, self.name, settings.iterations, tensors, optimisers)):
            rng = loop.rng(step)
            loss = regression.backward(clips, rng, step)
            optimiser.step()
            regression.train(clips, rng)
            loop.log(loss)
        return self.pack(task, clips, regression.targets(), Provenance(pool="learned"))
