"""Clips in memory: what a data set hands to methods, and how clips enter a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vdbench.storage.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray


LINES = 512
"""Lines of pixels that are normalised at a time on a CPU, few enough to stay in its cache."""
COUNTED = 256
"""Clips whose pixels are counted at a time, which bounds the memory used."""
RESIDENT_SHARE = 0.25
"""Share of a GPU's free memory that a set may take; larger ones are sent there batch by batch."""
PIECE = 256 << 20
"""Bytes of a set that are read and sent at a time, so that the pinned memory on their way stays small."""


class Normalisation(NamedTuple):
    """Mean and deviation per channel of pixels scaled to 0..1: a train split's own, or what its data set declares."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, eq=False, repr=False)
class ClipSet:
    """Labelled clips of one split, read-only.

    Attributes:
        clips: uint8 ``(N, T, H, W, 3)``, RGB; memory-mapped where it comes from disk.
        labels: int64 ``(N,)``, positions in ``classes``.
        classes: the class names.
        groups: for each clip the source it was cut from; clips of one group never sit on two sides of a split.
        ids: for each clip its name within the data set.
        normalisation: what they are scaled by for networks, pixel statistics of their train split unless declared.
        fingerprint: hash of everything that decides the content.
    """

    clips: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    ids: tuple[str, ...]
    normalisation: Normalisation
    fingerprint: str

    def __post_init__(self) -> None:
        if self.clips.dtype != np.uint8 or self.clips.ndim != 5 or self.clips.shape[-1] != 3:
            raise ValueError(f"clips must be uint8 (N, T, H, W, 3), not {self.clips.dtype} {self.clips.shape}")
        if not len(self.clips) == len(self.labels) == len(self.groups) == len(self.ids):
            raise ValueError("clips, labels, groups and ids must have one entry per clip")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels must lie in 0..{len(self.classes) - 1}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frames(self) -> int:
        """Frames per clip, T."""
        return int(self.clips.shape[1])

    @property
    def size(self) -> int:
        """Height and width of a frame in pixels."""
        return int(self.clips.shape[2])

    def rows_of(self, label: int) -> NDArray[np.int64]:
        """The rows of one class, ascending, int64."""
        return np.flatnonzero(self.labels == label)

    def counts(self) -> NDArray[np.int64]:
        """Clips per class, int64 ``(classes,)``."""
        return np.bincount(self.labels, minlength=len(self.classes))

    def some(self, rows: Sequence[int] | NDArray[np.int64]) -> ClipSet:
        """A copy of some of the clips, in the order of their rows, with the fingerprint of all."""
        groups, ids = (tuple(part[row] for row in rows) for part in (self.groups, self.ids))
        return replace(self, clips=self.clips[rows], labels=self.labels[rows], groups=groups, ids=ids)

    def __repr__(self) -> str:
        return f"ClipSet of {self._facts}"

    def _repr_html_(self) -> str:
        """For a notebook: what it holds, and one clip of each of some classes."""
        from vdbench.clips.pictures import inline_sheet

        first = {int(label): row for row, label in reversed(list(enumerate(self.labels)))}
        rows = [first[label] for label in sorted(first)]
        shown = self.clips[rows] if rows else self.clips[:0]
        return inline_sheet(shown, [self.classes[self.labels[row]] for row in rows], self._facts)

    @property
    def _facts(self) -> str:
        shape = f"{counted(self.frames, 'frame')} of {self.size}x{self.size} pixels"
        return f"{counted(len(self), 'clip')} of {counted(len(self.classes), 'class', 'classes')}, {shape}"

    def of_epoch(self, seed: int, device: torch.device) -> ClipSet:
        """The set as one epoch of training shows it: itself."""
        return self

    def on(self, device: torch.device) -> ClipSet | ResidentClips:
        """The same clips in the memory of a GPU, where they fit; else themselves.

        Args:
            device: where networks compute.
        """
        import torch

        if device.type == "cpu" or not fits(self.clips.nbytes, device):
            return self
        clips, labels = _uploaded(self.clips, device), sent(torch.from_numpy(np.array(self.labels)), device)
        return ResidentClips(clips, labels, self.classes, self.normalisation)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips and labels as a network takes them.

        Args:
            rows: int64 ``(n,)``, which clips; all of them when left out.
            device: where they go as pixels and are normalised; the CPU when left out.

        Returns:
            float32 ``(n, 3, T, H, W)``, normalised, and int64 ``(n,)``.
        """
        import torch

        index = slice(None) if rows is None else rows.numpy()
        clips, labels = (torch.from_numpy(np.array(part[index])) for part in (self.clips, self.labels))
        return to_network(sent(clips, device), self.normalisation), sent(labels, device)

    def frames_at(self, rows: NDArray[np.int64], times: NDArray[np.int64]) -> torch.Tensor:
        """Frames of some clips, uint8 ``(..., H, W, 3)``; rows and times have the shape that stands for the dots."""
        import torch

        return torch.from_numpy(np.array(self.clips[rows, times]))


