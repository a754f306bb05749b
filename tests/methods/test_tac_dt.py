"""TAC-DT on planted worlds with a known answer, and its parts against brute force."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pydantic import ValidationError

from vdbench.testing import check_method, tiny_task
from vdbench_methods.tac_dt import TacDT, absorbed, majority, most_frames, scores, subclusters

FEW_STEPS = {"name": "cnn-gru", "width": 4, "epochs": 1}


def picks(frames: NDArray[np.float64], k: int, **settings: Any) -> list[int]:
    method = TacDT(TacDT.Settings.model_validate(settings))
    features = frames.astype(np.float32)[..., None, None]
    chosen = method.select(features, k, np.random.default_rng(0), None)  # type: ignore[arg-type]
    return sorted(chosen.tolist())


def orders_of_the_same_frames(seed: int, clusters: int = 3, clips: int = 6, frames: int = 8) -> NDArray[np.float64]:
    """Clips of which each cluster shows the same frames in an order of its own; without order they are alike."""
    rng = np.random.default_rng(seed)
    shown = rng.normal(size=(frames, 12))
    orders = [rng.permutation(frames) for _ in range(clusters)]
    world = np.stack([shown[order] for order in orders for _ in range(clips)])
    return world + 0.05 * rng.normal(size=world.shape)


def test_the_descriptor_tells_orders_apart_and_without_time_it_does_not() -> None:
    def covers(seed: int, time_weight: float) -> bool:
        chosen = picks(orders_of_the_same_frames(seed), 3, time_weight=time_weight)
        return len({pick // 6 for pick in chosen}) == 3

    assert all(covers(seed, 1.0) for seed in range(10))
    assert sum(covers(seed, 0.0) for seed in range(10)) <= 6  # three blind picks cover in 26 % of cases


def test_the_sequence_is_not_misled_by_short_runs_of_noise() -> None:
    """The third clip shows b in seven single frames, the second in one run of six: only the second is about b."""
    rng = np.random.default_rng(0)
    a, b = 3 * np.eye(8)[:2]
    about = np.zeros((4, 21), dtype=bool)
    about[1, 8:14] = True
    about[2, 2::3] = True
    world = np.where(about[..., None], b, a) + 0.02 * rng.normal(size=(4, 21, 8))
    smooth = picks(world, 2, reading="sequence")
    assert 1 in smooth
    assert 2 not in smooth
    assert 2 in picks(world, 2, reading="sequence", window=1, min_segment=1)


@given(arrays(np.int64, (3, 9), elements=st.integers(0, 3)), st.integers(1, 7))
def test_majority_is_the_vote_of_a_window(labels: NDArray[np.int64], window: int) -> None:
    for clip, smooth in zip(labels, majority(labels, window), strict=True):
        for t, label in enumerate(smooth):
            seen = clip[max(0, t - window // 2) : t + (window + 1) // 2]
            votes = Counter(seen.tolist())
            assert votes[label] == max(votes.values())
            assert label == clip[t] or votes[label] > votes[clip[t]]


@given(arrays(np.int64, (3, 9), elements=st.integers(0, 3)), st.integers(1, 6))
def test_no_run_is_shorter_than_the_shortest(labels: NDArray[np.int64], shortest: int) -> None:
    for before, after in zip(labels, absorbed(labels, shortest), strict=True):
        starts = np.flatnonzero(np.diff(after, prepend=after[0] - 1))
        lengths = np.diff(starts, append=len(after))
        assert len(lengths) == 1 or lengths.min() >= shortest
        assert set(after.tolist()) <= set(before.tolist())


@given(arrays(np.float64, (3, 5, 2), elements=st.floats(-2, 2)), arrays(np.int64, (3, 5), elements=st.integers(0, 2)))
def test_scores_are_sums_of_cosines_with_segments_that_end_with_their_clip(
    frames: NDArray[np.float64], labels: NDArray[np.int64]
) -> None:
    expected = []
    for clip, own in zip(frames, labels, strict=True):
        total, t = 0.0, 0
        while t < len(own):
            end = t
            while end < len(own) and own[end] == own[t]:
                end += 1
            mean = clip[t:end].mean(axis=0)
            for frame in clip[t:end]:
                lengths = np.linalg.norm(frame), np.linalg.norm(mean)
                total += float(frame @ mean) / (lengths[0] * lengths[1]) if min(lengths) > 1e-12 else 0.0
            t = end
        expected.append(total)
    np.testing.assert_allclose(scores(frames, labels), expected, atol=1e-6)


def test_clusters_take_the_clip_with_most_frames_ties_by_score_and_places_left_go_by_score() -> None:
    labels = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])
    score = np.array([1.0, 2.0, 3.0, 1.5])
    assert most_frames(labels, score, 2).tolist() == [3, 2]
    assert most_frames(labels, score, 3).tolist() == [3, 2, 1]
    assert most_frames(np.zeros((3, 2), dtype=np.int64), np.array([1.0, 3.0, 2.0]), 2).tolist() == [1, 2]


@pytest.mark.parametrize("reading", ["descriptor", "sequence"])
@given(
    arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 3)), elements=st.integers(-2, 2)),
    st.data(),
)
def test_there_are_always_k_different_picks(reading: str, frames: NDArray[np.float64], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(frames)))
    chosen = picks(frames, k, reading=reading)
    assert len(set(chosen)) == k
    assert set(chosen) <= set(range(len(frames)))
    assert chosen == picks(frames, k, reading=reading)


@pytest.mark.parametrize("reading", ["descriptor", "sequence"])
def test_equal_clips_and_empty_features_are_fine(reading: str) -> None:
    for frames in (np.zeros((5, 4, 3)), np.ones((5, 4, 3)), np.ones((5, 1, 3))):
        assert len(set(picks(frames, 5, reading=reading))) == 5


def test_subclusters_are_refined_until_there_are_enough() -> None:
    points = np.array([[0.0], [0.01], [1.0], [1.01]])
    assert subclusters(points, 2, 0.5).tolist() == [0, 0, 1, 1]
    assert len(np.unique(subclusters(points, 4, 0.5))) == 4
    assert subclusters(np.zeros((3, 1)), 2, 0.5).tolist() == [0, 1, 2]


@pytest.mark.parametrize("pool", ["real", "generated"])
@pytest.mark.parametrize("reading", ["descriptor", "sequence"])
def test_it_conforms(reading: str, pool: str) -> None:
    settings = TacDT.Settings.model_validate({"reading": reading, "pool": pool, "encoder": FEW_STEPS})
    assert check_method(TacDT(settings)) == []


def test_it_says_where_its_clips_are_from_and_that_it_is_a_reconstruction(tmp_path: Path) -> None:
    settings = TacDT.Settings.model_validate({"encoder": FEW_STEPS})
    provenance = TacDT(settings).distill(tiny_task(tmp_path)).record.provenance
    assert provenance.reconstruction
    assert (provenance.pool, provenance.generator, provenance.encoder) == ("generated", "tiny", "cnn-gru")


def test_an_encoder_without_frames_is_refused() -> None:
    with pytest.raises(ValidationError, match="pixels does not see single frames; use cnn-gru"):
        TacDT.Settings.model_validate({"encoder": "pixels"})
