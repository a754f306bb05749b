"""Herding, k-center and k-means against literal brute force in whole numbers, ties and duplicates included."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vdbench.method import Task
from vdbench.selector import FeatureSettings, Selector
from vdbench.testing import tiny_task
from vdbench_methods.full import Full
from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter
from vdbench_methods.k_means import KMeans, KMeansSettings
from vdbench_methods.random import Random

ENCODERS: list[object] = ["pixels", "minic3d-random", {"name": "minic3d-trained", "width": 4, "epochs": 5}]

# Few values in few dimensions, so that ties and duplicates abound.
points = st.integers(1, 3).flatmap(
    lambda dims: st.lists(st.lists(st.integers(-2, 2), min_size=dims, max_size=dims), min_size=1, max_size=9)
)


def select(method: Selector, rows: list[list[int]], k: int, seed: int = 0) -> list[int]:  # type: ignore[type-arg]
    features = np.array(rows, dtype=np.float32)
    return [int(i) for i in method.select(features, k, np.random.default_rng(seed), None)]  # type: ignore[arg-type]


def brute_herding(rows: list[list[int]], k: int) -> list[int]:
    """||(n + 1) mean - sum(chosen) - f_i||, in whole numbers: everything times the number of clips."""
    count, dims = len(rows), range(len(rows[0]))
    chosen: list[int] = []
    for n in range(k):
        costs = {
            i: sum(
                ((n + 1) * sum(r[d] for r in rows) - count * sum(rows[j][d] for j in chosen) - count * rows[i][d]) ** 2
                for d in dims
            )
            for i in range(count)
            if i not in chosen
        }
        chosen.append(min(costs, key=lambda i: (costs[i], i)))
    return chosen


def brute_k_center(rows: list[list[int]], k: int) -> list[int]:
    count, dims = len(rows), range(len(rows[0]))

    def squared(i: int, j: int) -> int:
        return sum((rows[i][d] - rows[j][d]) ** 2 for d in dims)

    to_mean = [sum((count * rows[i][d] - sum(r[d] for r in rows)) ** 2 for d in dims) for i in range(count)]
    chosen = [to_mean.index(min(to_mean))]
    while len(chosen) < k:
        rest = [i for i in range(count) if i not in chosen]
        cover = {i: min(squared(i, j) for j in chosen) for i in rest}
        chosen.append(max(rest, key=lambda i: (cover[i], -i)))
    return chosen


@pytest.mark.parametrize(("method", "brute"), [(Herding(), brute_herding), (KCenter(), brute_k_center)])
@settings(max_examples=150)
@given(rows=points)
@example(rows=[[1, 1]] * 5)
def test_it_equals_brute_force_at_every_k(method: Any, brute: Any, rows: list[list[int]]) -> None:
    for k in range(1, len(rows) + 1):
        assert select(method, rows, k) == brute(rows, k)


@settings(max_examples=60)
@given(points, st.integers(0, 3))
def test_k_means_gives_k_different_clips_even_where_clusters_are_empty(rows: list[list[int]], seed: int) -> None:
    few = KMeans(KMeansSettings(restarts=1))
    for k in (1, len(rows) // 2 + 1, len(rows)):
        picks = select(few, rows, k, seed)
        assert len(set(picks)) == len(picks) == k
        assert set(picks) <= set(range(len(rows)))
        distinct = len({tuple(row) for row in rows})
        # scikit-learn seeds no two centres on equal clips as long as there are others.
        assert len({tuple(rows[i]) for i in picks}) == min(k, distinct)


def test_k_means_of_one_cluster_is_the_medoid() -> None:
    rows = [[0, 0], [4, 4], [10, 0], [5, 3], [-3, 9]]
    spread = [sum((a - b) ** 2 for q in rows for a, b in zip(p, q, strict=True)) for p in rows]
    assert select(KMeans(), rows, 1) == [spread.index(min(spread))]


def test_k_means_finds_the_medoids_of_clear_clusters() -> None:
    centres = [(0, 0), (100, 0), (0, 100)]
    rows = [[x + dx, y + dy] for x, y in centres for dx, dy in ((3, 1), (0, 0), (-3, 0), (0, -2))]
    assert sorted(select(KMeans(), rows, 3)) == [1, 5, 9]


def test_random_is_uniform_without_replacement() -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros(6)
    for _ in range(3000):
        picks = Random().select(np.empty((6, 0), dtype=np.float32), 2, rng, None)  # type: ignore[arg-type]
        assert len(set(picks.tolist())) == 2
        counts[picks] += 1
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(3000 * (1 / 3) * (2 / 3))


def groups_of(method: Selector, task: Task) -> list[tuple[str, ...]]:  # type: ignore[type-arg]
    """Groups of the chosen clips, class by class."""
    ids = method.distill(task).record.provenance.clip_ids
    assert ids is not None
    assert task.ipc is not None
    groups = [task.train.groups[task.train.ids.index(name)] for name in ids]
    return [tuple(sorted(groups[i : i + task.ipc])) for i in range(0, len(groups), task.ipc)]


# Herding need not cover a class: two looks may have their mean in the third. In pixels the looks lie symmetric.
@pytest.mark.parametrize(("method", "encoder"), [(Herding, "pixels"), *product((KCenter, KMeans), ENCODERS)])
def test_three_clips_cover_the_three_looks_of_the_tiny_world(
    tmp_path: Path, method: type[Selector[FeatureSettings]], encoder: object
) -> None:
    subject = method(method.Settings.model_validate({"encoder": encoder}))  # type: ignore[arg-type]
    expected = [tuple(f"{name}-{look}" for look in range(3)) for name in ("red", "green", "blue")]
    assert groups_of(subject, tiny_task(tmp_path, ipc=3)) == expected


def test_full_keeps_every_clip_in_class_order(tmp_path: Path) -> None:
    task = tiny_task(tmp_path, ipc=None)
    distilled = Full().distill(task)
    order = np.argsort(task.train.labels, kind="stable")
    assert np.array_equal(distilled.pixels().numpy(), task.train.clips[order])
    assert distilled.record.ipc is None
    assert distilled.stored_bytes == task.train.clips.nbytes
