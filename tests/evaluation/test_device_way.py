"""What crosses to a device, and how often: on torch's device without content, which every stage has to name by itself.

Operations on it that mix devices are not all refused, so the device of each stage's outcome is asserted too.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vdbench.clips import clipset
from vdbench.clips.clipset import ClipSet, fits, to_network
from vdbench.distilled.parameterisations import StaticDynamic, View
from vdbench.encoders.features import embeddings
from vdbench.errors import DivergedError
from vdbench.evaluation import batches, passes, train
from vdbench.evaluation.augment import Augmentation, augmented
from vdbench.evaluation.batches import Batches
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.passes import still_frames
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.students.student import Student
from vdbench.testing import tiny_clips, tiny_task
from vdbench_methods.dm import DMSettings, backward
from vdbench_methods.learned import RealClips
from vdbench_methods.static_dynamic import Memory, VDSDSettings

CPU, META = torch.device("cpu"), torch.device("meta")


class Crossings(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Kinds of the tensors that were copied from one device to another."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kinds: list[torch.dtype] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        what = func.overloadpacket
        if what in (torch.ops.aten._to_copy, torch.ops.aten.to) and args[0].device != out.device:
            self.kinds.append(args[0].dtype)
        if what is torch.ops.aten.copy_ and args[0].device != args[1].device:
            self.kinds.append(args[1].dtype)
        return out


def student(name: str = "minic3d") -> Student:
    data = tiny_clips()
    return build_student(name, len(data.classes), data.frames, data.size, 8, 0)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from the device, which has nothing."""
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: tensor)


