"""tac-dt: representatives of clusters that are formed with regard to time; a reconstruction.

The paper (arXiv 2505.06670) says that TAC-DT is a training-free clustering that selects representative videos from a
pool which a diffusion model has generated, and that it is aware of time; its equations and code are not public. The
steps are those of TAC-SUM (arXiv 2404.04511), which summarises one video: sub-clusters by BIRCH, agglomeration of
these, and labels that are smoothed along time. How it goes from the frames of one video to the clips of a class is our
reading, and there are two of them:

- ``sequence``: the class's clips, one after the other, are one sequence of frames, which is clustered and smoothed as
  TAC-SUM does; of each cluster the clip with the most frames in it is kept.
- ``descriptor``: each clip is its mean frame beside the ordered changes from frame to frame, clips are clustered, and
  of each cluster the clip nearest to its mean is kept.

Everything is measured by Euclidean distance, as TAC-SUM does. Cosines would need an origin that means something, and
features that are centred on their class have the class mean there, around which directions say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from vdbench.method import Card, Settings, identity
from vdbench.selector import FrameSettings, Selector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.encoders.features import FeaturesSpec
    from vdbench.method import Task

MOST_SUBCLUSTERS = 2000
"""Agglomeration takes memory by the square of this; a finer BIRCH is coarsened."""
HALVINGS = 20
"""How often BIRCH's threshold is halved where it finds fewer sub-clusters than clips are to be kept."""


class TacDTSettings(FrameSettings):
    """Settings of TAC-DT."""

    pool: Literal["real", "generated"] = identity("generated", "where clips are chosen from")
    reading: Literal["descriptor", "sequence"] = identity("descriptor", "which reading of the method")
    time_weight: float = identity(1.0, "descriptor: lambda, the weight of changes beside the mean frame", ge=0)
    components: int = identity(16, "principal components of the changes, or of the frames in a sequence", gt=0)
    threshold: float = identity(
        0.5, "radius of BIRCH's sub-clusters, in deviations of the class; smaller where they would be too few", gt=0
    )
    linkage: Literal["ward", "average", "complete", "single"] = identity(
        "ward", "descriptor: how sub-clusters are joined"
    )
    window: int = identity(5, "sequence: frames that vote on a frame's cluster", gt=0)
    min_segment: int = identity(3, "sequence: runs with fewer frames fall to a neighbour", gt=0)


class TacDT(Selector[TacDTSettings]):
    """Clusters the clips of a class with regard to time, and keeps one representative of each cluster."""

    name: ClassVar[str] = "tac-dt"
    Settings: ClassVar[type[Settings]] = TacDTSettings
    version: ClassVar[int] = 2
    seeded: ClassVar[bool] = False
    pools: ClassVar[tuple[str, ...]] = ("generated", "real")
    card: ClassVar[Card] = Card(
        "Representatives of temporal-aware clusters (reconstruction)",
        paper="Video Dataset Condensation with Diffusion Models, arXiv 2505.06670",
        bibtex="""@article{li2025video,
  title = {Video Dataset Condensation with Diffusion Models},
  author = {Li and others},
  journal = {arXiv preprint arXiv:2505.06670},
  year = {2025},
}""",
        reconstruction=True,
    )

    def features(self) -> FeaturesSpec:
        """One vector per frame."""
        return self.settings.encoder.frames()

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """Representatives by the chosen reading; ``features`` are ``(n, T, C, 1, 1)``."""
        frames = features.reshape(*features.shape[:2], -1).astype(np.float64)
        chosen = self.settings
        if chosen.reading == "descriptor":
            found = describe(frames, chosen.time_weight, chosen.components)
            return nearest_to_means(found, cluster(found, k, chosen.threshold, chosen.linkage))
        reduced = _reduced(frames.reshape(-1, frames.shape[2]), chosen.components)
        labels = sequence_labels(reduced, k, chosen.threshold).reshape(frames.shape[:2])
        smooth = absorbed(majority(labels, chosen.window), chosen.min_segment)
        return most_frames(smooth, scores(reduced.reshape(*labels.shape, -1), smooth), k)


