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
from vdbench_methods.tac_dt import (
    TacDT,
    absorbed,
    cluster,
    describe,
    majority,
    most_frames,
    nearest_to_means,
    scores,
    subclusters,
)
from vdbench_methods.vst_unet import VstUnet

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


@given(arrays(np.float64, (3, 5, 2), elements=st.floats(-2, 2)), arrays(np.int64, (3, 5), elements=st.integers(0, 4)))
def test_scores_are_distances_from_the_means_of_clusters_over_all_clips(
    frames: NDArray[np.float64], labels: NDArray[np.int64]
) -> None:
    expected = [
        -np.mean(
            [np.square(frame - frames[labels == label].mean(axis=0)).sum() for frame, label in zip(*clip, strict=True)]
        )
        for clip in zip(frames, labels, strict=True)
    ]
    np.testing.assert_allclose(scores(frames, labels), expected, atol=1e-9)


def test_clusters_take_the_clip_with_most_frames_ties_by_score_and_places_left_go_by_score() -> None:
    labels = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])
    score = np.array([1.0, 2.0, 3.0, 1.5])
    assert most_frames(labels, score, 2).tolist() == [3, 2]
    assert most_frames(labels, score, 3).tolist() == [3, 2, 1]
    assert most_frames(np.zeros((3, 2), dtype=np.int64), np.array([1.0, 3.0, 2.0]), 2).tolist() == [1, 2]


def around(centre: NDArray[np.float64], radii: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Clips of 4 frames at given distances from a centre, which is their mean: each has one opposite to it."""
    ways = rng.normal(size=(len(radii), 4, len(centre)))
    ways -= ways.mean(axis=1, keepdims=True)  # the same changes from frame to frame for a clip and its opposite
    sides = rng.normal(size=(len(radii), 1, len(centre)))
    sides *= (radii / np.linalg.norm(sides[:, 0], axis=1))[:, None, None]
    ways *= 0.01
    return np.asarray(centre + np.concatenate([sides + ways, -sides - ways]))


@pytest.mark.parametrize("reading", ["descriptor", "sequence"])
@pytest.mark.parametrize("seed", range(5))
def test_the_clip_kept_of_a_class_is_the_central_one_wherever_its_mean_lies(reading: str, seed: int) -> None:
    """The nearer a clip to the mean, the shorter its descriptor; one scaled to length 1 would not show it."""
    rng = np.random.default_rng(seed)
    radii = np.array([0.1, 1.0, 1.1, 1.2, 1.3, 3.0])
    for centre in (np.zeros(12), np.full(12, 40.0), rng.normal(0, 100, 12)):
        order = rng.permutation(12)
        kept = picks(around(centre, radii, rng)[order], 1, reading=reading)
        assert order[kept[0]] % 6 == 0


@pytest.mark.parametrize("seed", range(5))
def test_each_cluster_is_represented_by_its_central_clip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = 40 + 10 * np.eye(12)[:3]
    world = np.concatenate([around(centre, np.array([0.1, 1.0, 1.1, 1.2]), rng) for centre in centres])
    order = rng.permutation(24)
    central = {int(order[kept]) for kept in picks(world[order], 3)}
    assert {clip // 8 for clip in central} == {0, 1, 2}
    assert {clip % 4 for clip in central} == {0}


def test_an_odd_clip_takes_no_place_of_a_group() -> None:
    """By average linkage it is a cluster of its own, and one of the two groups goes without a clip."""
    rng = np.random.default_rng(0)
    groups = [around(centre, np.linspace(0.1, 0.5, 5), rng) for centre in 40 + np.eye(12)[:2] * 2]
    odd = groups[0].mean(axis=0) + 4 * np.eye(12)[5]
    world = np.concatenate([*groups, odd[None]])
    assert [clip // 10 for clip in picks(world, 2)] == [0, 1]
    assert 20 in picks(world, 2, linkage="average")


@pytest.mark.parametrize("linkage", ["ward", "average", "complete", "single"])
@given(arrays(np.float64, (7, 3, 2), elements=st.integers(-9, 9)), st.integers(1, 7))
def test_no_clip_of_its_cluster_is_nearer_to_its_mean(linkage: str, frames: NDArray[np.float64], k: int) -> None:
    found = describe(frames, 1.0, 16)
    labels = cluster(found, k, 0.5, linkage)
    assert set(labels.tolist()) == set(range(k))
    kept = nearest_to_means(found, labels)
    for clip, label in zip(kept, labels[kept], strict=True):
        members = found[labels == label]
        away = np.linalg.norm(members - members.mean(axis=0), axis=1)
        assert np.linalg.norm(found[clip] - members.mean(axis=0)) <= away.min() + 1e-5


@given(arrays(np.float64, (6, 4, 3), elements=st.integers(-9, 9)), st.sampled_from([0.0, 0.5, 2.0]))
def test_distances_of_descriptors_are_those_of_mean_frames_and_of_mean_changes(
    frames: NDArray[np.float64], time_weight: float
) -> None:
    """All principal components are kept here, and one factor may lie between them, as for all pairs of clips."""
    found, means, changes = describe(frames, time_weight, 99), frames.mean(axis=1), np.diff(frames, axis=1)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    expected = np.array(
        [
            np.square(means[i] - means[j]).sum()
            + time_weight**2 * np.square(changes[i] - changes[j]).sum(axis=1).mean()
            for i, j in pairs
        ]
    )
    squares = np.array([np.square(found[i] - found[j]).sum() for i, j in pairs])
    assert squares.sum() == pytest.approx(36 if expected.any() else 0)  # 6 clips at a mean squared distance of 1
    np.testing.assert_allclose(squares * expected.sum(), expected * squares.sum(), atol=1e-6)


@pytest.mark.parametrize("reading", ["descriptor", "sequence"])
def test_neither_the_origin_nor_the_scale_of_features_matters(reading: str) -> None:
    frames = np.random.default_rng(0).normal(size=(20, 6, 5))
    for k in (1, 3):
        assert picks(frames, k, reading=reading) == picks(1000 * frames + 500, k, reading=reading)


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


@pytest.mark.parametrize("method", [TacDT, VstUnet])
def test_an_encoder_without_frames_is_refused(method: type[Any]) -> None:
    with pytest.raises(ValidationError, match="pixels does not see single frames; use cnn-gru"):
        method.Settings.model_validate({"encoder": "pixels"})
