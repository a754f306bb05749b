"""What a difference takes, against worlds whose variances are planted."""

import math

import numpy as np
import pytest

from vdbench_leaderboard.statistics.power import MOST_SEEDS, level, power
from vdbench_leaderboard.tables.planning import needed

SEEDS, NETWORKS = 60, 3


@pytest.fixture(scope="module")
def world(make):
    """Differences vary by 4 points over seeds and by 6 over networks; the luck that both share does not count."""
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 0.03, (SEEDS, NETWORKS))
    by_seed, by_network = rng.normal(0, 0.04, (SEEDS, 1)), rng.normal(0, 0.06, (SEEDS, NETWORKS))
    return [
        *(make("random", list(0.4 + luck[s]), seed=s) for s in range(SEEDS)),
        *(make("herding", list(0.45 + luck[s] + by_seed[s] + by_network[s]), seed=s) for s in range(SEEDS)),
    ]


def test_variances_of_seeds_and_networks_are_told_apart(world) -> None:
    (row,) = needed(world, 5)
    assert row.seeds_std == pytest.approx(4, rel=0.35)
    assert row.networks_std == pytest.approx(6, rel=0.2)
    assert (row.methods, row.seeds, row.networks) == (1, SEEDS, NETWORKS)


def test_as_many_seeds_as_the_power_of_the_paired_test_asks_for(world) -> None:
    (row,) = needed(world, 5)
    alpha = level(1)
    now = math.sqrt(row.seeds_std**2 + row.networks_std**2 / NETWORKS)
    assert power(5 / now, row.needed, alpha) >= 0.8 > power(5 / now, row.needed - 1, alpha)
    assert row.needed_twice < row.needed
    (coarse,) = needed(world, 20)
    assert coarse.needed < row.needed
    (fine,) = needed(world, 0.1)
    assert fine.needed == MOST_SEEDS + 1


def test_hours_are_those_of_the_seeds_that_are_missing(make) -> None:
    found = [make(m, [0.4, 0.5 + 0.05 * s], seed=s) for m in ("random", "herding") for s in range(3)]
    found += [make("k-means", [0.6 - 0.1 * s, 0.4 + 0.2 * s], seed=s) for s in range(3)]
    (row,) = needed(found, 5)
    assert row.seconds == pytest.approx((row.needed - 3) * row.seconds_per_seed)
    assert row.seconds_per_seed == pytest.approx(3 * (0.25 + 9.0))  # distilled and judged; the assets are there


def test_a_column_without_random_or_with_one_seed_says_nothing(make) -> None:
    assert needed([make("herding", seed=s) for s in range(3)], 5) == []
    assert needed([make(m) for m in ("random", "herding")], 5) == []


def test_single_networks_and_equal_differences(make) -> None:
    rows = needed([make(m, [0.4 + 0.1 * s], seed=s) for m in ("random", "herding") for s in range(3)], 5)
    assert [(r.networks_std, r.needed_twice, r.seeds_std, r.needed) for r in rows] == [(None, None, 0.0, 3)]
