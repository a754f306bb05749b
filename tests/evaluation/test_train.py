"""One training loop: against a literal one, and its promises about seeds, steps and failures."""

import hashlib

import pytest
import torch
from pydantic import ValidationError

from tests.sets import Tensors
from vdbench.errors import DivergedError
from vdbench.evaluation.train import Recipe, train_student
from vdbench.students import build_student
from vdbench.students.student import Student

CPU = torch.device("cpu")


def noise(count: int = 6, scale: float = 1.0) -> Tensors:
    generator = torch.Generator().manual_seed(0)
    return Tensors(scale * torch.randn(count, 3, 4, 16, 16, generator=generator), torch.arange(count) % 3)


def small(seed: int = 0) -> Student:
    return build_student("minic3d", 3, 4, 16, width=4, seed=seed)


def weights(student: Student) -> str:
    vector = torch.nn.utils.parameters_to_vector(student.parameters())
    return hashlib.sha256(vector.detach().numpy().tobytes()).hexdigest()


def test_training_is_bitwise_repeatable_and_follows_its_seed() -> None:
    def trained(seed: int) -> str:
        student = small()
        train_student(student, noise(), Recipe(epochs=4, batch=4), seed, CPU)
        return weights(student)

    assert trained(5) == trained(5)
    assert trained(5) != trained(6)


