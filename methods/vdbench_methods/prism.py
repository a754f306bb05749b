"""prism: learns key frames, and inserts more of them where gradients of neighbours disagree; a reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from vdbench.method import Card, Settings, identity
from vdbench.records import Provenance
from vdbench.seeding import seed_of
from vdbench_methods import dc, dm
from vdbench_methods.learned import Loop, PixelMethod, RealClips, budget, initial_clips, key_frame_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch

    from vdbench.distilled import DistilledSet
    from vdbench.method import Task
    from vdbench.work.workload import Work


class PrismSettings(dm.DMSettings):
    """Settings of key frames; rates and real clips are those of the loss's own method, all others our choice."""

    loss: Literal["dm", "dc"] = identity("dm", "what is learned by: matching of distributions or of gradients")
    lr: float = identity(30.0, "learning rate of the pixels, on normalised clips; 0.1 on dc unless set", gt=0)
    insert: bool = identity(True, "whether key frames are inserted; else a clip keeps its first and last")
    insert_every: int = identity(100, "iterations between two chances of a clip to get another key frame", gt=0)
    threshold: float = identity(
        0.0, "a frame becomes a key frame if its gradient's cosines with both neighbours' lie below", ge=-1, le=1
    )
    most: int | None = identity(None, "key frames per clip at most; all frames but one if left out", ge=2)

    @model_validator(mode="before")
    @classmethod
    def _rate_of_the_loss(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("loss") == "dc":
            return {"lr": dc.DCSettings().lr} | values
        return values

    def in_bf16(self) -> bool:
        """Only the matching of distributions does."""
        return self.bf16 and self.loss == "dm"

    def room(self, frames: int) -> int:
        """Key frames that a clip of so many frames may have in the end."""
        return min(frames, max(2, self.most or frames - 1) if self.insert else 2)

    def gradients(self) -> dc.DCSettings:
        """How gradients are matched: once per network."""
        same = self.model_dump(include={"iterations", "student", "width", "real", "clips_per_pass"})
        return dc.DCSettings(**same, updates=1, epochs=1)


class Prism(PixelMethod[PrismSettings]):
    """Learns the key frames of clips whose other frames are interpolated.

    A clip begins with its first and last frame. Every so often one frame more may become a key frame of it: that on
    which the loss pulls in another direction than on the key frames before and after it.
    """

    name: ClassVar[str] = "prism"
    Settings: ClassVar[type[Settings]] = PrismSettings
    card: ClassVar[Card] = Card(
        "Learned key frames, inserted where gradients disagree (reconstruction)",
        paper="PRISM: Video Dataset Condensation with Progressive Refinement and Insertion for Sparse Motion, "
        "CVPR 2026",
        bibtex="""@inproceedings{choi2026prism,
  title = {{PRISM}: Video Dataset Condensation with Progressive Refinement and Insertion for Sparse Motion},
  author = {Choi, Jaehyun and Hur, Jiwan and Han, Gyojin and Yu, Jaemyung and Kim, Junmo},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2026},
}""",
        reconstruction=True,
    )

    def stored_bytes(self, task: Task, clip_bytes: float | None = None) -> float:
        """See :meth:`Method.stored_bytes`; of as many key frames as there may be, since insertion decides how many."""
        return key_frame_bytes(task, self.settings.room(task.train.frames), clip_bytes)

    def work(self, task: Task) -> Sequence[Work] | None:
        """That of ``dm``, or of ``dc``, whose students see as many clips."""
        chosen = self.settings
        return (dm.DM(chosen) if chosen.loss == "dm" else dc.DC(chosen.gradients())).work(task)

    def distill(self, task: Task) -> DistilledSet:
        """Learn the key frames of ``task.ipc`` clips per class."""
        import torch

        from vdbench.distilled.parameterisations import interpolate

        settings, real = self.settings, RealClips(task.train, task.device)
        start, labels = initial_clips(task, settings.init, budget(task))
        frames = start.transpose(1, 2).contiguous().to(task.device).requires_grad_()
        keys = torch.zeros(frames.shape[:2], dtype=torch.bool, device=task.device)
        keys[:, [0, -1]] = True
        optimiser = torch.optim.SGD([frames], lr=settings.lr, momentum=settings.momentum)
        loop = Loop(task, self.name, settings.iterations, {"frames": frames, "keys": keys}, {"optimiser": optimiser})
        for step in loop:
            shown = interpolate(frames.detach()[keys], keys).requires_grad_()
            loss = self._backward(task, real, shown, loop.rng(step))
            assert shown.grad is not None
            optimiser.zero_grad()
            torch.autograd.backward(interpolate(frames[keys], keys), shown.grad)
            optimiser.step()
            if settings.insert and (step + 1) % settings.insert_every == 0:
                chosen = disagreeing(shown.grad, keys, settings.threshold, settings.room(task.train.frames))
                with torch.no_grad():
                    frames[chosen] = interpolate(frames[keys], keys).transpose(1, 2)[chosen]
                keys |= chosen
            loop.log(loss, key_frames=keys.sum(dim=1).float().mean())
        tensors = {"frames": frames[keys], "keys": keys, "targets": labels}
        return self.pack_as("key-frames", task, tensors, Provenance(pool="learned", reconstruction=True))

    def _backward(self, task: Task, real: RealClips, shown: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Add the gradient of an iteration's loss to the clips."""
        settings, ipc = self.settings, budget(task)
        if settings.loss == "dm":
            return dm.backward(settings, real, shown, ipc, rng)
        student = settings.fresh_student(task.train, seed_of(rng), task.device)
        return dc.accumulate_gradient(student, real, shown, ipc, settings.gradients(), rng)


def disagreeing(gradient: torch.Tensor, keys: torch.Tensor, threshold: float, most: int) -> torch.Tensor:
    """The frames that become key frames, at most one of each clip, bool ``(N, T)``.

    One whose gradient has a cosine below the threshold with that of the key frame before it and with that of the one
    after it; of several the one whose larger cosine is the smallest. The others are judged again when it is learned.

    Args:
        gradient: of the loss in the clips, frame by frame, ``(N, 3, T, H, W)``.
        keys: which frames are key frames, bool ``(N, T)``; the first and the last are.
        threshold: of both cosines.
        most: key frames that a clip may have.
    """
    import torch
    from torch.nn.functional import normalize

    last = keys.shape[1] - 1
    here = torch.arange(last + 1, device=keys.device)
    before = torch.where(keys, here, 0).cummax(dim=1).values
    after = torch.where(keys, here, last).flip(1).cummin(dim=1).values.flip(1)
    unit = normalize(gradient.transpose(1, 2).flatten(2), dim=2)
    cosines = [(unit * torch.take_along_dim(unit, at.unsqueeze(2), dim=1)).sum(dim=2) for at in (before, after)]
    agreement, time = torch.maximum(*cosines).masked_fill(keys, torch.inf).min(dim=1)
    wanted = (agreement < threshold) & (keys.sum(dim=1) < most)
    return wanted.unsqueeze(1) & (here == time.unsqueeze(1))
