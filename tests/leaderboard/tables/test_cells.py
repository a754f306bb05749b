"""Cells and standings: grouping, labels, failures, and what one more result may change."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.leaderboard.conftest import make_result, rescored
from vdbench.records import Condition
from vdbench_leaderboard.statistics.draws import error_of_draws
from vdbench_leaderboard.statistics.estimates import estimate
from vdbench_leaderboard.tables import board_words, formats, frames
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import NO_STUDENT, Group, gather, superseded
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.row_labels import method_labels


def frame_of(results):
    return numbers(boards(gather(results)), Outcomes({}))


def standing(results, method, ipc=1):
    (board,) = boards(gather(results))
    return next(s for s in board.standings if (s.cell.method, s.cell.ipc) == (method, ipc))


def test_seeds_of_one_draw_are_told_by_each_trials_own_number_of_draws():
    """Seeds 0 to 2 of a run with two draws, and 3 and 4 of one that gave every seed its own."""

    def error(draws: dict[int, int | None]) -> float | None:
        tops = dict(enumerate((0.1, 0.5, 0.1, 0.5, 0.9)))
        (cell,) = gather([make_result("herding", [tops[seed]], seed=seed, draws=of) for seed, of in draws.items()])
        return cell.error_of_draws

    assert error({0: 2, 1: 2, 2: 2, 3: 20, 4: 20}) == pytest.approx(
        error_of_draws({0: 10, 1: 50, 2: 10, 3: 50, 4: 90}, {0: 0, 1: 1, 2: 0, 3: 3, 4: 4})
    )
    assert error(dict.fromkeys(range(5), 20)) is None
    assert error({0: 2, 1: 2, 2: None}) is None


@settings(max_examples=25, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_order_of_results_does_not_matter(realistic, order: random.Random):
    shuffled = list(realistic)
    order.shuffle(shuffled)
    assert frame_of(shuffled).to_csv() == frame_of(realistic).to_csv()


def test_means_equal_brute_force(realistic):
    frame = frame_of(realistic)
    for row in frame.itertuples():
        ipc = None if row.ipc is not row.ipc or str(row.ipc) == "<NA>" else row.ipc
        per_seed = [
            sum(score.top1 for score in scores.scores) / len(scores.scores)
            for result in realistic
            if (result.dataset.name, result.label, result.ipc, result.status) == (row.dataset, row.method, ipc, "done")
            for scores in result.students
            if scores.student == row.student
        ]
        assert row.top1 == pytest.approx(100 * sum(per_seed) / len(per_seed), abs=1e-3)
        assert row.seeds == len(per_seed)
    assert len(frame) == 2 * 2 * (4 * 2 + 1)


@settings(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(["random", "herding", "new"]),
    ipc=st.sampled_from([1, 5, 10, None]),
    seed=st.integers(3, 9),
    suite=st.sampled_from(["quick", "clean"]),
)
def test_a_further_result_changes_only_its_cells(realistic, make, method, ipc, seed, suite):
    extra = make(method, (0.3,), ipc=ipc, seed=seed, suite=suite, students=("minic3d", "cnn-gru"))
    before, after = gather(realistic), gather([*realistic, extra])
    touched = {(extra.suite, extra.dataset.name, extra.method, extra.ipc)}

    def own(cells):
        return {
            (c.group, c.student, c.method, c.ipc): (c.top1, c.score("top5"), c.stored_bytes, c.failures)
            for c in cells
            if (c.group.suite, c.dataset.name, c.any_result.method, c.ipc) not in touched
        }

    assert own(after) == own(before)


def test_failed_trials_are_shown_and_never_counted(make):
    good = [make("herding", (0.5, 0.7), seed=seed) for seed in range(2)]
    bad = [make("herding", seed=2, failure="oom"), make("random", seed=0, failure="diverged")]
    found = standing([*good, *bad], "herding")
    assert found.cell.top1 == standing(good, "herding").cell.top1
    assert found.rank is None
    assert board_words.result(found) == "60.0 ± 0.0† [2 of 3 seeds, oom]"
    assert board_words.result(standing([*good, *bad], "random")) == "diverged"


def test_a_failed_trial_counts_for_every_student_of_its_group(make):
    results = [make("random", students=("a", "b")), make("herding", failure="timeout", students=("a", "b"))]
    assert [[row.method for row in board.rows] for board in boards(gather(results))] == [["random", "herding"]] * 2


def test_a_group_in_which_all_failed_has_a_table(make):
    (board,) = boards(gather([make_result("herding", failure="bug")]))
    assert board.student == NO_STUDENT
    assert frames.summary(board).to_numpy().tolist() == [["herding", "bug"]]


def test_methods_with_fewer_seeds_than_others_have_no_rank(make):
    results = [make("herding", (0.9,), seed=0), *(make("random", (0.4,), seed=seed) for seed in range(3))]
    assert standing(results, "herding").rank is None
    assert board_words.remarks(standing(results, "herding")) == "1 of 3 seeds"
    assert standing(results, "random").rank == 1


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "clean"},
        {"protocol": {"frames": 16}},
        {"evaluated_on": "validation"},
        {"dataset": "hmdb51"},
        {"classes_total": 101},
    ],
)
def test_what_is_not_comparable_is_never_in_one_table(make, change):
    found = boards(gather([make_result("random"), make("herding", **change)]))
    assert [[row.method for row in board.rows] for board in found] in (
        [["random"], ["herding"]],
        [["herding"], ["random"]],
    )
    assert len({board.heading for board in found}) == len({board.slug for board in found}) == 2


def test_equal_headings_are_told_apart_by_their_digests(make):
    found = boards(gather([make_result("random"), make("random", protocol={"frames": 16})]))
    assert all("· protocol " in board.heading for board in found)


def test_labels_show_what_differs(make):
    pixels = make("herding", settings={"encoder": {"name": "pixels", "width": 8}, "pool": "real"})
    network = make("herding", settings={"encoder": {"name": "minic3d", "width": 8}, "pool": "real"})
    newer = make("k-means", method_version=2)
    alone = make("random", settings={"anything": 1})
    generated = make("random", pool="generated")
    results = [pixels, network, newer, make("k-means"), alone, generated]
    labels = method_labels(results, {result.id: Group.of(result) for result in results})
    assert labels[pixels.id] == "herding (encoder.name=pixels)"
    assert labels[network.id] == "herding (encoder.name=minic3d)"
    assert labels[newer.id] == "k-means (version=2)"
    assert labels[alone.id] == "random"
    assert labels[generated.id] == "random@generated"


def test_difference_to_random_and_share_of_full(make):
    results = [
        make(method, (value + seed / 100,), seed=seed, ipc=ipc)
        for seed in range(3)
        for method, value, ipc in (("random", 0.4, 1), ("herding", 0.45, 1), ("full", 0.9, None))
    ]
    found = standing(results, "herding")
    assert found.against_random.mean == pytest.approx(5)
    assert found.against_random.std == pytest.approx(0, abs=1e-9)
    assert found.share_of_full == pytest.approx(100 * 46 / 91)
    assert standing(results, "random").against_random is None
    assert standing(results, "full", None).rank is None


def test_top5_only_where_it_can_be_wrong(make):
    assert gather([make_result(classes=5)])[0].score("top5") is None
    assert gather([make_result(classes=6)])[0].score("top5").mean == pytest.approx(80)


def test_costs_are_means_per_trial(make):
    (cell,) = gather([make_result(seed=0), make(seed=2)])
    assert cell.distill_seconds == 1.75
    assert cell.evaluate_seconds == pytest.approx(4.5)
    assert cell.stored_bytes == 8 * 8 * 32 * 32 * 3


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (formats.size(1536), "1.5 KiB"),
        (formats.size(None), "–"),
        (formats.duration(200), "3 min 20 s"),
        (formats.whole(1200), "1,200"),
        (formats.whole(2.5), "2.5"),
        (formats.probability(0.0004), "< 0.001"),
        (formats.probability(0.0406), "0.041"),
        (formats.fractions(estimate({0: {0: 0.25}, 1: {0: 0.35}})), "0.300 ± 0.071"),
        (formats.points(-1.25), "−1.2"),
        (formats.points(3), "+3.0"),
        (board_words.kinds({"diverged": 2, "oom": 1}), "diverged × 2, oom"),
    ],
)
def test_numbers_for_people(shown, expected):
    assert shown == expected


def test_what_a_suite_prescribes_sets_no_rows_apart(make):
    prescribed = [
        make("dm", seed=0, ipc=1, settings={"lr": 1.0, "deep": {"a": 1}}, prescribed={"lr": 1.0}),
        make("dm", seed=0, ipc=5, settings={"lr": 10.0, "deep": {"a": 1}}, prescribed={"lr": 10.0}),
    ]
    assert {cell.method for cell in gather(prescribed)} == {"dm"}
    own = make("dm", seed=1, ipc=5, settings={"lr": 3.0, "deep": {"a": 1}}, prescribed={"lr": 10.0})
    assert {cell.method for cell in gather([*prescribed, own])} == {"dm (lr=as prescribed)", "dm (lr=3)"}


def test_hard_labels_and_step_sizes_have_columns_of_their_own(make):
    soft = make("frepo", (0.5, 0.7), labels="soft")
    judged_hard = Condition(labels="hard", students=rescored(soft.students, top1=0.2))
    results = [soft.model_copy(update={"conditions": (judged_hard,)}), make("mtt", step_size=0.02), make("random")]
    (board,) = boards(gather(results))
    rows = numbers([board], Outcomes({})).set_index("method")
    assert rows["top1"]["frepo"] == 60
    assert rows["hard"]["frepo"] == 20
    assert rows["hard"].isna().sum() == 1
    assert rows["hard"]["random"] == 55
    assert rows["step_size"]["mtt"] == 0.02
    told = {cell.method: board_words.tags(cell) for cell in board.cells}
    assert "soft labels" in told["frepo"]
    assert "own step size" in told["mtt"]
    assert "own step size" not in told["random"]


def test_two_results_of_one_seed_are_not_mixed_and_the_later_one_counts(make):
    """Another version of a plugin or an asset gives a trial another id, and its row and seed remain the same."""
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    for ids in (("0" * 16, "f" * 16), ("f" * 16, "0" * 16)):
        old = make("herding", (0.6,), started=early).model_copy(update={"id": ids[0]})
        new = make("herding", (0.2,), started=late).model_copy(update={"id": ids[1]})
        for order in ([old, new], [new, old]):
            (cell,) = gather(order)
            assert ([result.id for result, _ in cell.done], cell.top1.mean) == ([new.id], 20)
            assert superseded(order) == [old]
    failed = make("herding", failure="oom", started=late).model_copy(update={"id": "a" * 16})
    assert superseded([old, failed]) == [failed], "a failure takes no result's place"


def test_random_is_a_control_of_what_is_stored_as_it_is(make):
    """At one budget of bytes a codec allows more clips, to ``random`` as well."""
    results = [
        make(method, (top1 + seed / 100,), ipc=ipc, seed=seed, budget_bytes=4096, codec=codec)
        for method, codec, ipc, top1 in (
            ("herding", "h264:28", 40, 0.6),
            ("random", "h264:28", 40, 0.7),
            ("random", None, 4, 0.5),
            ("dm", None, 1, 0.45),
        )
        for seed in range(3)
    ]
    (board,) = boards(gather(results))
    found = {standing.cell.any_result.method: standing for standing in board.standings}
    assert found["herding"].against_random.mean == pytest.approx(-10)
    assert found["dm"].against_random.mean == pytest.approx(-5)
    assert {(standing.gains.ior, standing.gains.lrs) for standing in board.standings} == {(None, None)}


def test_a_label_means_the_same_on_every_data_set_of_a_suite(make):
    """What a suite prescribes for one data set, and what is default on another, are both the suite's choice."""
    prescribed = [
        make("mtt", dataset="motion-digits", settings={"lr": 1000.0, "steps": 10}, prescribed={"lr": 1000}),
        make("mtt", dataset="ucf101", settings={"lr": 30.0, "steps": 15}, prescribed={"lr": 30, "steps": 15}),
    ]
    assert {cell.method for cell in gather(prescribed)} == {"mtt"}
    chosen = [
        make("herding", dataset="motion-digits", settings={"encoder": "pixels"}),
        make("herding", dataset="ucf101", settings={"encoder": "minic3d"}),
    ]
    assert {cell.method for cell in gather(chosen)} == {"herding (encoder=pixels)", "herding (encoder=minic3d)"}


def test_a_score_that_some_seeds_lack_has_no_mean(make):
    def with_still(seed):
        result = make("herding", seed=seed)
        return result.model_copy(update={"students": rescored(result.students, still=0.75)})

    assert frame_of([with_still(0), with_still(1)]).still.tolist() == [75]
    assert frame_of([with_still(0), make("herding", seed=1)]).still.isna().all()
