"""The way of clips to a network: the same bits whichever it is, and pixels cross to a device once."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vdbench.clips import clipset
from vdbench.clips.clipset import ClipSet, ResidentClips
from vdbench.evaluation import batches
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.batches import Batches, TrainingSet, made_ahead
from vdbench.testing import tiny_clips, tiny_task
from vdbench_methods.random import Random

CPU, META = torch.device("cpu"), torch.device("meta")


@dataclass(frozen=True)
class Redrawn:
    """A set with other clips in every epoch: those of a seed are all equal to it."""

    clips: ClipSet
    seed: int = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.clips, name)

    def __len__(self) -> int:
        return len(self.clips)

    def render(
        self, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        clips, targets = self.clips.render(rows, device)
        return torch.full_like(clips, float(self.seed)), targets

    def of_epoch(self, seed: int, device: torch.device) -> "Redrawn":
        return replace(self, seed=seed)

    def on(self, device: torch.device) -> "Redrawn":
        return self


def resident(clips: ClipSet) -> ResidentClips:
    return ResidentClips(
        *(torch.from_numpy(np.array(part)) for part in (clips.clips, clips.labels)), clips.classes, clips.normalisation
    )


def digest(data: TrainingSet, ahead: bool = False) -> str:
    """Of everything that two epochs show."""
    shown = Batches(data, 8, 3, CPU, Augmentation(), ahead)
    found = hashlib.sha256()
    for most in (99, 2):
        for clips, targets in shown.epoch(most):
            found.update(clips.numpy().tobytes() + targets.numpy().tobytes())
    return found.hexdigest()


def test_an_epoch_shows_every_clip_once_in_an_order_drawn_by_the_seed() -> None:
    data = tiny_clips()
    rows = {clip.numpy().tobytes(): row for row, clip in enumerate(data.render()[0])}

    def order(seed: int) -> list[list[int]]:
        shown = Batches(data, 5, seed, CPU)
        return [[rows[clip.numpy().tobytes()] for clips, _ in shown.epoch(99) for clip in clips] for _ in range(2)]

    first, second = order(0)
    assert sorted(first) == sorted(second) == list(range(len(data)))
    assert first != second
    assert order(0) == [first, second] != order(1)


@pytest.mark.parametrize("kept", [0, 2 << 30])
def test_a_set_that_is_redrawn_shows_other_clips_in_every_epoch(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(batches, "RESIDENT_BYTES", kept)

    def epochs(seed: int) -> list[list[float]]:
        shown = Batches(Redrawn(tiny_clips()), 8, seed, CPU)  # type: ignore[arg-type]
        return [[float(clips.unique()) for clips, _ in shown.epoch(99)] for _ in range(3)]

    shown = epochs(0)
    assert all(len(set(epoch)) == 1 for epoch in shown)  # an epoch is one draw
    assert len({epoch[0] for epoch in shown}) == 3
    assert epochs(0) == shown != epochs(1)


def test_every_way_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clips, distilled = tiny_clips(), Random().distill(tiny_task(tmp_path, ipc=4))
    kept = [digest(clips), digest(distilled)]
    monkeypatch.setattr(batches, "RESIDENT_BYTES", 0)
    assert [digest(clips), digest(distilled)] == kept
    assert [digest(clips, ahead=True), digest(distilled, ahead=True)] == kept
    assert digest(resident(clips)) == kept[0]


def test_large_sets_are_rendered_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[int] = []
    render = ClipSet.render

    def counted(
        self: ClipSet, rows: torch.Tensor | None = None, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rendered.append(len(self) if rows is None else len(rows))
        return render(self, rows, device)

    monkeypatch.setattr(ClipSet, "render", counted)
    list(Batches(tiny_clips(), 8, 0, CPU).epoch(99))
    assert max(rendered) == len(tiny_clips())
    rendered.clear()
    monkeypatch.setattr(batches, "RESIDENT_BYTES", 0)
    list(Batches(tiny_clips(), 8, 0, CPU).epoch(99))
    assert max(rendered) == 8


@pytest.mark.parametrize("kept", [0, 2 << 30])
@pytest.mark.parametrize("kind", ["clips", "distilled"])
def test_no_clip_crosses_to_a_device_after_the_first_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: int, kind: str
) -> None:
    """On torch's device without content, which every stage has to name by itself."""
    monkeypatch.setattr(batches, "RESIDENT_BYTES", kept)
    sent: list[torch.dtype] = []
    send = clipset.sent

    def counted(tensor: torch.Tensor, device: torch.device | None) -> torch.Tensor:
        there = send(tensor, device)
        if there is not tensor:
            sent.append(tensor.dtype)
        return there

    for module in ("clips.clipset", "distilled.distilled_set", "distilled.parameterisations"):
        monkeypatch.setattr(f"vdbench.{module}.sent", counted)
    data: TrainingSet = tiny_clips() if kind == "clips" else Random().distill(tiny_task(tmp_path, ipc=4))
    shown = Batches(data, 8, 0, META)
    assert sent == [torch.uint8, torch.int64]
    for clips, targets in (pair for _ in range(3) for pair in shown.epoch(99)):
        assert (clips.device.type, targets.device.type, clips.dtype) == ("meta", "meta", torch.float32)
        assert clips.is_contiguous(memory_format=torch.channels_last_3d)
    assert sent == [torch.uint8, torch.int64]


def test_batches_made_ahead_come_in_order_and_errors_arrive() -> None:
    made: list[int] = []

    def maker(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        if number == 5:
            raise ValueError("broken")
        made.append(number)
        return torch.tensor(number), torch.tensor(0)

    stream = made_ahead([lambda n=n: maker(n) for n in range(9)], CPU, None)  # type: ignore[misc]
    got = [int(next(stream)[0])]
    assert len(made) <= 1 + batches.AHEAD
    with pytest.raises(ValueError, match="broken"):
        got += [int(clips) for clips, _ in stream]
    assert got == [0, 1, 2, 3, 4][: len(got)]
