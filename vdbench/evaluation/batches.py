"""What a network is shown: batches of clips on its device, in an order drawn by the seed.

Pixels stay uint8 until they are on the device and are normalised there. A set lies there whole where it fits: small
ones as network input, larger ones as pixels. What fits nowhere is read and sent ahead, by a thread of its own.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vdbench.clips.clipset import on_device, sent
from vdbench.evaluation.augment import Augmentation, augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import torch

    from vdbench.clips.clipset import Normalisation

RESIDENT_BYTES = 2 << 30
"""Sets whose network input is no larger than this stay on the device as such."""
AHEAD = 2
"""Batches that are made before they are asked for, where clips cannot stay on a GPU."""


class TrainingSet(Protocol):
    """Anything that a student can be trained on: a :class:`ClipSet` or a :class:`DistilledSet`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that targets point into."""

    @property
    def normalisation(self) -> Normalisation:
        """The mean and std that its clips are scaled by."""

    def __len__(self) -> int:
        """How many clips there are."""

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips as networks take them, and hard or soft targets, of some rows or of all; on a device, if named."""

    def of_epoch(self, seed: int, device: torch.device) -> TrainingSet:
        """What one epoch shows: itself, unless it has other clips for every seed."""

    def on(self, device: torch.device) -> TrainingSet:
        """The same set in the memory of a device; itself where it lies there already, or does not fit."""


@runtime_checkable
class LabelsAtEveryStep(Protocol):
    """A set that labels its clips as they are shown, after they were varied."""

    def labelled(self, clips: torch.Tensor) -> torch.Tensor:
        """Targets of a batch, which lies where the networks are."""


class Batches:
    """The batches of every epoch, in an order drawn on the CPU, so that it is the same on every device.

    Args:
        data: at least one clip.
        batch: clips at a time.
        seed: of the order and of the augmentation.
        device: where the clips go.
        augmentation: how clips are varied.
        ahead: whether batches are made ahead by another thread; where clips cannot stay on a GPU when left out.
    """

    def __init__(
        self,
        data: TrainingSet,
        batch: int,
        seed: int,
        device: torch.device,
        augmentation: Augmentation | None = None,
        ahead: bool | None = None,
    ) -> None:
        import torch

        self._batch, self._device, self._augmentation = batch, device, augmentation
        self._order, self._chance = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)
        self._data = data.on(device)
        self._redrawn = data.of_epoch(0, device) is not data
        clip, _ = data.render(torch.tensor([0]))
        self._there = self._data is not data or clip.device.type == device.type
        self._ahead = (device.type == "cuda" and not self._there) if ahead is None else ahead
        self._stream = stream_of(device) if self._ahead else None
        self._small = len(data) * clip.numel() * clip.element_size() <= RESIDENT_BYTES
        self._resident = placed(self._data, None, device) if self._small and not self._redrawn else None

    def epoch(self, most: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Every clip once, in at most so many batches: clips as networks take them, and targets, on the device."""
        import torch

        rows = torch.randperm(len(self._data), generator=self._order)
        data, resident = self._data, self._resident
        if self._redrawn:
            data = data.of_epoch(int(torch.randint(2**31, (), generator=self._order)), self._device)
            resident = placed(data, None, self._device) if self._small else None
        if resident is not None:
            clips, targets = resident
            for some in torch.split(sent(rows, self._device), self._batch)[:most]:
                yield self._varied(clips[some], targets[some])
            return
        chosen = torch.split(sent(rows, self._device) if self._there else rows, self._batch)[:most]
        made = [partial(placed, data, some, self._device) for some in chosen]
        ahead = self._ahead
        for clips, targets in made_ahead(made, self._device, self._stream) if ahead else (make() for make in made):
            yield self._varied(clips, targets)

    def _varied(self, clips: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._augmentation is not None:
            clips = augmented(clips, self._augmentation, self._chance)
        return clips, self._data.labelled(clips) if isinstance(self._data, LabelsAtEveryStep) else targets


def placed(data: TrainingSet, rows: torch.Tensor | None, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips and targets of some rows, or of all, where and how a network reads them."""
    clips, targets = data.render(rows, device)
    return on_device(clips, device), sent(targets, device)


def stream_of(device: torch.device) -> torch.cuda.Stream | None:
    """A stream of a GPU, beside that on which networks are computed; None elsewhere."""
    import torch

    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def made_ahead(
    makers: Iterable[Callable[[], tuple[torch.Tensor, torch.Tensor]]],
    device: torch.device,
    stream: torch.cuda.Stream | None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Make batches in a thread while those before are computed on.

    Args:
        makers: make a batch each, on the device.
        device: where.
        stream: of a GPU, on which they are made; memory that was freed on it serves the batches after it.
    """
    import torch

    def make(maker: Callable[[], tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.cuda.stream(stream):
            pair = maker()
        if stream is not None:
            stream.synchronize()
        return pair

    with ThreadPoolExecutor(1) as thread:
        pending: deque[Future[tuple[torch.Tensor, torch.Tensor]]] = deque()
        for maker in makers:
            pending.append(thread.submit(make, maker))
            if len(pending) > AHEAD:
                yield _used(pending.popleft().result(), device)
        while pending:
            yield _used(pending.popleft().result(), device)


def _used(pair: tuple[torch.Tensor, torch.Tensor], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch that is computed on from now on: its memory is not given away before that is done."""
    import torch

    if device.type == "cuda":
        for tensor in pair:
            tensor.record_stream(torch.cuda.current_stream(device))
    return pair
