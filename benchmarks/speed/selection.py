"""How much faster herding and k-center are than their definitions written out, on the same features.

Run it with ``python benchmarks/speed/selection.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vdbench_methods.herding import Herding
from vdbench_methods.k_center import KCenter

Features = NDArray[np.float32]


def literal_herding(features: Features, k: int) -> list[int]:
    """The clip that minimises ||(n + 1) mean - sum(chosen) - f_i||, k times."""
    rows = features.astype(np.float64)
    mean, chosen = rows.mean(axis=0), list[int]()
    for n in range(k):
        costs = {
            i: np.linalg.norm((n + 1) * mean - sum((rows[j] for j in chosen), np.zeros_like(mean)) - rows[i])
            for i in range(len(rows))
            if i not in chosen
        }
        chosen.append(min(costs, key=lambda i: (costs[i], i)))
    return chosen


def literal_k_center(features: Features, k: int) -> list[int]:
    """The clip whose distance to its nearest chosen one is largest, after the one nearest to the mean."""
    rows = features.astype(np.float64)
    chosen = [int(np.argmin([np.linalg.norm(row - rows.mean(axis=0)) for row in rows]))]
    while len(chosen) < k:
        cover = {i: min(np.linalg.norm(rows[i] - rows[j]) for j in chosen) for i in range(len(rows)) if i not in chosen}
        chosen.append(max(cover, key=lambda i: (cover[i], -i)))
    return chosen


def ours(method: Herding | KCenter) -> Callable[[Features, int], list[int]]:
    """A method as a function of features and k."""
    rng = np.random.default_rng(0)
    return lambda features, k: method.select(features, k, rng, None)  # type: ignore[arg-type]


def best(run: Callable[[], list[int]], repeats: int) -> tuple[float, list[int]]:
    """The shortest of a few runs, in seconds of this process, and what it chose."""
    times, chosen = [], list[int]()
    for _ in range(repeats):
        started = time.process_time()
        chosen = run()
        times.append(time.process_time() - started)
    return min(times), chosen


def main() -> None:
    """Time both selectors at several IPCs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100, help="clips of one class")
    parser.add_argument("--dim", type=int, default=2048, help="numbers per clip")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    features = np.random.default_rng(0).normal(size=(asked.clips, asked.dim)).astype(np.float32)
    print(f"one class of {asked.clips} clips, {asked.dim} numbers each; milliseconds, best of {asked.repeats}")
    print(f"{'':9} {'IPC':>4} {'literal':>9} {'ours':>7} {'ratio':>6}")
    for method, literal in ((Herding(), literal_herding), (KCenter(), literal_k_center)):
        for k in (1, 5, 10, 50):
            slow, expected = best(lambda k=k, literal=literal: literal(features, k), asked.repeats)  # type: ignore[misc]
            fast, found = best(lambda k=k, method=method: ours(method)(features, k), asked.repeats)  # type: ignore[misc]
            if found != expected:
                raise SystemExit(f"{method.name} differs from its definition at IPC {k}")
            print(f"{method.name:9} {k:4} {1e3 * slow:9.1f} {1e3 * fast:7.1f} {slow / fast:6.1f}")


if __name__ == "__main__":
    main()