@pytest.mark.parametrize("kept", [0, 2 << 30])
@pytest.mark.parametrize(("augmentation", "a_step"), [(None, 0), (Augmentation(), 3)])
def test_only_numbers_of_clips_cross_to_a_device_in_training(
    monkeypatch: pytest.MonkeyPatch, kept: int, augmentation: Augmentation | None, a_step: int
) -> None:
    """Once an epoch those of its order, and at every step where augmentation reads each clip."""
    monkeypatch.setattr(batches, "RESIDENT_BYTES", kept)
    converted: list[int] = []
    convert = clipset.to_network

    def counted(clips: torch.Tensor, normalisation: clipset.Normalisation) -> torch.Tensor:
        converted.append(len(clips))
        return convert(clips, normalisation)

    monkeypatch.setattr(clipset, "to_network", counted)
    data, network = tiny_clips(), student().to(META).train()
    shown = Batches(data, 8, 0, META, augmentation)
    list(shown.epoch(99))
    converted.clear()
    steps = 0
    with Crossings() as crossings:
        for clips, targets in (pair for _ in range(3) for pair in shown.epoch(99)):
            assert clips.device.type == targets.device.type == "meta"
            loss = torch.nn.functional.cross_entropy(network(clips), targets)
            assert loss.device.type == "meta"
            torch.autograd.backward(loss)
            steps += 1
    assert steps == 3 * -(-len(data) // 8)
    assert crossings.kinds == (3 + a_step * steps) * [torch.int64]
    assert len(converted) == (0 if kept else steps)


@pytest.mark.usefixtures("unread")
def test_a_test_sends_clips_once_and_the_numbers_of_each_batch() -> None:
    data, network = tiny_clips(), student().to(META)
    orders = (None, still_frames(len(data), data.frames))
    with Crossings() as crossings:
        first, second = passes.test_student(network, data, META, 8, orders)
    assert first.device.type == second.device.type == "meta"
    assert first.shape == second.shape == (len(data), len(data.classes))
    assert crossings.kinds == [torch.uint8] + (2 + -(-len(data) // 8)) * [torch.int64]


@pytest.mark.usefixtures("unread")
def test_features_are_computed_where_the_network_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    data, network = tiny_clips().on(META), student().to(META)
    monkeypatch.setattr(torch.Tensor, "numpy", lambda tensor: tensor)
    with Crossings() as crossings:
        found: Any = embeddings(network, data, META)  # type: ignore[arg-type]
    assert found.device.type == "meta"
    assert len(found) == len(data)
    assert set(crossings.kinds) == {torch.int64}


def test_an_iteration_of_dm_sends_no_clip() -> None:
    data = tiny_clips()
    real = RealClips(data, META)
    clips = torch.empty(2 * len(data.classes), 3, *data.clips.shape[1:4], device=META, requires_grad=True)
    settings = DMSettings(width=8, clips_per_pass=8)
    weights = len(student().state_dict())
    with Crossings() as crossings:
        loss = backward(settings, real, clips, 2, np.random.default_rng(0))
    assert loss.device.type == "meta"
    assert clips.grad is not None
    assert clips.grad.device.type == "meta"
    assert torch.uint8 not in crossings.kinds
    assert crossings.kinds.count(torch.float32) <= weights  # a fresh network
    assert crossings.kinds.count(torch.int64) == 2 + -(-len(data) // 8)


def test_a_teacher_labels_where_the_clips_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assets = tiny_task(tmp_path).assets
    assets.device = META
    monkeypatch.setattr(TrainedTeacher, "trained", lambda teacher, assets: teacher.fresh(assets.train))
    label = TrainedTeacher(student=StudentSpec(name="minic3d", width=8), recipe=Recipe()).teacher(assets)
    clips, _ = tiny_clips().on(META).render(torch.arange(5))
    with Crossings() as crossings:
        assert label(clips).device.type == "meta"
    assert crossings.kinds == []


@pytest.mark.parametrize("rows", [None, torch.tensor([3, 0], device=META)])
def test_pairs_of_images_and_motions_are_sent_and_nothing_is_waited_for(
    rows: torch.Tensor | None, tmp_path: Path
) -> None:
    memory = Memory(VDSDSettings(), tiny_task(tmp_path))
    memory.tensors = {name: part.to(META) for name, part in memory.tensors.items()}
    tensors = memory.tensors | {"targets": memory.targets.to(META)}
    view = View(rows, tiny_clips().normalisation, memory.classes, 7, None)
    for show in (lambda: memory.clips(7, rows), lambda: StaticDynamic().render(tensors, view)):
        with Crossings() as crossings:
            assert show().device.type == "meta"
        assert crossings.kinds == [torch.int64]


def test_clips_are_varied_where_they_lie() -> None:
    clips, _ = tiny_clips().on(META).render(torch.arange(5))
    varied = augmented(clips, Augmentation(), torch.Generator().manual_seed(0))
    assert (varied.device.type, varied.shape, varied.dtype) == ("meta", clips.shape, clips.dtype)


def test_the_scale_of_pixels_is_sent_once() -> None:
    data = tiny_clips()
    pixels = torch.empty(data.clips.shape, dtype=torch.uint8, device=META)
    to_network(pixels, data.normalisation)
    with Crossings() as crossings:
        assert to_network(pixels, data.normalisation).device.type == "meta"
    assert crossings.kinds == []


def test_a_scale_first_asked_for_by_a_test_serves_training() -> None:
    data = tiny_clips()
    clipset._of_lines.cache_clear()
    with torch.inference_mode():
        first = data.render()[0].clone()
    network = student()
    torch.autograd.backward(network(data.render()[0]).sum())
    assert torch.equal(data.render()[0], first)


@pytest.mark.parametrize("piece", [1, 1000, 10_000])
def test_a_set_sent_in_pieces_is_the_set(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(clipset, "PIECE", piece)
    clips = tiny_clips().clips
    assert np.array_equal(clipset._uploaded(clips, CPU).numpy(), clips)
    assert len(clipset._uploaded(clips[:0], CPU)) == 0


def test_memory_that_torch_holds_and_no_tensor_uses_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 340)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 40)
    gpu = torch.device("cuda")
    assert fits(99, gpu) and not fits(100, gpu)


@pytest.mark.parametrize("batch", [5, 64])
def test_resident_clips_are_tested_to_the_same_bits(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    data, network = tiny_clips(), student()
    orders = (None, still_frames(len(data), data.frames))
    plain = passes.test_student(network, data, CPU, batch, orders)
    there = clipset.ResidentClips(
        clipset._uploaded(data.clips, CPU), torch.from_numpy(np.array(data.labels)), data.classes, data.normalisation
    )
    monkeypatch.setattr(ClipSet, "render", None)
    kept = passes.test_student(network, there, CPU, batch, orders)
    assert all(torch.equal(one, other) for one, other in zip(plain, kept, strict=True))


def trained(waits: int, monkeypatch: pytest.MonkeyPatch, lr: float) -> tuple[Any, ...]:
    """Losses, weights and reports of a network whose losses are read every so many steps; or where it diverged."""
    monkeypatch.setitem(train.STEPS_BETWEEN_WAITS, "cpu", waits)
    network, reports = student(), []
    recipe = Recipe(epochs=7, batch=8, lr=lr)

    def report(step: int, **numbers: float) -> None:
        reports.append((step, numbers["loss"]))

    losses = train_student(network, tiny_clips(), recipe, 0, CPU, report)
    return losses, torch.cat([weight.detach().flatten() for weight in network.parameters()]).numpy().tobytes(), reports


@pytest.mark.parametrize("waits", [4, 7, 1000])
def test_losses_of_several_epochs_that_are_read_together_are_those_read_one_by_one(
    waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained(waits, monkeypatch, 0.01) == trained(1, monkeypatch, 0.01)


def test_a_step_that_diverged_is_named_however_late_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    named = set()
    for waits in (1, 5, 1000):
        with pytest.raises(DivergedError) as raised:
            trained(waits, monkeypatch, 1e18)
        named.add(str(raised.value))
    assert len(named) == 1
