"""What is said of the methods of a data set: by planted accuracies, and never more often than the tests allow."""

import numpy as np
import pytest

from tests.leaderboard.conftest import rescored
from vdbench_leaderboard.statistics.comparisons import compare
from vdbench_leaderboard.statistics.estimates import estimate
from vdbench_leaderboard.statistics.power import seeds_needed
from vdbench_leaderboard.tables import verdict_words
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.verdicts import Verdict, verdicts

NOISE = (0.004, -0.003, 0.001, -0.006, 0.005, 0.002, -0.004, -0.001, 0.003, -0.002, 0.0)


def world(make, levels, seeds=5, ipc=(1, 5), **options):
    """Results whose methods have these accuracies, each with a noise of its own of half a point."""
    return [
        make(name, (level + NOISE[(3 * place + seed) % 11] + budget / 100,), ipc=budget, seed=seed, **options)
        for place, (name, level) in enumerate(levels.items())
        for seed in range(seeds)
        for budget in ipc
    ]


def only(results):
    (found,) = verdicts(boards(gather(results)), Outcomes({}))
    return found


def said(results):
    return str(verdict_words.answer(only(results)))


def test_a_winner_is_named(make):
    results = world(make, {"random": 0.4, "herding": 0.6, "dm": 0.5})
    assert said(results) == (
        "Use herding. It is 19.9 points better than clips picked at random, and better than every other method."
    )
    found = only(results)
    assert (found.kind, found.better, found.worse, found.more_seeds) == ("best", ["herding", "dm"], [], 1)
    assert str(verdict_words.headline([found])) == (
        "Use herding. Shown to be better than clips picked at random on motion-digits."
    )


def test_methods_that_cannot_be_told_apart_are_named_together(make):
    results = world(make, {"random": 0.4, "herding": 0.6, "dm": 0.601, "k-means": 0.3})
    assert said(results) == (
        "Use dm or herding. Each is better than clips picked at random; which of them is the best cannot be told yet."
    )
    assert verdict_words.remarks(only(results)) == ["Shown to be worse than clips picked at random: k-means."]


def test_the_only_one_that_is_shown_to_be_better_need_not_be_the_best(make):
    wild = [make("dm", (0.7 + 0.25 * (-1) ** seed,), ipc=ipc, seed=seed) for seed in range(5) for ipc in (1, 5)]
    results = world(make, {"random": 0.4, "herding": 0.6}) + wild
    assert said(results) == (
        "Use herding. It is the only method shown to be better than clips picked at random; others may be."
    )
    assert only(results).leader == "dm"


def test_without_a_winner_the_sentence_says_how_many_seeds_it_would_take(make):
    gaps = {"herding": (0.02, -0.03, 0.05), "dm": (0.01, -0.01, 0.0)}
    base = (0.40, 0.42, 0.41)
    results = [make("random", (level,), seed=seed) for seed, level in enumerate(base)]
    results += [
        make(name, (base[seed] + gap,), seed=seed) for name, gaps_of in gaps.items() for seed, gap in enumerate(gaps_of)
    ]
    lead = estimate({seed: {0: 100 * gap} for seed, gap in enumerate(gaps["herding"])})
    more = seeds_needed(lead, 2) - 3
    assert said(results) == (
        "No winner yet. herding is 1.3 points ahead of clips picked at random, which may be chance; "
        f"about {more} more seeds would tell."
    )
    assert more > 50
    assert only(results).more_seeds == more


