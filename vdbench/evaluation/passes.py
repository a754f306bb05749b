"""Test passes: what a student makes of every clip, its frames as they are, in another order, or one of them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdbench.clips.clipset import sent
from vdbench.evaluation.batches import placed
from vdbench.evaluation.parts import in_parts
from vdbench.seeding import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from vdbench.evaluation.batches import TrainingSet
    from vdbench.students.student import Student


def test_student(
    student: Student,
    clips: TrainingSet,
    device: torch.device,
    batch: int = 64,
    frames: Sequence[NDArray[np.int64] | None] = (None,),
    seen: Callable[[torch.Tensor], torch.Tensor] | None = None,
    readings: int = 1,
) -> list[torch.Tensor]:
    """Logits of every clip, in a deterministic pass for each order of frames; no clip has a part in another's.

    Args:
        student: moved to ``device``, and left there in evaluation mode.
        clips: what to test on.
        device: where to compute, in float32.
        batch: clips per forward pass.
        frames: for each pass ``(N, T)``, which frame of each clip is shown at each time; None shows them as they are.
        seen: makes of a batch what the student sees, by which clips may have a part in each other's logits.
        readings: how many of the same clips there are, one after the other; no batch has clips of two.

    Returns:
        float32 ``(N, classes)`` for each pass, on the CPU.
    """
    import torch

    student.to(device).eval()
    source = clips.on(device)
    logits = torch.empty(len(frames), len(clips), len(clips.classes), device=device)
    orders = [None if order is None else sent(torch.from_numpy(order), device) for order in frames]
    with torch.inference_mode():
        for rows in (part for one in torch.arange(len(clips)).chunk(readings) for part in torch.split(one, batch)):
            inputs, _ = placed(source, rows, device)
            for number, order in enumerate(orders):
                shown = inputs if order is None else reordered(inputs, order[rows[0] : rows[-1] + 1])
                logits[number, rows[0] : rows[-1] + 1] = in_parts(student, seen(shown) if seen else shown).float()
    return list(logits.cpu())


def reordered(clips: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Clips ``(n, 3, T, H, W)`` with the frames ``(n, T)`` of each at the times of their places, laid out alike."""
    import torch

    places = torch.arange(len(clips), device=clips.device)[:, None]
    return clips.permute(0, 2, 3, 4, 1)[places, frames].permute(0, 4, 1, 2, 3)


def shuffled_frames(count: int, frames: int) -> NDArray[np.int64]:
    """An order of frames drawn for each of ``count`` clips, the same for every student: ``(count, frames)``."""
    return generator(0, "shuffled frames").random((count, frames)).argsort(axis=1)


def still_frames(count: int, frames: int) -> NDArray[np.int64]:
    """The middle frame at all times: ``(count, frames)``."""
    return np.full((count, frames), frames // 2)
