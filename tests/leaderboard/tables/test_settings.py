"""Other settings of the evaluation: each gain is over the right control, and shares and intervals are by hand."""

import math
from statistics import mean, stdev

import pytest
from scipy import stats

from vdbench.records import Condition
from vdbench_leaderboard.tables import frames
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.settings import AS_IN_THE_SUITE, AUGMENTED, regimes, settings


def condition(result, top1, student="minic3d", **setting):
    """The first student of a result, or one of another name, under another setting."""
    first = result.students[0]
    (score, *_) = first.scores
    known = first.model_copy(update={"student": student, "scores": (score.model_copy(update={"top1": top1}),)})
    return Condition(students=(known,), **setting)


def judged(result, random=False, **top1):
    """A result with configurations: ``adamw=0.4``; of ``random`` clips in its stead."""
    found = [condition(result, value, labels="own", configuration=name, random=random) for name, value in top1.items()]
    return result.model_copy(update={"conditions": (*result.conditions, *found)})


def varied(result, **top1):
    """A result with conditions by name: ``teacher=0.4``, which is augmented, or ``augmented=0.3``."""
    kinds = {
        "hard": {"labels": "hard"},
        "soft": {"labels": "soft"},
        "teacher": {"labels": "teacher", "augmented": True},
        "augmented": {"labels": "own", "augmented": True},
    }
    found = [condition(result, value, **kinds[name]) for name, value in top1.items()]
    return result.model_copy(update={"conditions": (*result.conditions, *found)})


def lines(results):
    (board,) = boards(gather(results))
    found = settings(board)
    return {line.cell.method: line for line in found.lines}


OURS = {"plain": (0.5, 0.6, 0.7), "a": (0.2, 0.4, 0.6), "b": (0.9, 0.9, 0.6)}
RANDOM = {"plain": (0.4, 0.6, 0.6), "a": (0.3, 0.5, 0.6), "b": (0.5, 0.8, 0.7)}


@pytest.fixture
def table(make):
    """Three seeds under the protocol and two configurations."""
    return [
        judged(make(method, (top1["plain"][seed],), seed=seed), a=top1["a"][seed], b=top1["b"][seed])
        for method, top1 in (("herding", OURS), ("random", RANDOM))
        for seed in range(3)
    ] + [make("full", (0.9,), ipc=None)]


def test_a_gain_is_over_random_under_the_same_configuration_and_seed(table):
    found = lines(table)
    assert found.keys() == {"herding"}
    gains = found["herding"].gains
    assert list(gains) == [AS_IN_THE_SUITE, "a", "b"]
    for name, key in ((AS_IN_THE_SUITE, "plain"), ("a", "a"), ("b", "b")):
        each = [100 * (ours - theirs) for ours, theirs in zip(OURS[key], RANDOM[key], strict=True)]
        assert gains[name].mean == pytest.approx(mean(each))
        assert gains[name].std == pytest.approx(stdev(each))
    assert (found["herding"].won, found["herding"].share) == (2, pytest.approx(2 / 3))


def test_the_mean_gain_has_an_interval_over_seeds_of_means_over_configurations(table):
    found = lines(table)["herding"].mean
    each = [100 * mean(OURS[key][seed] - RANDOM[key][seed] for key in OURS) for seed in range(3)]
    half = stats.t.ppf(0.975, 2) * stdev(each) / math.sqrt(3)
    assert found.mean == pytest.approx(mean(each))
    assert (found.low, found.high) == (pytest.approx(mean(each) - half), pytest.approx(mean(each) + half))
    assert (found.repeats, found.over) == (3, "seeds")


def test_seeds_that_lack_a_configuration_are_no_part_of_the_mean(table):
    short = [
        result.model_copy(update={"conditions": result.conditions[:1]}) if result.seed == 2 else result
        for result in table
    ]
    found = lines(short)["herding"]
    assert (found.gains["a"].repeats, found.gains["b"].repeats, found.mean.repeats) == (3, 2, 2)
    assert found.mean.mean == pytest.approx(100 * mean(OURS[k][s] - RANDOM[k][s] for k in OURS for s in (0, 1)))


def test_a_configuration_that_diverges_is_not_won_and_not_in_the_mean(table):
    def broken(result):
        diverged = Condition(labels="own", configuration="b", students=(), diverged="not finite")
        return result.model_copy(update={"conditions": (result.conditions[0], diverged)})

    found = lines([broken(r) if (r.method, r.seed) == ("herding", 1) else r for r in table])["herding"]
    assert (found.diverged, found.won, found.tried) == (("b",), 1, 3)
    assert found.mean.mean == pytest.approx(
        100 * mean(OURS[k][s] - RANDOM[k][s] for k in ("plain", "a") for s in range(3))
    )
    unlucky = lines([broken(r) if (r.method, r.seed) == ("random", 1) else r for r in table])["herding"]
    assert (unlucky.diverged, unlucky.gains["b"].repeats) == ((), 2)