@dataclass(frozen=True, eq=False)
class ResidentClips:
    """The clips of a :class:`ClipSet` in the memory of a device.

    Attributes:
        clips: uint8 ``(N, T, H, W, 3)``, RGB.
        labels: int64 ``(N,)``, positions in ``classes``.
        classes: the class names.
        normalisation: what they are scaled by when they are rendered.
    """

    clips: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.labels)

    def of_epoch(self, seed: int, device: torch.device) -> ResidentClips:
        """The set as one epoch of training shows it: itself."""
        return self

    def on(self, device: torch.device) -> ResidentClips:
        """Itself: it lies there."""
        return self

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See :meth:`ClipSet.render`; only the numbers of the rows have to reach the device."""
        clips, labels = self.clips, self.labels
        if rows is not None:
            here = sent(rows, clips.device)
            clips, labels = clips[here], labels[here]
        return to_network(clips, self.normalisation), labels

    def frames_at(self, rows: NDArray[np.int64], times: NDArray[np.int64]) -> torch.Tensor:
        """See :meth:`ClipSet.frames_at`."""
        import torch

        here, then = (sent(torch.from_numpy(index), self.clips.device) for index in (rows, times))
        return self.clips[here, then]


def fits(size: int, device: torch.device) -> bool:
    """Whether so many bytes may stay on a device beside what is computed there."""
    return device.type != "cuda" or size < spare_bytes(device)


def spare_bytes(device: torch.device) -> int:
    """What may be kept on a GPU: a share of what is free there, with what torch holds and no tensor uses."""
    import torch

    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(RESIDENT_SHARE * (torch.cuda.mem_get_info(device)[0] + unused))


def _uploaded(clips: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Clips in the memory of a device, sent in pieces."""
    import torch

    there = torch.empty(clips.shape, dtype=torch.uint8, device=device)
    at_once = max(1, PIECE * len(clips) // max(1, clips.nbytes))
    for first in range(0, len(clips), at_once):
        some = slice(first, first + at_once)
        there[some] = sent(torch.from_numpy(np.array(clips[some])), device)
    return there


def sent(tensor: torch.Tensor, device: torch.device | None) -> torch.Tensor:
    """A tensor on a device, itself where it lies there; to a GPU it goes from pinned memory, without a wait."""
    if device is None or tensor.device.type == device.type:
        return tensor
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def to_network(clips: torch.Tensor, normalisation: Normalisation) -> torch.Tensor:
    """Turn stored clips into what networks take.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``.
        normalisation: mean and std of the train split.

    Returns:
        float32 ``(N, 3, T, H, W)`` on the device of ``clips``, in the order of the stored pixels: channels last in
        memory, as 3D convolutions are fastest.
    """
    import torch

    width = clips.shape[3]
    mean, std = _of_lines(normalisation, width, clips.device)
    lines = clips.reshape(-1, 3 * width)
    pixels = torch.empty(lines.shape, device=clips.device, dtype=torch.float32)
    at_once = LINES if clips.device.type == "cpu" else max(1, len(lines))
    for some, out in zip(torch.split(lines, at_once), torch.split(pixels, at_once), strict=True):
        out.copy_(some)
        out.div_(255).sub_(mean).div_(std)
    return pixels.view(clips.shape).permute(0, 4, 1, 2, 3)


@cache
def _of_lines(normalisation: Normalisation, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and std of every value of a line of pixels, sent to a device once."""
    import torch

    with torch.inference_mode(False):  # whoever asks first must not decide what the others get
        mean, std = (torch.tensor(one, dtype=torch.float32).repeat(width).to(device) for one in normalisation)
    return mean, std


def on_device(clips: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Clips where a network reads them, laid out channels-last, in which 3D convolutions are faster everywhere.

    Args:
        clips: float32 ``(N, 3, T, H, W)``.
        device: where to.
    """
    import torch

    return clips.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last_3d)


def pixel_statistics(clips: NDArray[np.uint8]) -> Normalisation:
    """Exact per-channel mean and std of clips, in integer sums, so that their order does not matter.

    Args:
        clips: uint8 ``(N, T, H, W, 3)``, with N at least 1.
    """
    counts = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(clips), COUNTED):
        block = clips[start : start + COUNTED].reshape(-1, 3)
        for channel in range(3):
            counts[channel] += np.bincount(block[:, channel], minlength=256)
    values = np.arange(256) / 255.0
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ values
    std = np.sqrt(np.maximum(share @ values**2 - mean**2, 1e-8))
    return Normalisation(_triple(mean), _triple(std))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (round(float(v), 6) for v in values)
    return red, green, blue
