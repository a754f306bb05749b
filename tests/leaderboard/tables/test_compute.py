"""Accuracy over training compute: gains after equal shares, and up to where planted differences are told."""

import pytest

from tests.leaderboard.conftest import rescored
from vdbench.records import Checkpoint, Condition
from vdbench_leaderboard.figures.over_compute import accuracy_over_compute
from vdbench_leaderboard.figures.style import looks
from vdbench_leaderboard.tables import frames
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.compute import courses
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes

SHARES = (0.1, 0.5, 1.0)
NOISE = (0.0, 0.02, -0.01, 0.03, -0.02)
"""Of five seeds, in accuracy: what a method's gain over random differs by."""


def on_the_way(students, top1):
    """These students, tested after 10, 50 and 100 steps of 8 clips."""
    points = tuple(
        Checkpoint(step=round(100 * share), clips=round(800 * share), seconds=share, top1=value)
        for share, value in zip(SHARES, top1, strict=True)
    )
    return rescored(students, checkpoints=points)


def under(result, top1, **setting):
    """The result with students that were looked at under another setting, too."""
    other = Condition(students=on_the_way(result.students, top1), **setting)
    return result.model_copy(update={"conditions": (other,)})


def looked_at(make, method, top1, seed=0, **changes):
    result = make(method, (top1[-1],), seed=seed, protocol={"checkpoints": list(SHARES)}, **changes)
    return result.model_copy(update={"students": on_the_way(result.students, top1)})


def planted(make, *gains, method="herding", seeds=5, **changes):
    """Results of a method that leads random by these accuracies after each share, and those of random."""
    random = [looked_at(make, "random", (0.3, 0.4, 0.5), seed) for seed in range(seeds)]
    ours = [
        looked_at(
            make,
            method,
            tuple(b + g + NOISE[seed] for b, g in zip((0.3, 0.4, 0.5), gains, strict=True)),
            seed,
            **changes,
        )
        for seed in range(seeds)
    ]
    return random, ours


def board_of(*results):
    (board,) = boards(gather([result for some in results for result in some]))
    return board


def line_of(board, method="herding"):
    (column,) = courses(board)
    return next(line for line in column.lines if line.cell.method == method)


def test_points_are_means_over_seeds_beside_random_after_the_same_share(make):
    line = line_of(board_of(*planted(make, 0.2, 0.1, 0.0)))
    shift = 100 * sum(NOISE) / 5
    assert [point.top1.mean for point in line.points] == pytest.approx([50 + shift, 50 + shift, 50 + shift])
    assert [point.gain.mean for point in line.points] == pytest.approx([20 + shift, 10 + shift, shift])
    assert [(p.share, p.steps, p.clips, p.seconds) for p in line.points] == [
        (0.1, 10, 80, 0.1), (0.5, 50, 400, 0.5), (1.0, 100, 800, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gains", "until", "sentence"),
    [
        ((0.3, 0.2, 0.0), 400, "up to 400 clips shown"),
        ((0.3, 0.0, 0.0), 80, "up to 80 clips shown"),
        ((0.0, 0.0, 0.0), 0, "at no point"),
        ((0.0, 0.0, 0.3), 800, "to the end"),
        ((0.3, 0.3, 0.3), 800, "to the end"),
        ((-0.25, 0.0, 0.0), 80, "up to 80 clips shown"),
    ],
)
def test_planted_gains_are_told_up_to_where_they_end(make, gains, until, sentence):
    board = board_of(*planted(make, *gains))
    assert frames.told(line_of(board)) == sentence
    frame = numbers([board], Outcomes({})).set_index("method")
    assert frame.loc["herding", "told_until_own"] == until
    assert frame.told_until_own.isna()["random"]
    assert frame.told_until_teacher.isna().all()


def test_a_checkpoint_chosen_on_test_is_told_as_such_and_is_never_lower_than_the_last(make):
    board = board_of(*planted(make, 0.3, 0.2, 0.0))
    shift = 100 * sum(NOISE) / 5
    assert line_of(board).chosen.mean == pytest.approx(60 + shift)
    frame = numbers([board], Outcomes({})).set_index("method")
    assert frame.loc["herding", "top1_chosen_on_test"] == pytest.approx(60 + shift, abs=1e-3)
    assert frames.courses(courses(board)[0]).set_index("method").loc["herding", "chosen on test"] == f"{60 + shift:.1f}"


def test_two_seeds_tell_nothing(make):
    line = line_of(board_of(*planted(make, 0.3, 0.3, 0.3, seeds=2)))
    assert (line.tested, line.last_told, frames.told(line)) == (False, None, "–")


def test_a_method_with_a_recipe_of_its_own_is_beside_the_random_clips_of_its_trials(make):
    random, ours = planted(make, 0.0, 0.0, 0.0, method="mtt", step_size=0.02)
    controlled = [under(result, (0.1, 0.1, 0.1), labels="own", random=True) for result in ours]
    line = line_of(board_of(random, controlled), "mtt")
    shift = 100 * sum(NOISE) / 5
    assert [point.gain.mean for point in line.points] == pytest.approx([20 + shift, 30 + shift, 40 + shift])
    alone = board_of(controlled)
    (column,) = courses(alone)
    assert accuracy_over_compute(column, alone.chance, looks(alone.cells)) is None


def test_labels_of_a_teacher_are_a_column_of_their_own(make):
    random, ours = planted(make, 0.3, 0.3, 0.3)
    taught = [under(result, (0.2, 0.3, 0.9), labels="teacher", augmented=True) for result in (*random, *ours)]
    own, teacher = courses(board_of(taught))
    assert (own.name, teacher.name) == ("compute-own-1", "compute-teacher-1")
    (line,) = [line for line in teacher.lines if line.cell.method == "herding"]
    assert [point.gain.mean for point in line.points] == [0, 0, 0]
    assert frames.told(line) == "at no point"


def test_without_checkpoints_there_is_nothing(make):
    board = board_of([make("random"), make("herding")])
    assert courses(board) == []
    assert not [name for name in numbers([board], Outcomes({})) if name.startswith("told")]


def test_a_plot_names_every_method_and_the_clips_shown(make):
    board = board_of(*planted(make, 0.2, 0.1, 0.0))
    (column,) = courses(board)
    drawn = accuracy_over_compute(column, board.chance, looks(board.cells))
    for text in ("herding", "random", "chance", "training clips shown", ">80<", ">400<", ">800<"):
        assert text in drawn
    assert courses(board_of(planted(make, 0.2, 0.1, 0.0)[0])) == []  # random alone