def describe(frames: NDArray[np.float64], time_weight: float, components: int) -> NDArray[np.float64]:
    """Descriptors of clips: the mean frame, and principal components of the ordered changes from frame to frame.

    Their squared distance is that of the mean frames, and lambda squared times that of the changes, averaged over time
    as well: a sum over time would outweigh the mean frame, the more the longer clips are. One scale for all: the root
    of the mean squared distance from the class mean, which lies at the origin, is 1, or 0 where clips are equal.

    Args:
        frames: features, ``(n, T, C)``.
        time_weight: lambda; 0 leaves no part of the order of frames.
        components: of the changes, at most.
    """
    means = frames.mean(axis=1)
    parts = [means - means.mean(axis=0)]
    if time_weight and frames.shape[1] > 1:
        changes = np.diff(frames, axis=1) / np.sqrt(frames.shape[1] - 1)
        parts.append(time_weight * _principal(changes.reshape(len(frames), -1), components))
    found = np.concatenate(parts, axis=1)
    return np.asarray(found / (np.sqrt(np.square(found).sum(axis=1).mean()) or 1))


def cluster(descriptors: NDArray[np.float64], k: int, threshold: float, linkage: str) -> NDArray[np.int64]:
    """Exactly k clusters of descriptors ``(n, D)``: BIRCH's sub-clusters, joined.

    Each clip stands where the centre of its sub-cluster is, so that a sub-cluster weighs as much as it has clips.
    """
    sub = subclusters(descriptors, k, threshold)
    return _joined(_means(descriptors, sub)[sub], k, linkage)


def subclusters(points: NDArray[np.float64], k: int, threshold: float) -> NDArray[np.int64]:
    """Labels of BIRCH's sub-clusters, ``(n,)``, at least k of them and few enough to be joined.

    A threshold at which there would be fewer than k is halved; one at which there would be too many is doubled. Points
    of which fewer than k differ are sub-clusters by themselves.
    """
    for _ in range(HALVINGS):
        labels = _birch(points, threshold)
        if labels.max() + 1 >= k:
            break
        threshold /= 2
    else:
        return np.arange(len(points))
    while labels.max() + 1 > max(MOST_SUBCLUSTERS, k):
        threshold *= 2
        coarser = _birch(points, threshold)
        if coarser.max() + 1 < k:
            break
        labels = coarser
    return labels


