"""Columns under both questions: the statistics that stand behind each, and means of outcomes."""

import numpy as np
import pytest
from scipy import stats

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes, mean_of, told
from vdbench_leaderboard.statistics.columns import ClipColumn, SeedColumn
from vdbench_leaderboard.statistics.comparisons import compare, corrected, ranks
from vdbench_leaderboard.statistics.estimates import estimate
from vdbench_leaderboard.statistics.power import level
from vdbench_leaderboard.statistics.two_way import of_accuracy, of_difference, parts

LABELS = np.arange(120) % 2
SOURCES = np.arange(120) // 6 * 2 + LABELS
LEVELS = {"random": 0.4, "a": 0.7, "b": 0.68, "c": 0.42}


def won(seed: int, level: float, seeds: int = 4) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    easy = np.random.default_rng(99).normal(0, 0.2, 40)[SOURCES]
    return {s: 100.0 * (rng.random(120) < level + easy + rng.normal(0, 0.02)) for s in range(seeds)}


def answered(seed: int, level: float, seeds: int = 4, test_set: str = "one") -> ClipOutcomes:
    return ClipOutcomes(won(seed, level, seeds), test_set, LABELS, SOURCES)


COLUMN = {name: answered(place, level) for place, (name, level) in enumerate(LEVELS.items())}


def stacked(name: str) -> np.ndarray:
    return np.stack(list(COLUMN[name].won.values()))


def test_on_other_clips_means_and_differences_have_two_way_intervals():
    column = ClipColumn(COLUMN)
    p = {}
    for name in LEVELS:
        own = of_accuracy(parts(stacked(name), LABELS, SOURCES))
        found = column.means[name]
        assert (found.mean, found.low, found.high, found.std) == (own.mean, own.low, own.high, None)
        if name != "random":
            gain = of_difference(parts(stacked(name) - stacked("random"), LABELS, SOURCES))
            against = column.against("random")[name]
            assert (against.difference.low, against.difference.high) == pytest.approx((gain.low, gain.high))
            assert (against.difference.repeats, against.difference.over) == (4, "seeds")
            assert against.p == pytest.approx(gain.p)
            p[name] = gain.p
    assert {name: one.adjusted for name, one in column.against("random").items()} == pytest.approx(corrected(p))


def test_on_these_clips_they_are_students():
    runs = {name: {seed: {0: float(v.mean())} for seed, v in one.won.items()} for name, one in COLUMN.items()}
    column = SeedColumn(runs)
    assert column.means == {name: estimate(one) for name, one in runs.items()}
    assert column.against("random") == compare(runs, "random")
    assert column.ranks() == ranks(runs)
    differences = stacked("a").mean(axis=1) - stacked("random").mean(axis=1)
    ends = stats.t.interval(1 - level(3), 3, differences.mean(), stats.sem(differences))
    assert column.ends("a", "random", level(3)) == pytest.approx(ends)
    single = SeedColumn({name: {0: one[0]} for name, one in runs.items()})
    assert single.ends("a", "random", 0.05) is None


@pytest.mark.parametrize("error", [0.05, 0.017])
def test_an_interval_ends_at_zero_where_its_error_is_p(error):
    column = ClipColumn(COLUMN)
    p = column.against("random")["c"].p
    low, high = column.ends("c", "random", p)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-6)
    wide, narrow = column.ends("c", "random", error / 2), column.ends("c", "random", error)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_methods_share_a_rank_where_the_two_way_test_does_not_tell_them_apart():
    found = ClipColumn(COLUMN)
    order = sorted(LEVELS, key=lambda name: -found.means[name].mean)
    below = corrected({name: found.against(order[0])[name].p for name in order[1:]})
    expected = {name for name in order[1:] if below[name] >= 0.05} | {order[0]}
    assert {name for name, rank in found.ranks().items() if rank == 1} == expected == {"a", "b"}


def test_a_mean_over_students_is_that_of_each_clip_over_common_seeds():
    one, other = answered(1, 0.5), answered(2, 0.6, seeds=3)
    mean = mean_of([one, other])
    assert [*mean.won] == [0, 1, 2]
    assert mean.won[2] == pytest.approx((one.won[2] + other.won[2]) / 2)
    assert mean_of([one, None]) is None
    assert mean_of([]) is None
    assert mean_of([one, answered(2, 0.6, test_set="other")]) is None


def test_outcomes_on_other_test_sets_are_not_paired():
    assert answered(1, 0.5).against(answered(2, 0.5, test_set="other")) is None
    assert answered(1, 0.5, seeds=1).interval() is None
    assert told(None, 3) is None
