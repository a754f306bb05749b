"""Sentences of planted columns: the right one for each world, and never a difference that the tests do not hold."""

import re

import numpy as np
import pytest
from scipy import stats

from vdbench_leaderboard.statistics.clip_outcomes import ClipOutcomes
from vdbench_leaderboard.statistics.columns import ClipColumn, SeedColumn
from vdbench_leaderboard.statistics.estimates import difference
from vdbench_leaderboard.statistics.power import level, more_seeds
from vdbench_leaderboard.tables.column_words import sentence

LUCK = (0.0, 1.5, -1.0, 0.5, -0.5)
NOISE = (0.4, -0.3, 0.1, -0.6, 0.5, 0.2, -0.4, -0.1, 0.3, -0.2, 0.0)


def runs(levels, seeds=5):
    """Every seed has a luck that all share, and every method half a point of its own."""
    return {
        name: {seed: {0: level + LUCK[seed] + NOISE[(3 * place + seed) % 11]} for seed in range(seeds)}
        for place, (name, level) in enumerate(levels.items())
    }


def says(column, base="random"):
    return sentence(SeedColumn(column), base)


def ends(column, method, tests, base="random"):
    """Šidák's interval of the difference, by scipy."""
    values = [column[method][seed][0] - column[base][seed][0] for seed in column[method]]
    low, high = stats.t.interval(0.95 ** (1 / tests), len(values) - 1, np.mean(values), stats.sem(values))
    return tuple(f"{abs(end):.1f}" for end in sorted((low, high), key=abs))


def test_two_that_are_told_apart():
    column = runs({"random": 40, "herding": 50, "dm": 60})
    (low, high), (less, more) = ends(column, "dm", 2), ends(column, "herding", 2)
    assert says(column) == (
        f"dm beats random by {low} to {high} points, herding by {less} to {more} points; "
        "dm is better than every other method."
    )


def test_two_that_beat_random_and_cannot_be_told_apart():
    column = runs({"random": 40, "herding": 60, "dm": 60.1})
    lead = difference(column["dm"], column["herding"])
    assert lead.mean > 0
    assert says(column).endswith(
        f"; herding cannot be told from dm; about {more_seeds(lead, 2)} more seeds would tell the two apart."
    )


def test_none_is_told_from_random():
    gaps = {"herding": (2, -3, 5), "dm": (1, -1, -0.5)}
    column = {"random": {0: {0: 40.0}, 1: {0: 42.0}, 2: {0: 41.0}}}
    for name, values in gaps.items():
        column[name] = {seed: {0: column["random"][seed][0] + gap} for seed, gap in enumerate(values)}
    more = more_seeds(difference(column["herding"], column["random"]), 2)
    assert more > 50
    assert says(column) == f"No method can be told from random; about {more} more seeds would tell herding from random."
    column["herding"] = {seed: {0: top1[0] - 3} for seed, top1 in column["herding"].items()}
    assert says(column) == "No method can be told from random.", "where none is ahead, no seeds are promised"


def test_one_is_worse_and_another_one_may_be_chance():
    column = runs({"random": 40, "k-center": 30, "herding": 40.4})
    low, high = ends(column, "k-center", 2)
    more = more_seeds(difference(column["herding"], column["random"]), 2)
    assert says(column) == (
        f"k-center is worse than random by {low} to {high} points; herding cannot be told from random; "
        f"about {more} more seeds would tell herding from random."
    )


@pytest.mark.parametrize(("seeds", "few"), [(1, "a single seed"), (2, "2 seeds")])
def test_few_seeds_say_nothing(seeds, few):
    assert says(runs({"random": 40, "herding": 60}, seeds)) == (
        f"With {few} nothing can be told apart; it takes at least 3."
    )


def test_without_random_or_without_methods_nothing_is_compared():
    assert says(runs({"herding": 60, "dm": 50}), None) == (
        "Random clips were not judged here, so nothing is said of the methods."
    )
    assert says(runs({"random": 40})) == ""
    assert says({}, None) == ""


def test_many_are_counted():
    found = says(runs({"random": 30} | {f"m{place}": 60 - place for place in range(7)}))
    assert ", and 3 more beat it, too; m0 " in found
    assert found.count("by ") == 4


