"""Suites at a glance: which blocks there are, who is complete, and how scores are scaled."""

from io import StringIO

import pytest
from rich.console import Console

from vdbench_leaderboard.statistics.average_ranks import average_ranks
from vdbench_leaderboard.statistics.interquartile import iqm
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.outcomes import Outcomes
from vdbench_leaderboard.tables.overview import overviews
from vdbench_leaderboard.tables.terminal import tables

LEVEL = {"random": 0.4, "herding": 0.5, "k-center": 0.3, "k-means": 0.45}


@pytest.fixture
def results(make):
    """Four methods on two data sets at two IPCs with three seeds, and ``full``."""
    found = []
    for dataset, lift in (("motion-digits", 0.0), ("hmdb51", -0.1)):
        for seed in range(3):
            for method, level in LEVEL.items():
                for ipc in (1, 5):
                    top1 = level + lift + ipc / 50 + seed / 100
                    found.append(make(method, (top1,), ipc=ipc, seed=seed, dataset=dataset))
            found.append(make("full", (0.9,), ipc=None, seed=seed, dataset=dataset))
    return found


def of(results):
    return overviews(boards(gather(results)), Outcomes({}))


def test_blocks_are_the_columns_of_the_tables(results):
    (found,) = of(results)
    assert (found.suite, found.evaluated_on, found.slug) == ("quick", "test", "quick")
    assert [(block.data.split(" · ")[1], str(block.budget)) for block in found.blocks] == [
        ("hmdb51", "IPC 1"),
        ("hmdb51", "IPC 5"),
        ("motion-digits", "IPC 1"),
        ("motion-digits", "IPC 5"),
    ]
    assert found.methods == ["herding", "k-means", "random", "k-center"]
    assert found.blocks[0].places == {"herding": 1, "k-means": 2, "random": 3, "k-center": 4}


def test_ranks_and_means_are_those_of_the_statistics(results):
    (found,) = of(results)
    assert found.ranks == average_ranks({str(n): block.means for n, block in enumerate(found.blocks)})
    chance, full = 12.5, 90.0
    scores = [
        [(100 * (LEVEL["herding"] + lift + ipc / 50 + seed / 100) - chance) / (full - chance) for seed in range(3)]
        for lift in (0, -0.1)
        for ipc in (1, 5)
    ]
    expected = iqm(scores)
    assert found.middles["herding"].mean == pytest.approx(expected.mean)
    assert found.middles["herding"].low == pytest.approx(expected.low)
    assert list(found.middles) == ["herding", "k-means", "random", "k-center"]
    assert (found.scaled, found.short) == (4, ())


def test_a_method_that_a_block_lacks_is_named(results):
    fewer = [r for r in results if (r.method, r.dataset.name, r.ipc) != ("k-means", "hmdb51", 5)]
    (found,) = of(fewer)
    assert found.ranks.left_out == found.short == ("k-means",)
    assert "k-means" not in found.middles
    assert "k-means" in found.methods


def test_an_incomplete_cell_is_no_part_of_its_block(results):
    fewer = [r for r in results if (r.method, r.dataset.name, r.ipc, r.seed) != ("k-means", "hmdb51", 5, 2)]
    (found,) = of(fewer)
    assert "k-means" not in found.blocks[1].runs
    assert "k-means" in found.blocks[0].runs


def test_without_full_there_is_no_scale(results):
    (found,) = of([r for r in results if (r.method, r.dataset.name) != ("full", "hmdb51")])
    assert found.scaled == 2
    assert found.short == ()
    (none,) = of([r for r in results if r.method != "full"])
    assert (none.middles, none.scaled) == ({}, 0)
    assert none.ranks == found.ranks


def test_suites_and_validation_are_apart(results, make):
    tuned = [r.model_copy(update={"evaluated_on": "validation", "id": f"v{r.id}"}) for r in results]
    other = [r.model_copy(update={"suite": "clean", "id": f"c{r.id}"}) for r in results]
    assert [found.slug for found in of([*results, *tuned, *other])] == ["clean", "quick", "quick-validation"]
    assert of([*results, *tuned, *other])[1].middles == of(results)[0].middles


