"""Paired tests and ranks against scipy, a correction written out, and simulations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vdbench_leaderboard.statistics.comparisons import compare, ranks
from vdbench_leaderboard.statistics.estimates import difference, estimate

accuracy = st.integers(0, 1000).map(lambda count: count / 10)
networks = st.dictionaries(st.integers(0, 3), accuracy, min_size=1, max_size=3)
runs = st.dictionaries(st.integers(0, 5), networks, min_size=1, max_size=5)
columns = st.dictionaries(st.sampled_from("abcdef"), runs, min_size=1)


def seeds(*values):
    return {seed: {0: value} for seed, value in enumerate(values)}


def corrected(p):
    """Holm's steps with Šidák's bound, one by one."""
    found, least = {}, 0.0
    for place, (method, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        least = max(least, 1 - (1 - value) ** (len(p) - place))
        found[method] = least
    return found


@given(columns)
def test_every_method_is_compared_as_scipy_does(column):
    found = compare(column, min(column))
    base = column[min(column)]
    assert found.keys() == column.keys() - {min(column)}
    tested = {}
    for method, comparison in found.items():
        assert comparison.difference == difference(column[method], base)
        common = sorted(column[method].keys() & base.keys())
        if len(common) < 2:
            assert (comparison.p, comparison.adjusted, comparison.significant) == (None, None, False)
            continue
        tested[method] = comparison.p
        ours, theirs = ([np.mean(list(side[s].values())) for s in common] for side in (column[method], base))
        if np.ptp(np.subtract(ours, theirs)) > 1e-6:
            assert comparison.p == pytest.approx(stats.ttest_rel(ours, theirs).pvalue, abs=1e-6)
    for method, expected in corrected(tested).items():
        assert found[method].adjusted == pytest.approx(expected, abs=1e-9)
        assert found[method].adjusted >= found[method].p - 1e-12
        assert found[method].significant == (found[method].adjusted < 0.05)


def test_equal_differences_are_as_sure_as_their_number_and_no_difference_is_none():
    """Accuracies are whole numbers of clips, so that equal differences come about by chance."""
    base = seeds(20.0, 50.0, 80.0)
    found = compare({"base": base, "same": base, "better": seeds(22.0, 52.0, 82.0)}, "base")
    assert (found["same"].p, found["same"].adjusted, found["same"].significant) == (1, 1, False)
    assert (found["better"].p, found["better"].adjusted, found["better"].significant) == (
        0.25,
        pytest.approx(0.4375),
        False,
    )
    certain = compare({"base": seeds(*range(9)), "better": seeds(*range(2, 11))}, "base")["better"]
    assert (certain.p, certain.significant) == (2**-8, True)


def test_base_must_be_in_the_column():
    with pytest.raises(KeyError):
        compare({"a": seeds(1.0, 2.0)}, "b")


def test_ties_are_with_the_leader_not_with_a_neighbour():
    # b cannot be told from a, nor c from b; but c is apart from a, so it does not share a's rank.
    column = {"a": seeds(60, 62, 64), "b": seeds(58.5, 60.5, 63.5), "c": seeds(58, 60.1, 62.1)}
    told = {
        (one, other): compare({one: column[one], other: column[other]}, one)[other].significant
        for one, other in ("ab", "bc")
    }
    assert told == {("a", "b"): False, ("b", "c"): False}
    assert compare(column, "a")["c"].significant
    assert ranks(column) == {"a": 1, "b": 1, "c": 3}


def test_each_leader_is_compared_with_what_is_left_below():
    # Among two tests c would share b's rank; but the wild one has its place by then, and one test is left.
    column = {
        "a": seeds(90.0, 91.0, 92.1, 93.0),
        "wild": seeds(60.0, 95.0, 40.0, 100.0),
        "b": seeds(50.0, 51.0, 52.0, 53.0),
        "c": seeds(49.0, 48.4, 50.0, 52.2),
    }
    assert (
        compare(column, "b")["c"].p
        < 0.05
        < compare({name: column[name] for name in ("wild", "b", "c")}, "b")["c"].adjusted
    )
    assert ranks(column) == {"a": 1, "wild": 1, "b": 3, "c": 4}
    assert ranks({**column, "d": seeds(48.0, 51.0, 50.3, 52.0)}) == {"a": 1, "wild": 1, "b": 3, "c": 3, "d": 3}


@given(columns)
def test_ranks_never_contradict_means(column):
    found = ranks(column)
    ordered = sorted(column, key=lambda method: (-estimate(column[method]).mean, method))
    places = [found[method] for method in ordered]
    assert places == sorted(places)
    assert places[0] == 1
    assert all(rank == 1 + places.index(rank) for rank in places)  # a rank is the place of its first holder


@given(columns, st.randoms(use_true_random=False))
def test_order_of_the_column_does_not_matter(column, chance):
    shuffled = dict(chance.sample([*column.items()], len(column)))
    assert ranks(shuffled) == ranks(column)
    ours, theirs = compare(shuffled, min(column)), compare(column, min(column))
    for method, comparison in theirs.items():
        assert ours[method].p == comparison.p
        assert ours[method].adjusted == pytest.approx(comparison.adjusted)


def test_one_repeat_tells_nothing_apart():
    assert ranks({"a": seeds(90.0), "b": seeds(10.0)}) == {"a": 1, "b": 1}
    many = {"a": {0: {0: 90.0, 1: 91.0, 2: 90.5}}, "b": {0: {0: 10.0, 1: 10.5, 2: 11.0}}}
    assert ranks(many) == {"a": 1, "b": 1}  # networks of one seed are no repeats of the method


def test_no_method_has_no_rank():
    assert ranks({}) == {}


def column_of(generator, methods, count, gaps=()):
    """Methods of two networks per seed, which share what a seed does to all of them."""
    levels = np.zeros(methods)
    levels[: len(gaps)] = gaps
    shared = 5 * generator.standard_normal((1, count, 1))
    own = generator.standard_normal((methods, count, 1)) + generator.standard_normal((methods, count, 2))
    values = levels[:, None, None] + shared + own
    return {
        f"m{m}": {s: dict(enumerate(nets)) for s, nets in enumerate(rows)} for m, rows in enumerate(values.tolist())
    }


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 5, 10])
def test_false_findings_in_a_column_are_as_rare_as_stated(count):
    generator, columns_drawn = np.random.default_rng(count), 1000
    alone = family = tied = 0
    for _ in range(columns_drawn):
        column = column_of(generator, 6, count)
        found = compare(column, "m0").values()
        alone += next(iter(found)).p < 0.05
        family += any(comparison.significant for comparison in found)
        tied += set(ranks(dict([*column.items()][:2])).values()) == {1}
    assert alone / columns_drawn == pytest.approx(0.05, abs=0.022)
    assert 0.02 < family / columns_drawn < 0.07
    assert tied / columns_drawn == pytest.approx(0.95, abs=0.022)


@pytest.mark.slow
def test_a_large_difference_is_found():
    generator = np.random.default_rng(0)
    found = [ranks(column_of(generator, 3, 10, gaps=(5.0,))) for _ in range(300)]
    assert np.mean([rank["m0"] == 1 and min(rank["m1"], rank["m2"]) == 2 for rank in found]) > 0.95
