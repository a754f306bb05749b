"""sfvd: a single frame per clip, repeated over time, that is learned by trajectory matching; a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from vdbench.method import Card
from vdbench.records import Provenance
from vdbench_methods.learned import budget, initial_clips, key_frame_bytes
from vdbench_methods.mtt import MTT, Rows

if TYPE_CHECKING:
    import torch

    from vdbench.distilled import DistilledSet
    from vdbench.method import Task


class SFVD(MTT):
    """Learns one frame per clip as ``mtt`` learns clips: students are shown it at all times.

    It starts from the first frames of the clips that ``random`` picks, which ``iterations=0`` leaves as they are. The
    published method also mixes real clips into the matching, through a layer that reshapes channels; that layer is not
    described well enough to be rebuilt, and left out.
    """

    name: ClassVar[str] = "sfvd"
    card: ClassVar[Card] = Card(
        "One learned frame per clip, on MTT (reconstruction)",
        paper="Distill Video Datasets into Images, arXiv 2512.14621",
        bibtex="""@misc{zhao2025sfvd,
  title = {Distill Video Datasets into Images},
  author = {Zhao, Zhenghao and Wang, Haoxuan and Wang, Kai and Shang, Yuzhang and Hong, Yuan and Yan, Yan},
  eprint = {2512.14621},
  archiveprefix = {arXiv},
  year = {2025},
}""",
        reconstruction=True,
    )

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; one float32 frame per clip, and the time that it stands at."""
        return key_frame_bytes(task, 1, clip_bytes)

    def distill(self, task: Task) -> DistilledSet:
        """Learn ``task.ipc`` frames per class and a step size."""
        import torch

        clips, labels = initial_clips(task, self.settings.init, budget(task))
        frames = clips[:, :, 0].contiguous().to(task.device).requires_grad_()
        step_size = self.learn(task, frames, labels, partial(Stills, times=task.train.frames))
        keys = torch.zeros(len(frames), task.train.frames, dtype=torch.bool)
        keys[:, 0] = True
        tensors = {"frames": frames, "keys": keys, "targets": labels}
        provenance = Provenance(pool="learned", reconstruction=True)
        return self.pack_as("key-frames", task, tensors, provenance, step_size)


@dataclass(frozen=True)
class Stills(Rows):
    """Steps on clips that show one learned frame at so many times."""

    times: int

    def clips(self, step: int) -> torch.Tensor:
        """See :class:`vdbench_methods.trajectories.Steps`."""
        return super().clips(step).unsqueeze(2).repeat(1, 1, self.times, 1, 1)

    def add(self, step: int, gradient: torch.Tensor) -> None:
        """A frame's gradient is the sum of those at all times."""
        super().add(step, gradient.sum(dim=2))
