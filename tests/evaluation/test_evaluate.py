"""Judging: scores with known answers, and one deterministic test pass."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vdbench.clips.clipset import Normalisation
from vdbench.distilled.distilled_set import DistilledSet
from vdbench.errors import DataError, DivergedError, UsageError
from vdbench.evaluation import passes
from vdbench.evaluation.evaluate import check_fit, evaluate
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.passes import shuffled_frames, still_frames
from vdbench.evaluation.scoring import macro, top_k
from vdbench.evaluation.train import Recipe, train_student
from vdbench.outcomes import unpack
from vdbench.students import build_student
from vdbench.testing import tiny_clips, tiny_task
from vdbench_methods.full import Full

CPU = torch.device("cpu")
SMALL = (StudentSpec(name="minic3d", width=4),)


@pytest.mark.parametrize("name", ["minic3d", "cnn-gru"])
def test_logits_of_a_clip_do_not_depend_on_its_neighbours(name: str) -> None:
    student = build_student(name, 3, 4, 16, 4, seed=0)
    (one,) = passes.test_student(student, tiny_clips().some([0, 1, 2, 3]), CPU)
    (other,) = passes.test_student(student, tiny_clips().some([9, 1, 20, 30]), CPU)
    assert torch.equal(one[1], other[1])
    assert not torch.equal(one[0], other[0])
    (alone,) = passes.test_student(student, tiny_clips().some([1]), CPU)
    torch.testing.assert_close(one[1:2], alone, rtol=1e-5, atol=1e-6)


def test_one_test_pass_is_like_the_other_whatever_the_batch() -> None:
    student = build_student("minic3d", 3, 4, 16, 4, seed=0).train()
    (first,) = passes.test_student(student, tiny_clips(), CPU)
    assert first.shape == (36, 3)
    assert first.dtype == torch.float32
    assert torch.equal(first, passes.test_student(student, tiny_clips(), CPU)[0])
    torch.testing.assert_close(first, passes.test_student(student, tiny_clips(), CPU, batch=5)[0])


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5),
    st.integers(0, 3),
    st.integers(1, 5),
)
def test_top_k_is_the_chance_under_ties_in_random_order(rows: list[list[int]], label: int, k: int) -> None:
    orders = list(permutations(range(4)))
    expected = Fraction(0)
    for row in rows:
        hits = sum(label in sorted(order, key=lambda c: -row[c])[:k] for order in orders)
        expected += Fraction(hits, len(orders) * len(rows))
    found = top_k(torch.tensor(rows, dtype=torch.float32), torch.full((len(rows),), label), k)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_evaluation_scores_every_student_and_seed(distilled: DistilledSet) -> None:
    students = (*SMALL, StudentSpec(name="cnn-gru", width=4))
    seen: dict[str, list[int]] = {}

    def report(step: int, **metrics: float) -> None:
        for name in metrics:
            seen.setdefault(name, []).append(step)

    scores = evaluate(distilled, tiny_clips(), students, Recipe(epochs=3), [7, 8], CPU, report)
    assert [s.student for s in scores] == ["minic3d", "cnn-gru"]
    assert [[x.seed for x in s.scores] for s in scores] == [[7, 8], [7, 8]]
    assert scores[0].parameters == build_student("minic3d", 3, 4, 16, 4).parameter_count()
    assert scores[0].width == 4
    assert all(s.train_seconds > 0 and s.test_seconds > 0 for s in scores)
    assert seen["minic3d/7/loss"] == [1, 2, 3]
    assert seen["cnn-gru/8/top1"] == [3]


def test_evaluation_is_repeatable_and_seeds_differ(distilled: DistilledSet) -> None:
    def scores() -> list[float]:
        found = evaluate(distilled, tiny_clips(), SMALL, Recipe(epochs=3), [0, 1], CPU)
        return [x for s in found[0].scores for x in (s.top1, s.top5, s.train_loss)]

    assert scores() == scores()
    assert scores()[2] != scores()[5]


def test_the_tiny_world_is_learned_from_all_clips(tmp_path: Path) -> None:
    everything = Full().distill(tiny_task(tmp_path, ipc=None))
    for data in (everything, tiny_clips()):
        students = [StudentSpec(name="minic3d", width=8)]
        (found,) = evaluate(data, tiny_clips(), students, Recipe(epochs=60, batch=12, lr=0.02), [0], CPU)
        assert found.scores[0].top1 > 0.9


def test_sets_that_do_not_fit_are_refused(distilled: DistilledSet) -> None:
    test = tiny_clips()
    with pytest.raises(DataError, match="'blue' is on one side only"):
        check_fit(distilled, replace(test, classes=("red", "green", "navy")))
    with pytest.raises(DataError, match="their order differs"):
        check_fit(distilled, replace(test, classes=("green", "red", "blue")))
    with pytest.raises(DataError, match=r"the set's clips are 4x16x16 and the test clips 3x16x16"):
        check_fit(distilled, replace(test, clips=np.ascontiguousarray(test.clips[:, :3])))
    with pytest.raises(DataError, match="both need at least one"):
        check_fit(distilled, tiny_clips().some([]))


def test_unknown_students_and_divergence_are_told(distilled: DistilledSet) -> None:
    with pytest.raises(UsageError, match="did you mean 'minic3d'"):
        evaluate(distilled, tiny_clips(), [StudentSpec(name="minic3")], Recipe(), [0], CPU)
    with pytest.raises(DivergedError):
        evaluate(distilled, tiny_clips(), SMALL, Recipe(epochs=30, lr=1e30), [0], CPU)


def test_logits_that_are_not_finite_are_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vdbench.evaluation.networks.test_student",
        lambda *a, frames, **k: [torch.full((36, 3), torch.nan)] * len(frames),
    )
    with pytest.raises(DivergedError):
        evaluate(tiny_clips(), tiny_clips(), [StudentSpec(name="minic3d", width=2)], Recipe(epochs=1), [0], CPU)


def test_test_clips_are_scaled_as_the_set_is(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(tiny_clips(), normalisation=Normalisation((0.5, 0.5, 0.5), (0.1, 0.2, 0.3)))
    seen = []
    monkeypatch.setattr(
        "vdbench.evaluation.networks.test_student",
        lambda student, clips, device, frames, **how: (
            seen.append(clips.normalisation) or [torch.zeros(36, 3)] * len(frames)
        ),
    )
    evaluate(other, tiny_clips(), [StudentSpec(name="minic3d", width=2)], Recipe(epochs=1), [0], CPU)
    assert set(seen) == {other.normalisation}


def test_macro_counts_every_class_the_same() -> None:
    logits = torch.eye(3)[[0, 0, 0, 1, 0]]
    labels = torch.tensor([0, 0, 0, 1, 1])
    assert top_k(logits, labels, 1) == pytest.approx(4 / 5)
    assert macro(logits, labels) == pytest.approx((1 + 1 / 2) / 2)


def test_frames_are_shown_in_the_order_asked_for() -> None:
    clips = tiny_clips()
    seen = []

    class Looks(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            seen.append(inputs)
            return torch.zeros(len(inputs), 3)

    order = shuffled_frames(len(clips), clips.frames)
    assert (np.sort(order, axis=1) == np.arange(clips.frames)).all()
    assert (order != np.arange(clips.frames)).any(axis=1).mean() > 0.5
    orders = (order, None, still_frames(len(clips), clips.frames))
    passes.test_student(Looks(), clips, CPU, batch=5, frames=orders)
    for number, frames in enumerate(orders):
        kept = np.broadcast_to(np.arange(clips.frames), order.shape) if frames is None else frames
        moved = replace(clips, clips=np.stack([clip[f] for clip, f in zip(clips.clips, kept, strict=True)]))
        assert torch.equal(torch.cat(seen[number :: len(orders)]), moved.render()[0])


def test_confusion_counts_every_test_clip_of_every_network() -> None:
    clips = tiny_clips()
    (scores,) = evaluate(clips, clips, [StudentSpec(name="minic3d", width=2)], Recipe(epochs=2), [0, 1], CPU)
    counted = np.zeros((3, 3), dtype=int)
    for label, guess, count in scores.confusion:
        counted[label, guess] = count
    assert (counted.sum(axis=1) == 2 * clips.counts()).all()
    assert np.trace(counted) / counted.sum() == pytest.approx(np.mean([s.top1 for s in scores.scores]), abs=1e-9)
    assert all(s.shuffled is not None and s.still is not None for s in scores.scores)
    (plain,) = evaluate(clips, clips, [StudentSpec(name="minic3d", width=2)], Recipe(epochs=2), [0], CPU, probe=False)
    assert (plain.confusion, plain.scores[0].shuffled) == ((), None)
    assert plain.scores[0].top1 == scores.scores[0].top1


def test_outcomes_of_a_network_are_what_its_logits_say_of_every_clip(distilled: DistilledSet) -> None:
    recipe, clips = Recipe(epochs=3), tiny_clips()
    (scores,) = evaluate(distilled, clips, SMALL, recipe, [0, 1], CPU)
    for score in scores.scores:
        student = build_student("minic3d", 3, clips.frames, clips.size, 4, score.seed)
        train_student(student, distilled, recipe, score.seed, CPU, lambda step, loss: None)
        shown = replace(clips, normalisation=distilled.normalisation)
        (logits,) = passes.test_student(student, shown, CPU)
        order = logits.argsort(dim=1, descending=True)
        assert score.outcomes is not None
        places = unpack(score.outcomes, len(clips), 3)
        np.testing.assert_array_equal(places.ahead, (order == torch.tensor(clips.labels)[:, None]).int().argmax(dim=1))
        assert not places.level.any()
        assert (float(places.won().mean()), float(places.won(5).mean())) == (score.top1, score.top5)
