"""Scores of a pool: exact where there is a closed form, equal to brute force elsewhere, and copies are found out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from vdbench.clips.clipset import ClipSet
from vdbench.errors import DataError
from vdbench.evaluation.train import Recipe, train_student
from vdbench.generator.distances import (
    Manifold,
    frechet_distance,
    gaussian_distance,
    matched_rows,
    nearest,
    precision_recall,
    principal_axes,
)
from vdbench.generator.scores import PoolScores, class_scores, judge_spec, nearest_score, score_pool
from vdbench.generator.sheet import class_sheet, pairs_sheet
from vdbench.students import build_student
from vdbench.students.student import Student
from vdbench.testing import tiny_clips

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)


def test_the_frechet_distance_of_diagonal_gaussians_is_that_of_their_deviations() -> None:
    means, deviations = RNG.normal(size=(2, 6)), RNG.uniform(0.1, 3, size=(2, 6))
    covariances = [np.diag(own**2) for own in deviations]
    expected = ((means[0] - means[1]) ** 2).sum() + ((deviations[0] - deviations[1]) ** 2).sum()
    assert gaussian_distance(means[0], covariances[0], means[1], covariances[1]) == pytest.approx(expected, abs=1e-12)


def test_the_frechet_distance_is_the_formula_of_the_fid() -> None:
    first, second = RNG.normal(size=(50, 5)), RNG.normal(1, 2, size=(40, 5)) @ RNG.normal(size=(5, 5))
    c1, c2 = np.cov(first.T), np.cov(second.T)
    gap = ((first.mean(0) - second.mean(0)) ** 2).sum()
    expected = gap + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(first[:, :1], first[:, :1] + 2) == pytest.approx(4)


def test_precision_and_recall_are_what_brute_force_counts() -> None:
    judged, against = RNG.normal(size=(70, 3)), RNG.normal(0.7, 1, size=(90, 3))

    def covered(points: np.ndarray, by: np.ndarray) -> float:
        radii = [sorted(np.linalg.norm(p - q) for q in by)[3] for p in by]
        inside = [any(np.linalg.norm(p - q) <= r for q, r in zip(by, radii, strict=True)) for p in points]
        return float(np.mean(inside))

    assert precision_recall(judged, against, k=3) == (covered(judged, against), covered(against, judged))
    assert 0 < covered(judged, against) < 1


def test_precision_and_recall_tell_poor_clips_from_missing_ones() -> None:
    real = np.concatenate([RNG.normal(size=(60, 2)), RNG.normal(100, 1, size=(60, 2))])
    one_mode = RNG.normal(size=(60, 2))
    precision, recall = precision_recall(one_mode, real)
    assert precision > 0.8
    assert recall < 0.6
    assert precision_recall(one_mode + 1000, real) == (0, 0)
    assert Manifold.of(real).covers(real).all()


@pytest.mark.parametrize("pixels", [False, True])
def test_the_nearest_one_is_that_of_brute_force(pixels: bool) -> None:
    shape = (70, 2, 3, 3)
    points, others = RNG.integers(0, 256, shape), RNG.integers(0, 256, (100, *shape[1:]))
    points[3] = others[42]
    gaps = np.array([[np.sqrt(((p - q) ** 2).sum()) for q in others] for p in points])
    dtype = np.uint8 if pixels else np.float64
    rows, distances = nearest(points.astype(dtype), others.astype(dtype))
    assert rows.tolist() == gaps.argmin(1).tolist()
    assert distances == pytest.approx(gaps.min(1))
    assert (rows[3], distances[3]) == (42, 0)


def test_copies_are_near_and_other_clips_are_not() -> None:
    held_out = np.linspace(1, 2, 101)
    copies, fresh = nearest_score("pixels", np.full(10, 0.01), held_out), nearest_score("pixels", held_out, held_out)
    assert (copies.near, copies.ratio) == (1, pytest.approx(0.01 / 1.5))
    assert (fresh.near, fresh.ratio) == (pytest.approx(5 / 101), 1)


def test_principal_axes_are_those_of_largest_variance() -> None:
    points = RNG.normal(size=(200, 4)) * [1, 30, 3, 10]
    axes = principal_axes(points, 2)
    assert np.abs(axes).round(1).tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]
    assert axes.T @ axes == pytest.approx(np.eye(2))
    assert principal_axes(points, 9).shape == (4, 4)


def test_matched_sets_have_equally_many_clips_of_each_class() -> None:
    labels = [np.array([0, 0, 0, 1, 1, 2]), np.array([1, 0, 1, 0, 0, 0])]
    rows = matched_rows(labels, np.random.default_rng(0))
    drawn = [own[chosen].tolist() for own, chosen in zip(labels, rows, strict=True)]
    assert drawn == [[0, 0, 0, 1, 1]] * 2
    assert all(len(set(chosen.tolist())) == 5 for chosen in rows)


def test_classes_are_counted_one_by_one() -> None:
    labels, said = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 1])
    first, second = class_scores(["a", "b"], labels, said, np.array([0, 0]), np.array([0, 1]))
    assert first.model_dump() == {
        "name": "a", "clips": 3, "accuracy": pytest.approx(1 / 3), "held_out_accuracy": 0.5, "taken_for": "b",
    }  # fmt: skip
    assert (second.accuracy, second.held_out_accuracy, second.taken_for) == (1, None, None)


def test_small_clips_are_judged_by_a_narrow_student() -> None:
    assert judge_spec(tiny_clips(), 5).width == 16
    assert judge_spec(tiny_clips(2, 64), 5).model_dump(include={"width", "seed"}) == {"width": 64, "seed": 5}


@pytest.fixture(scope="module")
def parts() -> tuple[ClipSet, ClipSet]:
    """Of the tiny world 24 clips to train on and 12 that are held out."""
    whole = tiny_clips()
    return _rows(whole, np.arange(36) % 3 > 0, "train"), _rows(whole, np.arange(36) % 3 == 0, "held-out")


@pytest.fixture(scope="module")
def judge(parts: tuple[ClipSet, ClipSet]) -> Student:
    student = build_student("minic3d", 3, 4, 16, 16, 0)
    train_student(student, parts[0], Recipe(batch=8, epochs=50), 0, CPU)
    return student


def _rows(clips: ClipSet, chosen: np.ndarray, fingerprint: str) -> ClipSet:
    rows = np.flatnonzero(chosen)
    names = {name: tuple(getattr(clips, name)[row] for row in rows) for name in ("groups", "ids")}
    return replace(clips, clips=clips.clips[rows], labels=clips.labels[rows], fingerprint=fingerprint, **names)


def _score(pool: ClipSet, parts: tuple[ClipSet, ClipSet], judge: Student) -> PoolScores:
    return score_pool(pool, *parts, judge, CPU, part="validation")


def test_a_pool_of_train_clips_is_found_out(parts: tuple[ClipSet, ClipSet], judge: Student) -> None:
    train, held_out = parts
    copies, fresh = _score(train, parts, judge), _score(held_out, parts, judge)
    assert (copies.accuracy, copies.held_out_accuracy, copies.held_out) == (1, 1, "validation")
    assert [n.near for n in copies.nearest] == [1, 1]
    assert [n.ratio for n in copies.nearest] == [0, 0]
    assert [n.ratio for n in fresh.nearest] == [1, 1]
    assert [(s.judged, s.against) for s in fresh.sets] == [
        ("generated", "train"), ("generated", "held-out"), ("held-out", "train"),
    ]  # fmt: skip
    assert fresh.sets[1].frechet < 0.1 * fresh.sets[0].frechet
    assert (fresh.sets[1].precision, fresh.sets[1].recall) == (1, 1)
    assert [pair.distance for pair in copies.pairs] == [0] * 8
    assert all(pair.generated == pair.train for pair in copies.pairs)


def test_clips_of_wrong_classes_and_noise_are_found_out(parts: tuple[ClipSet, ClipSet], judge: Student) -> None:
    held_out = parts[1]
    wrong = _score(replace(held_out, labels=(held_out.labels + 1) % 3), parts, judge)
    assert wrong.accuracy == 0
    assert [c.taken_for for c in wrong.classes] == ["blue", "red", "green"]
    noise = replace(held_out, clips=RNG.integers(0, 256, held_out.clips.shape, dtype=np.uint8))
    told = _score(noise, parts, judge)
    assert told.sets[0].frechet > 3 * told.sets[2].frechet
    assert told.sets[0].recall == 0
    assert told.nearest[1].ratio > 1.5


def test_scores_are_the_same_each_time_and_too_few_clips_are_refused(
    parts: tuple[ClipSet, ClipSet], judge: Student
) -> None:
    train, held_out = parts
    assert _score(held_out, parts, judge) == _score(held_out, parts, judge)
    one_each = np.isin(np.arange(len(held_out)), [int(np.flatnonzero(held_out.labels == c)[0]) for c in range(3)])
    few = _rows(held_out, one_each, "few")
    with pytest.raises(DataError, match="only 3 generated, train and held-out clips of the same classes"):
        score_pool(held_out, train, few, judge, CPU, part="test")


def test_the_sheets_show_what_they_should(
    parts: tuple[ClipSet, ClipSet], judge: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    train, held_out = parts
    for name in ("a.png", "b.png"):
        class_sheet(held_out, tmp_path / name, per_class=2, frames=3)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    sheet = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert sheet.shape[1] == 2 * 16 + 2 * 3 * 64 + 4 + 12
    bright = (sheet.max(2) > 190) & (sheet.min(2) < 90)
    colours = sheet.argmax(2)
    third = np.array_split(np.arange(len(sheet)), 3)
    assert [np.bincount(colours[rows][bright[rows]], minlength=3).argmax() for rows in third] == [0, 1, 2]
    monkeypatch.setattr("vdbench.generator.sheet.MOST_CLASSES", 2)
    class_sheet(held_out, tmp_path / "two.png")
    assert Image.open(tmp_path / "two.png").height < len(sheet)
    pairs_sheet(held_out, train, _score(held_out, parts, judge).pairs, tmp_path / "pairs.png")
    assert Image.open(tmp_path / "pairs.png").height > 16 * 96