def test_equal_differences_have_one_end_and_need_six_seeds():
    column = {"random": {s: {0: 40.0 + s} for s in range(6)}, "dm": {s: {0: 45.0 + s} for s in range(6)}}
    assert says(column) == "dm beats random by 5.0 points."
    five = {name: {s: v for s, v in values.items() if s < 5} for name, values in column.items()}
    assert says(five) == "No method can be told from random; about 1 more seed would tell dm from random."


def test_an_interval_is_cut_where_only_the_step_down_test_has_found_a_side():
    # Of two tests the second one needs p < 0.05 alone, and its interval that holds for both reaches past zero.
    values = np.array([1.0, 2.0, 3.0, 4.0, 1.5])
    t = stats.ttest_1samp(values, 0).statistic
    values -= (1 - stats.t.ppf(1 - 0.03 / 2, 4) / t) * values.mean()  # p is 0.03
    assert stats.ttest_1samp(values, 0).pvalue == pytest.approx(0.03, abs=0.01)
    base = {s: {0: 40.0} for s in range(5)}
    column = {
        "random": base,
        "close": {s: {0: 40.0 + v} for s, v in enumerate(values)},
        "far": {s: {0: 60.0 + v / 9} for s, v in enumerate(values)},
    }
    low, high = SeedColumn(column).ends("close", "random", level(2))
    assert low < 0
    assert f"close by up to {high:.1f} points" in says(column)


def clips(levels, seed, seeds=5, sources=40, spread=0.15):
    """Outcomes of 6 clips a source; methods agree on what sources are easy."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(sources) % 4, 6)
    numbers = np.repeat(np.arange(sources), 6)
    easy = rng.normal(0, spread, sources)
    found = {}
    for name, top1 in levels.items():
        own = rng.normal(0, spread, sources)
        chance = (top1 + easy + own)[numbers]
        won = {s: 100.0 * (rng.random(len(numbers)) < chance + rng.normal(0, 0.02)) for s in range(seeds)}
        found[name] = ClipOutcomes(won, "set", labels, numbers)
    return found


def test_on_other_clips_no_seeds_are_promised_and_ranges_are_two_way():
    column = ClipColumn(clips({"random": 0.3, "herding": 0.7, "dm": 0.71}, 1))
    found = sentence(column, "random")
    low, high = column.ends("dm", "random", level(2))
    assert f"by {low:.1f} to {high:.1f} points" in found
    assert "cannot be told from" in found
    assert "seed" not in found


def test_what_holds_on_these_clips_need_not_hold_on_others():
    answered = clips({"random": 0.5, "dm": 0.53}, 1, seeds=10, sources=20, spread=0.3)
    these = {name: {s: {0: float(v.mean())} for s, v in one.won.items()} for name, one in answered.items()}
    told = says(these)
    assert re.match(r"dm (beats|is worse than) random by", told)
    assert sentence(ClipColumn(answered), "random") == "No method can be told from random."


@pytest.mark.slow
@pytest.mark.parametrize("question", ["these", "others"])
def test_sentences_claim_a_difference_as_rarely_as_the_tests_do(question):
    """No method differs from random: at most 5 % of sentences may say otherwise, and ranges hold zero as rarely."""
    claimed, worlds = 0, 300
    for seed in range(worlds):
        if question == "these":
            rng = np.random.default_rng(seed)
            values = rng.normal(50, 2, (5, 4)) + rng.normal(0, 5, 4)
            names = ["random", "a", "b", "c", "d"]
            column = SeedColumn(
                {n: {s: {0: v} for s, v in enumerate(row)} for n, row in zip(names, values.tolist(), strict=True)}
            )
        else:
            column = ClipColumn(clips(dict.fromkeys(("random", "a", "b", "c", "d"), 0.5), seed))
        claimed += bool(re.search("beats|worse|better", sentence(column, "random")))
    assert claimed / worlds < 0.08


@pytest.mark.slow
def test_ranges_hold_the_true_differences_together():
    """Four methods that all beat random by 20 points: 95 % of sentences should have 20 in every range."""
    held, worlds = 0, 600
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        values = rng.normal(50, 2, (5, 5)) + rng.normal(0, 5, 5) + np.array([[0], [20], [20], [20], [20]])
        names = ["random", "a", "b", "c", "d"]
        column = {n: {s: {0: v} for s, v in enumerate(row)} for n, row in zip(names, values.tolist(), strict=True)}
        ranges = re.findall(r"by ([\d.]+) to ([\d.]+) points", says(column))
        assert len(ranges) == 4
        held += all(float(low) <= 20 <= float(high) for low, high in ranges)
    assert held / worlds > 0.93
