"""Average ranks, Friedman's test and critical differences against published numbers, tables and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench_leaderboard.statistics.average_ranks import average_ranks, critical_difference

METHODS = "abcd"
tables = st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=2, max_size=6)


def blocks(rows):
    return {f"block {place}": dict(zip(METHODS, row, strict=False)) for place, row in enumerate(rows)}


@pytest.mark.parametrize(
    ("methods", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102)]
)
def test_quantiles_are_those_of_the_published_table(methods, q):
    # Demsar 2006, table 5(a), where N cancels k (k + 1) / 6.
    found = critical_difference(methods, 1) / math.sqrt(methods * (methods + 1) / 6)
    assert found == pytest.approx(q, abs=0.0015)


def test_friedman_closed_form():
    # 12 N / (k (k + 1)) * (sum of squared average ranks - k (k + 1)^2 / 4); p = exp(-half of it).
    found = average_ranks(blocks([(3, 2, 1), (3, 2, 1), (3, 1, 2), (2, 3, 1)]))
    assert found.ranks == {"a": 1.25, "b": 2.0, "c": 2.75}
    statistic = 12 * 4 / (3 * 4) * (1.25**2 + 2**2 + 2.75**2 - 3 * 16 / 4)
    assert found.p == pytest.approx(math.exp(-statistic / 2))
    assert (found.blocks, found.left_out) == (4, ())


@given(tables)
def test_ranks_equal_brute_force(rows):
    found = average_ranks(blocks(rows))
    for place, method in enumerate(METHODS):
        middle = [
            1 + sum(other > row[place] for other in row) + (sum(other == row[place] for other in row) - 1) / 2
            for row in rows
        ]
        assert found.ranks[method] == pytest.approx(np.mean(middle))
    assert [*found.ranks.values()] == sorted(found.ranks.values())
    assert sum(found.ranks.values()) == pytest.approx(4 * 5 / 2)


@given(tables)
def test_groups_hold_exactly_the_pairs_that_are_not_told_apart(rows):
    found = average_ranks(blocks(rows * 8))
    together = {frozenset((a, b)) for group in found.groups for a in group for b in group if a != b}
    close = {
        frozenset((a, b))
        for a in METHODS
        for b in METHODS
        if a != b and (found.p >= 0.05 or abs(found.ranks[a] - found.ranks[b]) < found.critical_difference)
    }
    assert together == close
    assert not any(set(one) < set(other) for one in found.groups for other in found.groups)


def test_a_chain_has_overlapping_groups():
    # b is between a and c, near both; a and c are farther from each other than the critical difference.
    found = average_ranks(blocks([(4, 3, 2, 1)] * 6 + [(3, 4, 2, 1)] * 2 + [(4, 2, 3, 1)] * 2))
    assert found.critical_difference == pytest.approx(2.569 * math.sqrt(20 / 60), abs=0.001)
    assert found.ranks == {"a": 1.2, "b": 2.0, "c": 2.8, "d": 4.0}
    assert found.groups == (("a", "b"), ("b", "c"), ("c", "d"))


def test_all_are_one_group_where_friedman_finds_nothing():
    found = average_ranks(blocks([(1, 2, 3), (3, 2, 1), (1, 3, 2), (2, 1, 3)]))
    assert found.p > 0.05
    assert [set(group) for group in found.groups] == [{"a", "b", "c"}]


def test_methods_that_tie_everywhere_are_alike():
    found = average_ranks(blocks([(5, 5, 5), (7, 7, 7)]))
    assert (found.p, found.ranks) == (1, {"a": 2.0, "b": 2.0, "c": 2.0})


def test_ties_are_not_broken_by_arithmetic():
    found = average_ranks(blocks([(0.1 + 0.2, 0.3, 0.0), (0.3, 0.3, 0.0)]))
    assert found.ranks == {"a": 1.5, "b": 1.5, "c": 3.0}


def test_a_method_that_a_block_lacks_is_left_out():
    full = blocks([(4, 3, 2, 1), (4, 3, 2, 1), (3, 4, 2, 1)])
    alone = average_ranks({name: {m: v for m, v in row.items() if m != "b"} for name, row in full.items()})
    del full["block 1"]["b"]
    found = average_ranks(full)
    assert found.left_out == ("b",)
    assert (found.ranks, found.p, found.groups) == (alone.ranks, alone.p, alone.groups)


def test_too_little_to_test_is_none():
    assert average_ranks({}) is None
    assert average_ranks(blocks([(1, 2, 3)])) is None
    assert average_ranks({"one": {"a": 1, "b": 2}, "two": {"a": 1, "b": 2}}) is None
    assert average_ranks({"one": {"a": 1, "b": 2, "c": 3}, "two": {"a": 1, "b": 2}}) is None


@given(tables, st.randoms(use_true_random=False))
def test_order_and_scale_do_not_matter(rows, chance):
    found = average_ranks(blocks(rows))
    moved = {
        name: {m: 3 * row[m] + 7 for m in chance.sample(METHODS, 4)}
        for name, row in chance.sample([*blocks(rows).items()], len(rows))
    }
    again = average_ranks(moved)
    assert (again.ranks, again.groups, again.blocks) == (found.ranks, found.groups, found.blocks)
    assert again.p == pytest.approx(found.p)


@given(tables)
def test_methods_are_told_apart_where_some_pair_shares_no_group(rows):
    found = average_ranks(blocks(rows * 8))
    together = {frozenset((a, b)) for group in found.groups for a in group for b in group}
    assert found.tells_apart == any(frozenset((a, b)) not in together for a in METHODS for b in METHODS if a != b)
