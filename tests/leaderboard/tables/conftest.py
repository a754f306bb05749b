"""Selectors on real and on generated clips, whose differences are known."""

import random

import pytest

from vdbench.records import PoolRecord, Provenance
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.pools import factorial

LEVEL = {"random": 0.4, "herding": 0.5, "k-center": 0.3}
GAIN = {"random": 0.05, "herding": -0.08, "k-center": 0.0}
"""Of the generated pool, the same with every seed but for a wiggle that averages to nothing."""
WIGGLE = (-0.01, 0.0, 0.01)


def made(steps=25):
    return PoolRecord(
        generator="latte",
        weights="ab" * 32,
        saw="train",
        per_class=40,
        scheduler="ddim",
        steps=steps,
        guidance=3,
        seed=0,
    )


@pytest.fixture(scope="session")
def generate(make):
    """A result of a generated pool, as a run stores it."""

    def make_generated(method, top1, *, steps=25, settings=None, **changes):
        sampled = made(steps)
        values = {
            "pool": "generated",
            "settings": {"pool": "generated", **(settings or {}), "generator": {"sampling": {"steps": steps}}},
            "provenance": Provenance(
                pool="generated", generator="latte", generator_saw="train", sampled=sampled, reconstruction=False
            ),
        }
        return make(method, top1, **values | changes)

    return make_generated


@pytest.fixture(scope="session")
def crossed(make, generate):
    """Three selectors on both pools at IPC 1 and 5 with three seeds and two networks, and ``full``."""
    results = []
    for seed in range(3):
        shared = random.Random(seed).gauss(0, 0.1)  # between seeds, and so gone from paired differences
        for method, level in LEVEL.items():
            for ipc in (1, 5):
                real = level + shared + ipc / 100
                other = real + GAIN[method] + WIGGLE[seed]
                results.append(make(method, (real - 0.02, real + 0.02), ipc=ipc, seed=seed, settings={"pool": "real"}))
                results.append(generate(method, (other - 0.02, other + 0.02), ipc=ipc, seed=seed))
        results.append(make("full", (0.95, 0.96), ipc=None, seed=seed))
    return results


def without(results, **values):
    return [r for r in results if any(getattr(r, name) != value for name, value in values.items())]


def table(results):
    (board,) = boards(gather(results))
    return factorial(board)


def selector(results, label):
    found = table(results)
    (row,) = [row for row in found.selectors if row.label == label]
    return row
