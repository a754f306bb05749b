"""Judging under every condition: which there are, and that each is what its name says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.sets import learned
from vdbench.distilled import DistilledSet
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.judging import Judge, evaluation_settings, random_clips
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.teacher import TrainedTeacher
from vdbench.evaluation.train import Recipe
from vdbench.outcomes import unpack
from vdbench.testing import tiny_clips, tiny_task
from vdbench_methods.random import Random

CPU = torch.device("cpu")
SMALL = (StudentSpec(name="minic3d", width=2), StudentSpec(name="cnn-gru", width=2))
RECIPE = Recipe(epochs=3)


def teacher(clips: torch.Tensor) -> torch.Tensor:
    return torch.tensor([0.2, 0.5, 0.3]).expand(len(clips), 3)


def judge(**changes: object) -> Judge:
    return replace(
        Judge(tiny_clips(), tiny_clips(), SMALL, RECIPE, [0], CPU, teacher=teacher),
        **changes,  # type: ignore[arg-type]
    )


def names(*arguments: object) -> list[str]:
    return [setting.name for setting in evaluation_settings(*arguments)]  # type: ignore[arg-type]


def test_conditions_are_those_that_differ_from_how_the_set_is_meant() -> None:
    assert names("hard", False, (), False) == []
    assert names("hard", False, ("hard", "soft"), True) == ["soft", "own-augmented"]
    assert names("soft", False, ("hard", "soft"), False) == ["hard", "own-random"]
    assert names("hard", True, ("hard",), False) == ["hard", "own-random"]
    assert names("soft", True, ("hard", "soft"), True) == [
        "hard", "soft", "own-augmented", "own-random", "own-augmented-random",
    ]  # fmt: skip


def test_a_learned_step_size_stands_in_for_the_recipe_s(distilled: DistilledSet) -> None:
    own = learned(distilled, step_size=0.07)
    evaluation = judge(labels=("hard",))(own, 2, 0)
    faster = evaluate(own, tiny_clips(), SMALL, Recipe(epochs=3, lr=0.07), [0], CPU)
    assert [s.scores for s in evaluation.students] == [s.scores for s in faster]
    plain = judge()(distilled, 2, 0)
    assert top1(evaluation, "hard") == plain.students[0].scores[0].top1
    assert plain.conditions == ()


def test_the_control_is_random_s_own_set_under_the_method_s_recipe(distilled: DistilledSet) -> None:
    """The set is random's, so that with another step size the control is the set itself."""
    own = learned(distilled, step_size=0.07)
    evaluation = judge()(own, 2, own.record.seed)
    assert top1(evaluation, "own-random") == evaluation.students[0].scores[0].top1


@pytest.mark.parametrize("seed", [0, 3])
def test_random_clips_are_those_that_the_method_random_keeps(tmp_path: Path, seed: int) -> None:
    task = tiny_task(tmp_path, ipc=3, seed=seed)
    kept = Random().distill(task)
    drawn = random_clips(task.train, 3, seed)
    assert np.array_equal(drawn.clips, kept.tensors["clips"].numpy())
    assert drawn.labels.tolist() == kept.labels().tolist()


def test_soft_labels_are_the_set_s_own_or_the_teacher_s(distilled: DistilledSet) -> None:
    taught = judge(labels=("soft",))(distilled, 2, 0)
    relabelled = DistilledSet(
        {**distilled.tensors, "targets": teacher(torch.empty(6)).clone()},
        distilled.record.model_copy(update={"labels": "soft"}),
    )
    (expected,) = evaluate(relabelled, tiny_clips(), SMALL[:1], RECIPE, [0], CPU, probe=False)
    assert taught.conditions[0].students[0].scores == expected.scores
    brought = judge(labels=("hard", "soft"))(learned(distilled, soft=True), 2, 0)
    assert [setting.name for setting in brought.conditions] == ["hard", "own-random"]
    assert top1(brought, "hard") == judge()(distilled, 2, 0).students[0].scores[0].top1
    with pytest.raises(ValueError, match="teacher"):
        judge(labels=("soft",), teacher=None)(distilled, 2, 0)


def test_augmentation_is_a_second_training(distilled: DistilledSet) -> None:
    how = Augmentation(crop=0.25)
    evaluation = judge(augmentation=how)(distilled, 2, 0)
    recipe = RECIPE.model_copy(update={"augmentation": how})
    (expected,) = evaluate(distilled, tiny_clips(), SMALL[:1], recipe, [0], CPU, probe=False)
    assert evaluation.conditions[0].students[0].scores == expected.scores
    assert expected.scores[0].train_loss != evaluation.students[0].scores[0].train_loss


def test_the_first_student_judges_every_condition_and_names_its_curves(distilled: DistilledSet) -> None:
    seen: set[str] = set()
    evaluation = judge(labels=("hard",))(learned(distilled, soft=True), 2, 0, lambda step, **m: seen.update(m))
    assert [s.student for s in evaluation.students] == ["minic3d", "cnn-gru"]
    assert all([s.student for s in setting.students] == ["minic3d"] for setting in evaluation.conditions)
    assert {"minic3d/0/top1", "cnn-gru/0/loss", "hard/minic3d/0/loss", "own-random/minic3d/0/top1"} <= seen


def test_a_whole_split_is_judged_as_it_is(distilled: DistilledSet) -> None:
    assert judge(labels=("soft",), augmentation=Augmentation())(distilled, None, 0).conditions == ()


def test_the_teacher_learns_from_train_and_gives_distributions(tmp_path: Path) -> None:
    task = tiny_task(tmp_path)
    spec = TrainedTeacher(student=StudentSpec(name="minic3d", width=8), recipe=Recipe(epochs=40, batch=8))
    label = spec.teacher(task.assets)
    clips, labels = task.train.render()
    given = label(clips)
    assert torch.allclose(given.sum(dim=1), torch.ones(len(clips)))
    assert float((given.argmax(dim=1) == labels).double().mean()) > 0.8
    assert torch.allclose(given[3:5], label(clips[3:5]), atol=1e-5)


def top1(evaluation: object, name: str) -> float:
    (found,) = [setting for setting in evaluation.conditions if setting.name == name]  # type: ignore[attr-defined]
    return found.students[0].scores[0].top1


def test_every_condition_keeps_outcomes_of_the_clips_that_were_tested(distilled: DistilledSet) -> None:
    test = tiny_clips()
    judged = judge(labels=("hard", "soft"), augmentation=Augmentation(), students=SMALL[:1])(distilled, 2, 0)
    assert [condition.name for condition in judged.conditions] == ["soft", "own-augmented"]
    every = [*judged.students, *(scores for condition in judged.conditions for scores in condition.students)]
    for score in (score for scores in every for score in scores.scores):
        assert score.outcomes is not None
        assert float(unpack(score.outcomes, len(test), 3).won().mean()) == score.top1
    tested = judged.tested
    assert (tested.ids, tested.groups, tested.classes) == (test.ids, test.groups, test.classes)
    assert list(tested.labels) == test.labels.tolist()