def test_too_little_is_no_overview(make):
    assert of([make("random"), make("herding")]) == []
    assert of([make("random", ipc=1), make("random", ipc=5)]) == []
    (found,) = of([make(method, ipc=ipc) for method in ("random", "herding") for ipc in (1, 5)])
    assert found.ranks is None


def test_leaders_are_those_of_rank_1(results):
    (found,) = of(results)
    columns = [
        [standing for standing in board.standings if standing.cell.budget == budget]
        for board in boards(gather(results))
        for budget in board.budgets
    ]
    for block, column in zip(found.blocks, columns, strict=True):
        assert block.leaders == {standing.cell.method for standing in column if standing.rank == 1}
        assert "herding" in block.leaders


def test_a_student_that_all_train_clips_do_not_lift_above_chance_is_no_judge(make, results):
    """Its ranks would be noise, and so would be what is scaled by the difference of ``full`` to chance."""
    useless = [
        make(method, (0.12 + seed / 50,), ipc=ipc, seed=seed, dataset="ucf101", classes=8)
        for method, ipc in (("random", 1), ("herding", 1), ("full", None))
        for seed in range(3)
    ]
    (found,), (alone,) = of([*results, *useless]), of(results)
    (board,) = [board for board in boards(gather(useless))]
    assert board.at_chance
    assert found.at_chance == ("minic3d on ucf101",)
    assert (found.blocks, found.ranks, found.middles) == (alone.blocks, alone.ranks, alone.middles)
    assert not any(board.at_chance for board in boards(gather(results)))
    console = Console(width=200, file=StringIO())
    console.print(tables([*boards(gather(results)), board], Outcomes({})))
    assert console.file.getvalue().count("Not informative") == 1


def test_a_student_far_above_chance_is_a_judge_however_much_its_seeds_differ(make):
    """The interval of three seeds that differ a lot reaches below chance."""
    (board,) = boards(gather([make("full", (top1,), ipc=None, seed=seed) for seed, top1 in enumerate((0.2, 0.3, 0.9))]))
    assert board.full.low < board.chance < board.full.mean / 2
    assert not board.at_chance


def test_students_are_averaged_and_repeat_nothing(make):
    """They judge the same distilled sets: with four that agree, no difference is surer than with one."""

    def made(students):
        return [
            make(method, (level + (ipc or 0) / 50 + seed / 100 * sign,), ipc=ipc, seed=seed, students=students)
            for method, level, sign in (
                ("random", 0.4, 1),
                ("herding", 0.5, -1),
                ("k-means", 0.45, 1),
                ("full", 0.9, 1),
            )
            for ipc in ((None,) if method == "full" else (1, 5))
            for seed in range(3)
        ]

    (one,), (four,) = of(made(("a",))), of(made(("a", "b", "c", "d")))
    assert [block.data for block in four.blocks] == [block.data for block in one.blocks]
    assert four.ranks == one.ranks
    assert four.middles.keys() == one.middles.keys()
    for method, middle in four.middles.items():
        assert middle.mean == pytest.approx(one.middles[method].mean)
        assert middle.high == pytest.approx(one.middles[method].high)


def test_a_result_elsewhere_takes_nothing_from_what_is_known(results, make):
    """One trial of one method on another data set is no block, and one more seed makes nobody incomplete."""
    (before,) = of(results)
    stray = [
        make("random", (0.4,), ipc=1, seed=0, dataset="ucf101"),
        make("random", (0.4,), ipc=1, seed=9),
        make("herding", ipc=1, seed=7, dataset="hmdb51", failure="oom"),
    ]
    (after,) = of([*results, *stray[:2]])
    assert after.sparse == ("suite quick · ucf101 · test at IPC 1",)
    assert [block.places for block in after.blocks] == [block.places for block in before.blocks]
    assert (after.ranks.ranks, after.middles.keys()) == (before.ranks.ranks, before.middles.keys())
    (failed,) = of([*results, stray[2]])
    assert "herding" not in failed.blocks[0].runs
    assert failed.blocks[0].runs.keys() | {"herding"} == before.blocks[0].runs.keys()
