"""k-means: the medoid of each of k clusters."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vdbench.method import Card, Settings, identity
from vdbench.selector import FeatureSettings, Selector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdbench.method import Task


class KMeansSettings(FeatureSettings):
    """Settings of k-means."""

    restarts: int = identity(10, "k-means runs from different starts, of which the tightest counts", gt=0)


class KMeans(Selector[KMeansSettings]):
    """Clusters the clips of a class, and keeps of each cluster the clip nearest to its mean, which is its medoid."""

    name: ClassVar[str] = "k-means"
    Settings: ClassVar[type[Settings]] = KMeansSettings
    card: ClassVar[Card] = Card(
        "Medoids of k-means clusters",
        paper="k-means++: The Advantages of Careful Seeding, SODA 2007",
        bibtex="""@inproceedings{arthur2007kmeans,
  title = {k-means++: The Advantages of Careful Seeding},
  author = {Arthur, David and Vassilvitskii, Sergei},
  booktitle = {ACM-SIAM Symposium on Discrete Algorithms},
  pages = {1027--1035},
  year = {2007},
}""",
    )

    def select(self, features: NDArray[np.float32], k: int, rng: np.random.Generator, task: Task) -> NDArray[np.int64]:
        """One medoid per cluster; a cluster that came out empty gives its place to the clip farthest from its mean."""
        exact = features.astype(np.float64)
        centres, labels = clustered(exact, k, self.settings.restarts, rng)
        distance = np.square(exact - centres[labels]).sum(axis=1)
        nearest_first = np.lexsort((distance, labels))
        medoids = nearest_first[np.unique(labels[nearest_first], return_index=True)[1]]
        farthest_first = np.argsort(-distance, kind="stable")
        spare = farthest_first[~np.isin(farthest_first, medoids)]
        return np.concatenate([medoids, spare[: k - len(medoids)]])


def clustered(
    points: NDArray[np.float64], k: int, restarts: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Clusters of points by k-means.

    Args:
        points: ``(n, D)``.
        k: how many clusters, at most n.
        restarts: runs from different starts, of which the tightest counts.
        rng: the only source of chance.

    Returns:
        The clusters' means ``(k, D)``, and the cluster of each point ``(n,)``.
    """
    from sklearn import cluster
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    model = cluster.KMeans(k, n_init=restarts, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings(), threadpool_limits(1):  # several threads would add up in any order
        warnings.simplefilter("ignore", ConvergenceWarning)  # of clips that are equal, so that clusters are empty
        labels = model.fit_predict(points)
    return model.cluster_centers_, labels.astype(np.int64)
