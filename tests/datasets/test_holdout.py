from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vdbench.datasets.holdout import hold_out

clips = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=80)


def split(pairs, share, seed, shared):
    labels = np.array([label for label, _ in pairs])
    groups = [f"g{group}" if shared else f"c{label}g{group}" for label, group in pairs]
    return labels, groups, hold_out(labels, groups, share, seed)


@given(clips, st.floats(0.05, 0.6), st.integers(0, 5), st.booleans())
def test_groups_stay_together_and_no_class_is_emptied(pairs, share, seed, shared):
    labels, groups, held = split(pairs, share, seed, shared)
    sides = defaultdict(set)
    for group, out in zip(groups, held, strict=True):
        sides[group].add(bool(out))
    assert all(len(side) == 1 for side in sides.values())
    assert set(labels) == set(labels[~held])
    assert np.array_equal(held, split(pairs, share, seed, shared)[2])


@given(clips, st.floats(0.05, 0.5), st.integers(0, 5))
def test_every_class_gives_about_its_share(pairs, share, seed):
    labels, groups, held = split(pairs, share, seed, shared=False)
    for label in set(labels):
        sizes = Counter(group for group, own in zip(groups, labels, strict=True) if own == label)
        out = int(held[labels == label].sum())
        if len(sizes) == 1:
            assert out == 0
        else:
            assert out > 0
            assert abs(out - share * sizes.total()) <= max(sizes.values())


@given(clips, st.floats(0.05, 0.5))
def test_the_order_of_clips_does_not_matter(pairs, share):
    labels, groups, held = split(pairs, share, 0, shared=True)
    _, other_groups, other = split(pairs[::-1], share, 0, shared=True)
    assert {g for g, out in zip(groups, held, strict=True) if out} == {
        g for g, out in zip(other_groups, other, strict=True) if out
    }
    assert len(labels) == len(other)


def test_nothing_is_held_out_unless_asked_for():
    assert not hold_out(np.array([0, 1, 1]), ["a", "b", "c"], 0.0, 0).any()


def test_another_seed_holds_out_others():
    labels = np.repeat(np.arange(3), 40)
    groups = [f"{label}-{i // 4}" for i, label in enumerate(labels)]
    assert not np.array_equal(hold_out(labels, groups, 0.3, 0), hold_out(labels, groups, 0.3, 1))
