"""The main tables as texts: the marks behind a method's name, in every format, and what the totals count."""

import pytest

from tests.leaderboard.conftest import terminal
from vdbench_leaderboard.page.content import Content
from vdbench_leaderboard.tables.board_words import clips, legend, parts
from vdbench_leaderboard.tables.boards import boards
from vdbench_leaderboard.tables.cells import gather
from vdbench_leaderboard.tables.frames import bounds, summary
from vdbench_leaderboard.tables.numbers import numbers
from vdbench_leaderboard.tables.outcomes import Outcomes


def tables(results):
    return boards(gather(results))


def seeds(make, method, **values):
    return [make(method, seed=seed, **values) for seed in range(3)]


def on(data, results):
    """The same results on other counts of clips."""
    return [result.model_copy(update={"dataset": data}) for result in results]


@pytest.fixture(scope="module")
def marked(make):
    """Results of a reconstruction, of one that learns its step size, and of one that is neither."""
    return [
        *seeds(make, "random"),
        *seeds(make, "tac-dt", reconstruction=True),
        *seeds(make, "mtt", pool=None, step_size=0.02),
    ]


def test_marks_stand_behind_the_name_of_a_method_and_are_explained(marked):
    (board,) = tables(marked)
    assert set(summary(board)["method"]) == {"random", "tac-dt‡", "mtt§"}
    reconstruction, step_size = legend([board])
    assert reconstruction.startswith("‡ a reconstruction")
    assert step_size.startswith("§ students were trained with a step size")


def test_a_method_may_earn_both_marks(make):
    (board,) = tables(seeds(make, "tac-dt", reconstruction=True, step_size=0.02))
    assert list(summary(board)["method"]) == ["tac-dt‡§"]


def test_nothing_is_explained_where_no_mark_occurs(make):
    (board,) = tables([*seeds(make, "random"), *seeds(make, "full", ipc=None)])
    assert legend([board]) == []


@pytest.mark.parametrize("plain", [False, True])
def test_every_format_of_the_main_table_marks_and_explains(marked, plain, make, documents, tmp_path):
    found = documents(seeds(make, "random") if plain else marked)
    markdown, latex = found["README.md"], found["leaderboard.tex"]
    for text, names in (
        (terminal(tmp_path / "results"), ("tac-dt‡", "mtt§", "‡ a reconstruction", "§ students")),
        (markdown, ("| tac-dt‡ |", "| mtt§ |", "\n‡ a reconstruction", "\n§ students")),
        (latex, (r"tac-dt$^\ddag$ &", r"mtt$^\S$ &", r"$^\ddag$ a reconstruction", r"$^\S$ students")),
    ):
        assert [name in text for name in names] == [not plain] * len(names)
    assert not {"‡", "§"} & set(latex)


def test_totals_count_a_method_once_whatever_its_pool_and_settings(make):
    results = [
        *seeds(make, "herding"),
        *seeds(make, "herding", pool="generated"),
        *seeds(make, "herding", settings={"encoder": {"name": "pixels"}}),
        *seeds(make, "random"),
    ]
    found = tables(results)
    content = Content(found, numbers(found, Outcomes({})), (), (), {}, (), (), "", Outcomes({}))
    assert len({cell.method for board in content.boards for cell in board.cells}) == 4
    assert content.totals["methods"] == 2


def test_full_is_a_bound_only_as_long_as_no_mean_is_higher(make):
    full = seeds(make, "full", ipc=None, top1=(0.7, 0.8))
    (board,) = tables([*full, *seeds(make, "random"), *seeds(make, "herding", ipc=5, top1=(0.7, 0.78))])
    assert bounds(board).iloc[:, 0].tolist() == ["full (upper bound)", "chance"]
    (board,) = tables([*full, *seeds(make, "random"), *seeds(make, "herding", ipc=5, top1=(0.76, 0.8))])
    assert bounds(board).iloc[:, 0].tolist() == ["full (reference)", "chance"]


def test_what_full_was_trained_on_is_said_with_what_is_held_out(make, documents):
    (plain,) = tables(seeds(make, "full", ipc=None))
    assert parts(plain.cells[0]) == "240 train, 80 test clips"
    assert clips(plain.cells[0]) == "all 240 train clips"
    data = plain.cells[0].dataset.model_copy(update={"train_clips": 200})
    results = on(data, [*seeds(make, "full", ipc=None), *seeds(make, "random")])
    (held,) = tables(results)
    assert parts(held.cells[0]) == "200 train, 40 validation, 80 test clips"
    assert clips(held.cells[0]) == "train without validation, 200 of 240 clips"
    found = documents(results)
    for name in ("README.md", "index.html"):
        assert "train without validation, 200 of 240 clips" in found[name]


def test_clips_of_a_table_for_tuning_are_counted_alike(make):
    # Judged on validation: the 40 clips held out are tested on, and the 80 test clips are not.
    data = tables(seeds(make, "random"))[0].cells[0].dataset
    tuned = data.model_copy(update={"train_clips": 200, "test_clips": 40})
    (board,) = tables(on(tuned, seeds(make, "random", evaluated_on="validation")))
    assert board.cells[0].parts == {"train": 200, "validation": 40, "test": 80}