@pytest.mark.parametrize(
    ("results", "kind", "words"),
    [
        ({"levels": {"random": 0.5, "herding": 0.498}}, "behind", "No method is ahead of"),
        ({"levels": {"random": 0.4, "herding": 0.6}, "seeds": 2}, "few seeds", "at least 3 seeds"),
        ({"levels": {"random": 0.4, "herding": 0.6}, "seeds": 1}, "few seeds", "at least 3 seeds"),
        ({"levels": {"dm": 0.4, "herding": 0.6}}, "no baseline", "these were not run"),
        ({"levels": {"random": 0.6}}, "nothing", "No method was run beside"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(make, results, kind, words):
    found = only(world(make, **results))
    assert found.kind == kind
    assert str(verdict_words.answer(found)).startswith("No winner yet. ")
    assert words in verdict_words.answer(found).reason
    assert verdict_words.headline([found]).short == "No winner yet."


def test_students_and_budgets_are_averaged_seed_by_seed(make):
    levels = {"minic3d": 0.4, "r2plus1d": 0.2}
    results = []
    for seed in range(3):
        for name, lift in (("random", 0.0), ("herding", 0.1)):
            for ipc in (1, 5):
                one = make(name, (0.0, 0.0), ipc=ipc, seed=seed, students=tuple(levels))
                students = [
                    rescored([student], top1=level + lift * ipc + seed / 50)
                    for student, level in zip(one.students, levels.values(), strict=True)
                ]
                results.append(one.model_copy(update={"students": sum(students, ())}))
    found = only(results)
    assert [found.means["random"].mean, found.means["herding"].mean] == pytest.approx([32.0, 62.0])
    assert found.comparisons["herding"].difference.mean == pytest.approx(30)
    assert verdict_words.averaged(found) == "3 seeds, IPC 1 and 5, 2 students"


def test_students_at_chance_and_incomplete_methods_are_left_out_and_named(make):
    results = world(make, {"random": 0.4, "herding": 0.6, "dm": 0.5})
    results = [r for r in results if (r.method, r.ipc, r.seed) != ("dm", 5, 3)]
    results += [make("full", (0.8 + seed / 100,), ipc=None, seed=seed) for seed in range(5)]
    found = only(results)
    assert (found.lacking, found.methods) == (("dm",), ["herding"])
    assert verdict_words.remarks(found) == ["Not compared, because something is missing: dm."]
    shape = {"students": ("cnn-gru",), "dataset": "hmdb51"}
    chance = world(make, {"random": 0.13, "herding": 0.13}, **shape)
    chance += [make("full", (0.125 + NOISE[seed],), ipc=None, seed=seed, **shape) for seed in range(5)]
    assert verdicts(boards(gather(chance)), Outcomes({})) == []


def test_methods_stored_by_another_codec_are_not_compared(make):
    results = world(make, {"random": 0.4, "herding": 0.6}) + world(make, {"dm": 0.7}, codec="h264:28")
    assert only(results).lacking == ("dm",)


def test_the_short_table_has_the_best_and_the_controls(make):
    levels = {"random": 0.4, "a": 0.39, "b": 0.42, "c": 0.7, "d": 0.701, "e": 0.41}
    results = world(make, levels) + [make("full", (0.6,), ipc=None, seed=seed) for seed in range(5)]
    found = only(results)
    assert [(line.method, line.role) for line in found.lines] == [
        ("d", ""), ("c", ""), ("b", ""), ("random", "picked at random"), ("full", "all train clips"),
    ]  # fmt: skip
    assert [verdict_words.standing(line, found) for line in found.lines] == ["better"] * 3 + ["", ""]
    assert found.lines[0].top1 == found.means["d"]
    assert found.lines[0].versus == compare(found.column, "random")["d"]


def test_the_headline_joins_data_sets(make):
    none = world(make, {"random": 0.5, "herding": 0.498}, dataset="hmdb51")
    won = world(make, {"random": 0.4, "herding": 0.6})
    both = verdicts(boards(gather(none + won)), Outcomes({}))
    assert str(verdict_words.headline(both)) == (
        "Use herding on motion-digits (suite quick). "
        "Elsewhere no method is shown to be better than clips picked at random."
    )
    other = world(make, {"random": 0.4, "herding": 0.6}, dataset="ucf101")
    same = verdicts(boards(gather(other + won)), Outcomes({}))
    assert str(verdict_words.headline(same)) == (
        "Use herding. Shown to be better than clips picked at random on every data set."
    )
    assert str(verdict_words.headline(verdicts(boards(gather(none + other + won)), Outcomes({})))) == (
        "Use herding on motion-digits (suite quick) and ucf101 (suite quick). "
        "Elsewhere no method is shown to be better than clips picked at random."
    )
    more = world(make, {"random": 0.5, "herding": 0.498}, dataset="ucf101")
    assert str(verdict_words.headline(verdicts(boards(gather(none + more)), Outcomes({})))) == (
        "No winner yet. No method is shown to be better than clips picked at random on any of the 2 data sets."
    )
    tuned = world(make, {"random": 0.4, "dm": 0.6}, evaluated_on="validation")
    assert verdict_words.headline(verdicts(boards(gather(none + tuned)), Outcomes({}))).short == "No winner yet."
    assert verdict_words.headline([]).short == "No winner yet."


def test_many_names_are_cut(make):
    levels = {"random": 0.3} | {f"m{place}": 0.6 - place / 10_000 for place in range(7)}
    assert (
        verdict_words.answer(only(world(make, levels, seeds=11, ipc=(1,)))).short == "Use m0, m1, m2, m3 or 3 others."
    )


def of(column):
    return Verdict(None, "", (), (), (), column, (), "random", None, None, None)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("others", [1, 5])
def test_merit_is_claimed_as_rarely_as_five_percent_where_there_is_none(seeds, others):
    generator, claimed, best = np.random.default_rng(seeds), 0, 0
    draws = 800
    for _ in range(draws):
        values = generator.normal(50, 2, (others + 1, seeds)) + generator.normal(0, 5, seeds)
        names = ["random", *(f"m{place}" for place in range(others))]
        found = of({n: {s: {0: v} for s, v in enumerate(row)} for n, row in zip(names, values.tolist(), strict=True)})
        claimed += bool(found.better or found.worse)
        best += found.kind == "best"
    assert claimed / draws < 0.07
    assert best / draws < 0.04