def test_a_method_that_brings_labels_or_a_step_size_has_random_clips_of_its_own_trial(make):
    learned = judged(judged(make("mtt", (0.8,), step_size=0.02), a=0.7), random=True, a=0.1)
    own = condition(learned, 0.2, labels="own", random=True)
    learned = learned.model_copy(update={"conditions": (*learned.conditions, own)})
    found = lines([learned, judged(make("random", (0.4,)), a=0.6)])["mtt"]
    assert found.gains[AS_IN_THE_SUITE].mean == pytest.approx(80 - 20)
    assert found.gains["a"].mean == pytest.approx(70 - 10)


def test_no_difference_wins_nothing(make):
    same = [judged(make(method, (0.5,)), a=0.5) for method in ("herding", "random")]
    assert (lines(same)["herding"].won, lines(same)["herding"].mean.mean) == (0, 0)


def test_augmentation_counts_as_a_configuration_beside_named_ones_alone(make):
    ours, random = (varied(make(m, (v,)), augmented=v + 0.1) for m, v in (("herding", 0.4), ("random", 0.5)))
    (board,) = boards(gather([ours, random]))
    assert settings(board) is None
    assert list(lines([judged(ours, a=0.3), judged(random, a=0.2)])["herding"].gains) == [
        AS_IN_THE_SUITE,
        AUGMENTED,
        "a",
    ]


def test_a_configuration_with_a_student_of_its_own_stands_on_the_first_student_s_board_alone(make):
    results = []
    for method, top1 in (("herding", 0.6), ("random", 0.5)):
        result = make(method, (top1,), students=("minic3d", "cnn-gru"))
        other = condition(result, top1 / 2, student="r2plus1d", labels="own", configuration="modern")
        results.append(result.model_copy(update={"conditions": (other,)}))
    found = {board.student.name: settings(board) for board in boards(gather(results))}
    assert found["cnn-gru"] is None
    (line,) = found["minic3d"].lines
    assert line.gains["modern"].mean == pytest.approx(30 - 25)


def test_each_kind_of_labels_has_random_clips_with_such_labels(make):
    results = [
        varied(make("random", (0.4,)), soft=0.5, teacher=0.9),
        varied(make("herding", (0.6,)), soft=0.55, teacher=0.8),
        varied(make("frepo", (0.7,), labels="soft"), hard=0.3, teacher=0.95),
    ]
    (board,) = boards(gather(results))
    found = {cell.method: known for cell, known in regimes(board).lines}
    gains = {
        method: {kind: round(regime.gain.mean, 9) for kind, regime in known.items() if regime.gain}
        for method, known in found.items()
    }
    assert gains == {
        "random": {},
        "herding": {"hard": 20, "soft": 5, "teacher": -10},
        "frepo": {"hard": -10, "soft": 20, "teacher": 5},
    }
    assert found["random"]["teacher"].top1.mean == pytest.approx(90)
    without = [result.model_copy(update={"conditions": result.conditions[:1]}) for result in results]
    (plain,) = boards(gather(without))
    assert regimes(plain) is None


def test_the_csv_has_the_columns_where_something_was_measured(table):
    plain = [result.model_copy(update={"conditions": ()}) for result in table]
    assert not {"configurations", "teacher"} & set(numbers(boards(gather(plain)), Outcomes({})))
    frame = numbers(boards(gather(table)), Outcomes({})).set_index("method")
    row = frame.loc["herding"]
    assert (row.configurations, row.configurations_won, row.configurations_share) == (3, 2, 0.6667)
    line = lines(table)["herding"]
    assert row.configurations_gain == round(line.mean.mean, 4)
    assert row.configurations_gain_low == round(line.mean.low, 4)
    assert frame.loc[["random", "full"]].configurations.isna().all()


def test_texts_say_in_how_many_and_what_was_not_measured(table):
    (board,) = boards(gather(table))
    (row,) = frames.settings(settings(board)).to_dict("records")
    assert row["above random in"] == "2 of 3"
    assert (row["a"], row["b"]) == ("−6.7", "+13.3")
    assert row["mean gain [95 %]"].startswith("+4.4 [")
