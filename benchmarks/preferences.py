"""What selectors keep: where their clips lie within their class, in contrast, motion and distance to the mean.

``python benchmarks/preferences.py motion-digits --home HOME`` prints a table. Sets that the home holds are not made
again. A place is a percentile of the class's train clips: 50 is what random clips have on average, 90 means that nine
of ten clips have less.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

import vdbench

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("random", "herding", "k-center", "k-means", "greedy-reward", "tac-dt", "vst-unet")


def contrast(clips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of all pixels of a clip, ``(N,)``."""
    return np.asarray(clips.std(axis=(1, 2, 3)))


def motion(clips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean absolute difference between a frame and the next, ``(N,)``."""
    return np.asarray(np.abs(np.diff(clips, axis=1)).mean(axis=(1, 2, 3)))


def remoteness(centre: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Distance in pixels from the mean clip of a class."""
    return lambda clips: np.sqrt(((clips - centre) ** 2).mean(axis=(1, 2, 3)))


def percentiles(kept: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each number of ``kept``, how many percent of ``among`` are below it, ties counted half."""
    below, level = (kept[:, None] > among).mean(axis=1), (kept[:, None] == among).mean(axis=1)
    return np.asarray(100 * (below + level / 2))


def places(
    kept: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], clips: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[str, float]:
    """Mean percentile of the kept clips within their classes, by trait.

    Args:
        kept: grey clips and labels of each distilled set.
        clips: grey train clips ``(N, T, H, W)``.
        labels: their classes ``(N,)``.
    """
    found: dict[str, list[float]] = {}
    for label in np.unique(labels):
        own = clips[labels == label]
        traits = {"contrast": contrast, "motion": motion, "distance to the class mean": remoteness(own.mean(axis=0))}
        for name, trait in traits.items():
            among = trait(own)
            for some, classes in kept:
                found.setdefault(name, []).extend(percentiles(trait(some[classes == label]), among))
    return {name: float(np.mean(values)) for name, values in found.items()}


def grey(clips: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean of the colours, ``(N, T, H, W)``."""
    return np.asarray(clips.mean(axis=-1, dtype=np.float64))


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """In Markdown, a row per method."""
    traits = list(next(iter(rows.values())))
    lines = [["kept by", *traits], ["---"] * (len(traits) + 1)]
    lines += [[method, *(f"{row[trait]:.0f}" for trait in traits)] for method, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Make or find the sets, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="name of a prepared data set")
    parser.add_argument("--home", help="where vdbench keeps what it makes")
    parser.add_argument("--suite", default="factorial", help="whose clips and settings (default: %(default)s)")
    parser.add_argument("--ipc", type=int, default=5, help="clips per class (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="sets per method (default: %(default)s)")
    chosen = parser.parse_args()
    train = vdbench.load_dataset(chosen.dataset, chosen.suite, home=chosen.home).train
    clips, rows = grey(train.clips), {}
    for method in METHODS:
        kept = []
        for seed in range(chosen.seeds):
            made = vdbench.distill(
                f"{method}@real", chosen.dataset, ipc=chosen.ipc, seed=seed, suite=chosen.suite, partial=True,
                home=chosen.home,
            )  # fmt: skip
            kept.append((grey(made.pixels().numpy()), made.labels().numpy()))
        rows[method] = places(kept, clips, train.labels)
    print(table(rows))


if __name__ == "__main__":
    main()
