"""Networks that are trained in turns are those that are trained one after the other, to the bit."""

from collections.abc import Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch

from tests.evaluation.test_train import weights
from vdbench.errors import DivergedError
from vdbench.evaluation import networks, turns
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe, Training, train_student
from vdbench.evaluation.turns import networks_at_once, train_in_turns
from vdbench.seeding import Chance, seeded
from vdbench.students import build_student
from vdbench.students.student import Student
from vdbench.testing import tiny_clips

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=5, batch=16, augmentation=Augmentation())


def drawing(seed: int) -> Student:
    """A student that draws at every step, for its dropout."""
    clips = tiny_clips()
    return build_student("minic3d", len(clips.classes), clips.frames, clips.size, width=4, seed=seed)


def training(student: Student, seed: int, recipe: Recipe = RECIPE, **named: Any) -> Training:
    return Training(student, tiny_clips(), recipe, seed, CPU, **named)


def test_networks_in_turns_are_those_trained_by_themselves() -> None:
    alone = [drawing(seed) for seed in range(3)]
    curves = [train_student(student, tiny_clips(), RECIPE, seed, CPU) for seed, student in enumerate(alone)]
    before = torch.get_rng_state()
    beside = [drawing(seed) for seed in range(3)]
    found = train_in_turns([training(student, seed) for seed, student in enumerate(beside)], CPU)
    assert found == curves
    assert [weights(student) for student in beside] == [weights(student) for student in alone]
    assert torch.equal(torch.get_rng_state(), before)
    assert len({weights(student) for student in beside}) == 3


def test_every_epoch_is_followed_by_one_of_each_other_network() -> None:
    order: list[tuple[int, int]] = []
    recipes = [RECIPE, RECIPE.model_copy(update={"epochs": 2})]

    def heard(number: int) -> Any:
        return lambda step, **_: order.append((number, step))

    train_in_turns([training(drawing(0), 0, recipes[n], report=heard(n)) for n in range(2)], CPU)
    steps = -(-len(tiny_clips()) // 16)
    assert order == [(n, epoch * steps) for epoch in (1, 2) for n in (0, 1)] + [(0, e * steps) for e in (3, 4, 5)]


def test_one_that_diverges_is_named_by_its_step() -> None:
    wild = RECIPE.model_copy(update={"lr": 1e18})
    with pytest.raises(DivergedError) as alone:
        train_student(drawing(1), tiny_clips(), wild, 1, CPU)
    with pytest.raises(DivergedError) as beside:
        train_in_turns([training(drawing(0), 0), training(drawing(1), 1, wild)], CPU)
    assert str(beside.value) == str(alone.value)


@pytest.mark.parametrize(("clips", "count"), [(7, 36), (50, 5), (101, 2), (128, 2), (129, 1), (250, 1), (10_000, 1)])
def test_a_gpu_is_shown_a_full_batch_at_most_by_all_networks_together(clips: int, count: int) -> None:
    assert networks_at_once(Recipe(batch=256), clips, torch.device("cuda")) == count
    assert networks_at_once(Recipe(batch=256), clips, CPU) == 1


class Stream:
    """Notes what waits for it, and what it waits for."""

    def __init__(self, name: str, noted: list[str]) -> None:
        self.name, self.noted = name, noted

    def wait_stream(self, other: "Stream") -> None:
        self.noted.append(f"{self.name} waits for {other.name}")


class Steps:
    """A training of two epochs, of which the second may fail.

    Args:
        noted: what is asked of the device.
        streams: the last one is that of now.
        fails: whether it does.
    """

    def __init__(self, noted: list[str], streams: list[Stream], fails: bool) -> None:
        self.taken, self.noted, self.streams, self.fails = 0, noted, streams, fails

    @property
    def done(self) -> bool:
        return self.taken == 2

    def epoch(self) -> None:
        self.taken += 1
        self.noted.append(f"epoch on {self.streams[-1].name}")
        if self.done and self.fails:
            raise DivergedError("minic3d", 2)

    def end(self) -> Sequence[float]:
        return ()


@pytest.mark.parametrize("fails", [False, True])
def test_streams_begin_after_what_is_shared_and_are_waited_for(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    """Also where a network diverged: another one may still be writing its weights."""
    noted: list[str] = []
    names, current = iter("AB"), [Stream("own", noted)]

    @contextmanager
    def on(stream: Stream) -> Any:
        current.append(stream)
        try:
            yield
        finally:
            current.pop()

    monkeypatch.setattr(turns, "stream_of", lambda _: Stream(next(names), noted))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: current[-1])
    monkeypatch.setattr(torch.cuda, "stream", on)
    trainings: Any = [Steps(noted, current, False), Steps(noted, current, fails)]
    with pytest.raises(DivergedError) if fails else nullcontext():
        train_in_turns(trainings, torch.device("cuda"))
    assert noted == [
        *["epoch on own"] * 2, "A waits for own", "B waits for own",
        "epoch on A", "epoch on B", "own waits for A", "own waits for B",
    ]  # fmt: skip


def test_a_network_by_itself_has_no_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "stream_of", None)
    assert len(train_in_turns([training(drawing(0), 0)], CPU)) == 1


@pytest.mark.parametrize("at_once", [2, 3, 99])
def test_scores_do_not_depend_on_how_many_are_trained_side_by_side(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged() -> Any:
        spec = StudentSpec(name="minic3d", width=4)
        reports: dict[str, list[tuple[int, float]]] = {}

        def report(step: int, **metrics: float) -> None:
            for name, value in metrics.items():
                reports.setdefault(name, []).append((step, value))

        (found,) = evaluate(tiny_clips(), tiny_clips(), [spec], Recipe(epochs=3), range(5), CPU, report)
        return found.model_copy(update={"train_seconds": 0, "test_seconds": 0, "peak_memory": 0}), reports

    alone = judged()
    monkeypatch.setattr(networks, "networks_at_once", lambda *_: at_once)
    assert judged() == alone


def test_a_network_that_is_tested_on_its_way_is_trained_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    plain = networks.train_in_turns
    monkeypatch.setattr(networks, "networks_at_once", lambda *_: 9)
    monkeypatch.setattr(
        networks, "train_in_turns", lambda some, device: (groups.append(len(some)), plain(some, device))[1]
    )
    spec = [StudentSpec(name="minic3d", width=4)]
    for checkpoints in ((), (0.5,)):
        evaluate(tiny_clips(), tiny_clips(), spec, Recipe(epochs=2), range(3), CPU, checkpoints=checkpoints)
    assert groups == [3, 1, 1, 1]


def test_chance_goes_on_where_it_stopped() -> None:
    with seeded(7):
        whole = torch.rand(6)
    one, other = Chance(7), Chance(8)
    parts = []
    for chance in (one, other, one):
        with chance.drawing():
            parts.append(torch.rand(3))
    assert torch.equal(torch.cat([parts[0], parts[2]]), whole)