def test_training_touches_no_global_random_state() -> None:
    before = torch.get_rng_state()
    train_student(small(), noise(), Recipe(epochs=2), 0, CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_equals_a_literal_loop() -> None:
    data, recipe = noise(), Recipe(epochs=5, batch=6, lr=0.05)
    student, literal = small().eval(), small().eval()
    student.train = literal.train = lambda mode=True: student  # type: ignore[method-assign]  # no dropout
    train_student(student, data, recipe, 0, CPU)
    momenta = [torch.zeros_like(p) for p in literal.parameters()]
    for lr in (0.05, 0.05, 0.05, 0.005, 0.005):
        loss = torch.nn.functional.cross_entropy(literal(data.clips), data.targets)
        gradients = torch.autograd.grad(loss, list(literal.parameters()))
        with torch.no_grad():
            for parameter, gradient, momentum in zip(literal.parameters(), gradients, momenta, strict=True):
                momentum.mul_(0.9).add_(gradient + 5e-4 * parameter)
                parameter.sub_(lr * momentum)
    for mine, theirs in zip(student.parameters(), literal.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_adamw_is_that_of_its_paper() -> None:
    """Decay by itself, both moments corrected for their start at zero."""
    data, recipe = noise(), Recipe(optimiser="adamw", epochs=3, batch=6, lr=0.01, weight_decay=0.1, decay=1)
    student, literal = small().eval(), small().eval()
    student.train = literal.train = lambda mode=True: student  # type: ignore[method-assign]  # no dropout
    train_student(student, data, recipe, 0, CPU)
    weights = list(literal.parameters())
    first, second = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    for step in (1, 2, 3):
        gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(literal(data.clips), data.targets), weights)
        with torch.no_grad():
            for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient**2)
                weight.mul_(1 - 0.01 * 0.1)
                weight.sub_(0.01 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8))
    for mine, theirs in zip(student.parameters(), weights, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_a_cosine_falls_from_the_rate_to_zero() -> None:
    recipe = Recipe(lr=0.4, schedule="cosine", epochs=12)
    rates = [recipe.learning_rate(step, 1) for step in range(13)]
    assert rates[0] == 0.4
    assert rates[6] == pytest.approx(0.2)
    assert rates[4] == pytest.approx(0.3)  # the cosine of 60 degrees is a half
    assert rates[12] == pytest.approx(0)
    assert rates == sorted(rates, reverse=True)


def test_the_usual_schedule_is_not_named() -> None:
    assert not {"schedule", "standardise", "loss"} & Recipe().model_dump(mode="json").keys()
    for other in (Recipe(schedule="cosine"), Recipe(standardise="batch"), Recipe(loss="squared")):
        assert Recipe.model_validate(other.model_dump(mode="json")) == other


@pytest.mark.parametrize(("epochs", "full"), [(13, 8), (21, 12), (101, 52), (501, 252), (1001, 502)])
def test_the_public_code_restarts_two_epochs_after_half(epochs: int, full: int) -> None:
    """utils.py of yuz1wan/video_distillation trains epochs 0 to E and lowers the rate after epoch E // 2 + 1."""
    recipe = Recipe(lr=1.0, epochs=epochs, batch=4, schedule="restart")
    for clips, per_epoch in ((3, 1), (6, 2)):
        rates = [recipe.learning_rate(step, clips) for step in range(epochs * per_epoch)]
        assert rates == [1.0] * full * per_epoch + [0.1] * (epochs - full) * per_epoch
        assert recipe.restart(clips) == full * per_epoch


@pytest.mark.parametrize(
    ("recipe", "clips", "steps"),
    [
        (Recipe(), 50, 500),
        (Recipe(), 257, 1000),
        (Recipe(epochs=3, batch=2), 5, 9),
        (Recipe(epochs=3, min_steps=10), 5, 10),
        (Recipe(epochs=500, max_steps=7), 5, 7),
        (Recipe(epochs=5, min_steps=2, max_steps=9), 5, 5),
    ],
)
def test_steps_are_epochs_within_bounds(recipe: Recipe, clips: int, steps: int) -> None:
    assert recipe.steps(clips) == steps


@pytest.mark.parametrize(("total", "late"), [(500, 250), (5, 3), (2, 1), (1, 1)])
def test_the_learning_rate_falls_once_at_half(total: int, late: int) -> None:
    rates = [Recipe(lr=1.0, epochs=total).learning_rate(step, 1) for step in range(total)]
    assert rates == [1.0] * late + [0.1] * (total - late)


def test_steps_are_taken_as_announced() -> None:
    counts: list[int] = []

    def report(step: int, **metrics: float) -> None:
        counts.append(step)
        assert set(metrics) == {"loss"}

    losses = train_student(small(), noise(5), Recipe(epochs=100, batch=2, max_steps=8), 0, CPU, report)
    assert counts == [3, 6, 8]
    assert len(losses) == 3


def test_soft_targets_that_are_one_hot_train_as_hard_ones_do() -> None:
    hard = noise()
    soft = Tensors(hard.clips, torch.nn.functional.one_hot(hard.targets, 3).float())
    one, other = small(), small()
    losses = [train_student(s, d, Recipe(epochs=3), 0, CPU) for s, d in ((one, hard), (other, soft))]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    even = Tensors(hard.clips, torch.full((6, 3), 1 / 3))
    assert train_student(small(), even, Recipe(epochs=1), 0, CPU)[0] != pytest.approx(losses[0][0], rel=1e-3)


def test_a_loss_that_is_not_finite_names_the_step() -> None:
    data = noise(6)
    data.clips[:] = torch.nan
    with pytest.raises(DivergedError, match="minic3d is not finite at step 0; lower its learning rate"):
        train_student(small(), data, Recipe(epochs=2), 0, CPU)
    student = small()
    calls: list[int] = []

    def poison(*_: object) -> None:
        calls.append(1)
        if len(calls) == 4:  # steps are counted from 0, and two of them make an epoch
            with torch.no_grad():
                next(student.parameters()).fill_(torch.nan)

    student.register_forward_pre_hook(poison)
    with pytest.raises(DivergedError) as caught:
        train_student(student, noise(6), Recipe(epochs=9, batch=3), 0, CPU)
    assert caught.value.step == 3


def test_weights_that_break_in_the_very_last_step_are_noticed() -> None:
    with pytest.raises(DivergedError) as caught:
        train_student(small(), noise(scale=1e3), Recipe(epochs=1, lr=1e38), 0, CPU)
    assert caught.value.step == 1


@pytest.mark.parametrize("field", ["epochs=0", "lr=0", "batch=-1", "optimiser=adam", "min_steps=9"])
def test_impossible_recipes_are_refused(field: str) -> None:
    name, _, value = field.partition("=")
    with pytest.raises(ValidationError):
        Recipe.model_validate({"max_steps": 8, name: value})
