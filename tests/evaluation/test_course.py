"""Tests on the way: they are what a shorter look at the same training gives, and change nothing."""

import pytest
import torch

from vdbench.distilled import DistilledSet
from vdbench.evaluation.configurations import Configuration
from vdbench.evaluation.course import Course, steps_at
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.judging import Judge
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.passes import test_student as logits_of
from vdbench.evaluation.scoring import top_k
from vdbench.evaluation.train import Recipe, train_student
from vdbench.records import Score
from vdbench.students import build_student
from vdbench.testing import tiny_clips

CPU = torch.device("cpu")
SMALL = StudentSpec(name="minic3d", width=3)
RECIPE = Recipe(epochs=4, batch=5, lr=0.05)


def scored(checkpoints: tuple[float, ...] = (), recipe: Recipe = RECIPE) -> Score:
    (found,) = evaluate(tiny_clips(), tiny_clips(), [SMALL], recipe, [3], CPU, checkpoints=checkpoints)
    return found.scores[0]


@pytest.mark.parametrize(
    ("shares", "total", "steps"),
    [((0.5, 1.0), 10, [5, 10]), ((0.01, 0.02), 10, [1]), ((1 / 3,), 10, [4]), ((0.1,), 30, [3]), ((), 10, [])],
)
def test_shares_are_steps_rounded_up(shares: tuple[float, ...], total: int, steps: list[int]) -> None:
    assert steps_at(shares, total) == steps


def test_looking_on_the_way_changes_no_bit_of_the_end() -> None:
    seen = scored((0.1, 0.5, 1))
    assert seen.model_copy(update={"checkpoints": ()}) == scored()
    assert seen.checkpoints[-1].top1 == seen.top1


def test_a_checkpoint_is_the_student_after_so_many_steps() -> None:
    """Trained with a constant rate, it is the student of a shorter recipe."""
    clips, constant = tiny_clips(), RECIPE.model_copy(update={"decay": 1.0})
    total, per_epoch = constant.steps(len(clips)), -(-len(clips) // 5)
    seen = scored((0.25, 0.3, 0.5, 1), constant)
    assert [point.step for point in seen.checkpoints] == steps_at((0.25, 0.3, 0.5, 1), total)
    for point in seen.checkpoints:
        whole, rest = divmod(point.step, per_epoch)
        assert point.clips == whole * len(clips) + rest * 5
        student = build_student("minic3d", 3, clips.frames, clips.size, 3, 3)
        train_student(student, clips, constant.model_copy(update={"max_steps": point.step}), 3, CPU)
        (logits,) = logits_of(student, clips, CPU)
        assert point.top1 == top_k(logits, torch.tensor(clips.labels), 1)


def test_the_clock_stands_still_while_a_student_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("vdbench.evaluation.course.time.perf_counter", lambda: now[0])

    def test() -> float:
        now[0] += 7
        return 0.5

    course = Course([1, 3], test, CPU)
    for step in (1, 2, 3):
        now[0] += 2
        course.after(step, 4 * step)
    assert [(point.step, point.clips, point.seconds) for point in course.checkpoints] == [(1, 4, 2), (3, 12, 6)]
    assert course.seconds == 14


def test_every_condition_but_configurations_is_looked_at(distilled: DistilledSet) -> None:
    ways = {"a": Configuration().over(SMALL, RECIPE)}
    judge = Judge(
        tiny_clips(), tiny_clips(), [SMALL], RECIPE, [0], CPU, labels=["soft"], configurations=ways,
        teacher=lambda clips: torch.full((len(clips), 3), 1 / 3), checkpoints=(0.5, 1),
    )  # fmt: skip
    found = judge(distilled, 2, 0)
    counts = {c.name: len(c.students[0].scores[0].checkpoints) for c in found.conditions}
    assert counts == {"soft": 2, "own.a": 0}
    assert len(found.students[0].scores[0].checkpoints) == 2


def test_scores_without_checkpoints_are_stored_as_they_were() -> None:
    assert "checkpoints" not in scored().model_dump(mode="json")
    seen = scored((1,))
    assert Score.model_validate(seen.model_dump(mode="json")) == seen