def nearest_to_means(descriptors: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each cluster the clip nearest to its mean, the first of equals."""
    away = np.square(descriptors - _means(descriptors, labels)[labels]).sum(axis=1)
    best_first = np.lexsort((np.arange(len(labels)), away.round(12), labels))
    return best_first[np.unique(labels[best_first], return_index=True)[1]]


def sequence_labels(frames: NDArray[np.float64], k: int, threshold: float) -> NDArray[np.int64]:
    """Clusters of the frames of a whole class, k of them: BIRCH's sub-clusters, joined by single linkage.

    TAC-SUM agglomerates frames, of which only those inside one sub-cluster are connected. So these are joined first,
    and then sub-clusters, here by the distance of their centres.
    """
    sub = subclusters(frames, k, threshold)
    return _joined(_means(frames, sub), k, "single")[sub]


def majority(labels: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """The most frequent label in a window around each frame of a clip; the frame's own where it is level with others.

    Args:
        labels: ``(n, T)``, one row per clip; windows end at the borders of clips.
        window: frames, the frame itself among them.
    """
    frames = labels.shape[1]
    one_hot = labels[..., None] == np.arange(labels.max() + 1)
    sums = np.concatenate([np.zeros((len(labels), 1, one_hot.shape[2])), one_hot.cumsum(axis=1)], axis=1)
    first = np.maximum(np.arange(frames) - window // 2, 0)
    last = np.minimum(np.arange(frames) + (window + 1) // 2, frames)
    votes = sums[:, last] - sums[:, first] + 0.5 * one_hot
    return np.asarray(votes.argmax(axis=2))


def absorbed(labels: NDArray[np.int64], shortest: int) -> NDArray[np.int64]:
    """Labels ``(n, T)`` whose runs shorter than ``shortest`` took the label of their longer neighbour in the clip."""
    return np.stack([_absorbed(row, shortest) for row in labels])


def _absorbed(row: NDArray[np.int64], shortest: int) -> NDArray[np.int64]:
    row = row.copy()
    while True:
        starts = np.flatnonzero(np.diff(row, prepend=row[0] - 1))
        lengths = np.diff(starts, append=len(row))
        if len(starts) == 1 or lengths.min() >= shortest:
            return row
        run = int(lengths.argmin())
        beside = [other for other in (run - 1, run + 1) if 0 <= other < len(starts)]
        longer = max(beside, key=lambda other: lengths[other])
        row[starts[run] : starts[run] + lengths[run]] = row[starts[longer]]


def scores(frames: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How well clips stand for the clusters that their frames are in, ``(n,)``; 0 is the most.

    It is the mean squared distance of a clip's frames from the means of their clusters, with its sign changed.

    Args:
        frames: ``(n, T, C)``.
        labels: ``(n, T)``, of clusters of the class's frames.
    """
    flat, groups = frames.reshape(-1, frames.shape[2]), np.unique(labels, return_inverse=True)[1].ravel()
    away = np.square(flat - _means(flat, groups)[groups]).sum(axis=1)
    return np.asarray(-away.reshape(labels.shape).mean(axis=1).round(12))


def most_frames(labels: NDArray[np.int64], score: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Per cluster the clip with the most frames in it, of equals the one with the higher score; filled up by score.

    Clusters choose in the order of their frames, and none takes a clip that is taken.
    """
    counts = np.stack([(labels == label).sum(axis=1) for label in range(labels.max() + 1)])
    free = np.ones(len(score), dtype=bool)
    chosen: list[int] = []
    for count in counts[np.argsort(-counts.sum(axis=1), kind="stable")][:k]:
        candidates = np.flatnonzero(free & (count > 0))
        if len(candidates):
            best = candidates[np.lexsort((-score[candidates], -count[candidates]))[0]]
            chosen.append(int(best))
            free[best] = False
    spare = np.flatnonzero(free)
    rest = spare[np.argsort(-score[spare], kind="stable")]
    return np.array([*chosen, *rest[: k - len(chosen)]], dtype=np.int64)


def _birch(points: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    from sklearn.cluster import Birch

    labels = Birch(n_clusters=None, threshold=threshold).fit(points).labels_
    return np.unique(labels, return_inverse=True)[1]


def _joined(points: NDArray[np.float64], k: int, linkage: str) -> NDArray[np.int64]:
    """Agglomerate points ``(n, D)`` to k clusters."""
    from sklearn.cluster import AgglomerativeClustering

    if k == 1:
        return np.zeros(len(points), dtype=np.int64)
    return np.asarray(AgglomerativeClustering(k, linkage=linkage).fit_predict(points), dtype=np.int64)


def _reduced(frames: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    """Principal components of frames, scaled so that the first has variance 1.

    One scale for all: with one for each, components that hold noise alone would weigh as much as the first.
    """
    reduced = _principal(frames, components)
    return reduced / max(float(reduced[:, 0].std()), np.finfo(np.float64).tiny)


def _principal(rows: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    from sklearn.decomposition import PCA

    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 1))
    solver: Any = "full" if rows.shape[0] <= rows.shape[1] else "covariance_eigh"
    return np.asarray(PCA(min(components, *rows.shape), svd_solver=solver).fit_transform(rows))


def _means(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means of the rows of each label."""
    sums = np.zeros((labels.max() + 1, rows.shape[1]))
    np.add.at(sums, labels, rows)
    return np.asarray(sums / np.bincount(labels)[:, None])
