"""Configurations of the evaluation: an empty one changes nothing, any other what it names and nothing else."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.sets import learned
from vdbench.distilled import DistilledSet
from vdbench.errors import DivergedError
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.batches import Batches
from vdbench.evaluation.configurations import Configuration
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.judging import Evaluation, Judge, evaluation_settings
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.taught import Taught, TaughtAtEveryStep
from vdbench.evaluation.train import Recipe
from vdbench.records import Condition, EvaluationSetting, Score
from vdbench.testing import tiny_clips

CPU = torch.device("cpu")
SMALL = StudentSpec(name="minic3d", width=2)
RECIPE = Recipe(epochs=3)
FASTER = Configuration(recipe={"lr": 0.05})


def teacher(clips: torch.Tensor) -> torch.Tensor:
    """Labels that depend on what a clip shows, but not on its neighbours."""
    logits = torch.stack([clip.double().mean(dim=(1, 2, 3)) for clip in clips])
    return logits.softmax(dim=1).float()


def judged(distilled: DistilledSet, *, augment: bool = False, **ways: Configuration) -> Evaluation:
    configured = {name: way.over(SMALL, RECIPE) for name, way in ways.items()}
    how = Augmentation(crop=0.25) if augment else None
    labels = ("teacher",) if augment else ()
    return Judge(
        tiny_clips(), tiny_clips(), (SMALL,), RECIPE, [0, 1], CPU, labels, how, teacher, configurations=configured
    )(distilled, 2, 0)


def scores(evaluation: Evaluation, name: str | None = None) -> list[Score]:
    """Of the first student, without what is tested of the sets as they are meant alone."""
    students = next(c.students for c in evaluation.conditions if c.name == name) if name else evaluation.students
    return [score.model_copy(update={"shuffled": None, "still": None}) for score in students[0].scores]


@pytest.mark.parametrize("changes", [{}, {"step_size": 0.07}, {"soft": True}, {"step_size": 0.02, "soft": True}])
def test_an_empty_configuration_scores_what_the_protocol_does(distilled: DistilledSet, changes: dict[str, Any]) -> None:
    found = judged(learned(distilled, **changes), same=Configuration())
    assert scores(found, "own.same") == scores(found)
    if changes:
        assert scores(found, "own.same-random") == scores(found, "own-random")
    alone = judged(learned(distilled, **changes))
    assert scores(alone) == scores(found)


def test_a_configuration_trains_its_student_by_its_recipe(distilled: DistilledSet) -> None:
    found = judged(distilled, other=Configuration(recipe={"epochs": 2, "optimiser": "adamw"}, student={"width": 3}))
    recipe = Recipe(epochs=2, optimiser="adamw")
    (expected,) = evaluate(
        distilled, tiny_clips(), [StudentSpec(name="minic3d", width=3)], recipe, [0, 1], CPU, probe=False
    )
    (condition,) = found.conditions
    assert condition.students[0].scores == expected.scores
    assert (condition.name, condition.students[0].width) == ("own.other", 3)


def test_a_learned_step_size_stays_unless_the_configuration_has_a_rate_of_its_own(distilled: DistilledSet) -> None:
    own = learned(distilled, step_size=0.07)
    found = judged(own, longer=Configuration(recipe={"epochs": 4}), faster=FASTER)

    def trained(recipe: Recipe) -> list[Score]:
        return list(evaluate(own, tiny_clips(), [SMALL], recipe, [0, 1], CPU, probe=False)[0].scores)

    assert scores(found, "own.longer") == trained(Recipe(epochs=4, lr=0.07))
    assert scores(found, "own.faster") == trained(Recipe(epochs=3, lr=0.05))
    assert scores(judged(own, faster=FASTER), "own.faster-random") == scores(
        judged(distilled, faster=FASTER), "own.faster"
    )


def test_a_configuration_that_diverges_is_recorded_and_the_rest_is_judged(distilled: DistilledSet) -> None:
    with pytest.warns(UserWarning, match="configuration wild: the loss of minic3d is not finite at step"):
        found = judged(distilled, wild=Configuration(recipe={"lr": 1e30}), same=Configuration())
    same, wild = found.conditions
    assert (wild.name, wild.students) == ("own.wild", ())
    assert "the loss of minic3d is not finite at step" in str(wild.diverged)
    assert scores(found, same.name) == scores(found)
    assert Condition.model_validate(wild.model_dump(mode="json")) == wild
    with pytest.raises(DivergedError):
        judged(learned(distilled, step_size=1e30), same=Configuration())


@pytest.mark.parametrize("diverged", [None, "it did"])
def test_a_condition_has_scores_or_diverged(distilled: DistilledSet, diverged: str | None) -> None:
    students = judged(distilled).students if diverged else ()
    with pytest.raises(ValidationError, match="has scores, or says how"):
        Condition(labels="own", students=students, diverged=diverged)


def test_another_student_takes_no_sizes_of_the_protocol_s() -> None:
    spec = StudentSpec(name="minic3d", width=2)
    assert Configuration(student={"name": "video-vit"}).over(spec, RECIPE).student == StudentSpec(name="video-vit")
    assert Configuration(student={"name": "minic3d"}).over(spec, RECIPE).student == spec
    assert Configuration(student={"width": 9}).over(spec, RECIPE).student.width == 9


def test_settings_without_a_configuration_are_stored_as_they_were() -> None:
    plain = EvaluationSetting(labels="hard")
    assert plain.model_dump() == {"labels": "hard", "augmented": False, "random": False}
    named = EvaluationSetting(labels="own", configuration="adamw", random=True)
    assert EvaluationSetting.model_validate(named.model_dump()) == named
    assert named.name == "own.adamw-random"


def test_conditions_have_the_order_of_names_whatever_the_file_s() -> None:
    names = [s.name for s in evaluation_settings("soft", False, ("teacher",), False, ["b", "a"])]
    assert names == ["teacher-augmented", "own.a", "own.b", "own-random", "own.a-random", "own.b-random"]


def test_a_teacher_labels_every_batch_as_it_is_shown() -> None:
    shown = Batches(TaughtAtEveryStep(tiny_clips(), teacher), 5, 3, CPU, Augmentation(crop=0.25))
    epochs = [list(shown.epoch(99)) for _ in range(2)]
    for clips, targets in (batch for epoch in epochs for batch in epoch):
        assert torch.equal(targets, teacher(clips))
    first, second = (torch.cat([targets for _, targets in epoch]).sort(dim=0).values for epoch in epochs)
    assert not torch.equal(first, second)


def test_without_augmentation_the_teacher_s_labels_are_the_fixed_ones(distilled: DistilledSet) -> None:
    each, once = (
        evaluate(kind(distilled, teacher), tiny_clips(), [SMALL], RECIPE, [0], CPU)
        for kind in (TaughtAtEveryStep, Taught)
    )
    assert each[0].scores == once[0].scores


def test_the_teacher_s_regime_is_a_condition_of_its_own_whatever_labels_a_set_has(distilled: DistilledSet) -> None:
    found = judged(distilled, augment=True)
    assert [condition.name for condition in found.conditions] == ["teacher-augmented", "own-augmented"]
    recipe = RECIPE.model_copy(update={"augmentation": Augmentation(crop=0.25)})
    data = TaughtAtEveryStep(distilled, teacher)
    (expected,) = evaluate(data, tiny_clips(), [SMALL], recipe, [0, 1], CPU, probe=False)
    assert scores(found, "teacher-augmented") == list(expected.scores)
    brought = judged(learned(distilled, step_size=0.3, soft=True), augment=True)
    assert scores(brought, "teacher-augmented") == list(expected.scores)
