"""The Pareto front against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from vdbench_leaderboard.statistics.pareto import front

points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


def dominates(one, other):
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(points)
def test_the_front_is_what_nothing_dominates(found):
    kept = front(found)
    assert {*kept} == {
        place for place, point in enumerate(found) if not any(dominates(other, point) for other in found)
    }
    assert [found[place][0] for place in kept] == sorted(found[place][0] for place in kept)
    assert len(kept) == len(set(kept))


def test_equal_points_are_both_on_it():
    assert front([(1, 5), (1, 5), (2, 5), (0, 1)]) == [3, 0, 1]
    assert front([]) == []
