"""Published numbers: exactly those that could be read, with their sources, and away from what was measured."""

import re

import pytest

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.errors import DataError
from vdbench.experiment.suite import load_suite
from vdbench.registry import Registry
from vdbench.students import student_names
from vdbench_leaderboard.page.literature import DATASETS, comparable, parse, published, sources, tables

TABLE = {
    # method: MiniUCF at IPC 1, 5, 10, then HMDB51 at IPC 1, 5, 10; judged by MiniC3D
    "herding": (13.2, 26.3, 33.7, 3.0, 9.0, 10.8),
    "dm": (15.3, 25.7, 30.0, 6.1, 8.0, 12.1),
    "vdsd": (17.5, 27.2, None, 6.0, 8.2, None),
    "prism": (17.9, 28.0, 31.0, 7.5, 10.5, 12.8),
    "mtt": (14.4, 19.7, None, 5.7, 4.2, None),
    "random": (11.5, 19.6, None, None, None, None),
}
ACROSS = {
    # method: MiniUCF at IPC 1, judged by MiniC3D, CNN+GRU, CNN+LSTM
    "dm": (15.3, 9.9, 9.2),
    "vdsd": (17.5, 12.0, 10.3),
    "prism": (17.9, 18.9, 18.2),
}
PLACES = [(dataset, ipc) for dataset in ("miniucf", "hmdb51") for ipc in (1, 5, 10)]

ONE = """
published:
  - {method: dm, title: DM, dataset: miniucf, ipc: 1, student: minic3d, metric: top1, value: 15.3,
     source: table of PRISM, read: paper-table, protocol: the usual one}
"""


def expected():
    numbers = {("miniucf", None, "minic3d", "full"): 56.2}
    for method, row in TABLE.items():
        for (dataset, ipc), value in zip(PLACES, row, strict=True):
            if value is not None:
                numbers[dataset, ipc, "minic3d", method] = value
    for method, values in ACROSS.items():
        for student, value in zip(("minic3d", "cnn-gru", "cnn-lstm"), values, strict=True):
            numbers["miniucf", 1, student, method] = value
    return numbers


def test_every_number_that_could_be_read_is_there_and_no_other():
    found = {(n.dataset, n.ipc, n.student, n.method): n.value for n in published()}
    assert found == expected()
    assert len(published()) == len(found)


def test_spreads_and_networks_are_those_of_the_logs():
    spreads = {(n.method, n.ipc): (n.spread, n.networks) for n in published() if n.spread is not None or n.networks}
    assert spreads == {("random", 1): (0.7, 5), ("random", 5): (None, 5), ("full", None): (1.2, 15)}


def test_only_the_value_that_was_given_roughly_is_approximate():
    assert [(n.method, n.dataset, n.ipc) for n in published() if n.approximate] == [("random", "miniucf", 5)]


def test_numbers_of_a_table_that_was_not_read_in_its_paper_are_second_hand():
    assert {n.method for n in published() if n.second_hand} == {"herding", "dm", "vdsd", "prism"}
    assert all(n.second_hand == (n.arxiv == "2505.22564") for n in published())
    assert {n.read for n in published() if not n.second_hand} == {"third-party log", "public issue thread"}
    assert {n.student for n in published() if n.read == "public note"} == {"cnn-gru", "cnn-lstm"}


def test_doubts_about_numbers_are_told_beside_them():
    notes = {(n.method, n.student): n.note for n in published() if n.note}
    assert all(
        "half of the accuracy of full data" in n.note and "issue 8" in n.source
        for n in published()
        if n.method == "mtt"
    )
    assert all("537,645,618 parameters" in note for (_, student), note in notes.items() if student == "cnn-lstm")
    assert all("not kept" not in note for note in notes.values())


def test_nothing_comes_from_the_paper_whose_table_could_not_be_read():
    assert not any("2505.06670" in str(n.model_dump()) or n.method in ("tac-dt", "vst-unet") for n in published())


def test_data_sets_students_and_methods_are_known():
    methods = {*Registry().names(), "prism"}
    for number in published():
        assert number.dataset in dataset_names()
        assert number.student in student_names()
        assert number.method in methods


@pytest.mark.parametrize("name", ["as-published", "vdsd"])
def test_they_stand_beside_suites_that_have_their_data_sets_and_their_ipc(name):
    suite = load_suite(name)
    numbers = {n.dataset for n in published()}
    assert {DATASETS[name][dataset] for dataset in numbers} == set(suite.datasets)
    assert {n.ipc for n in published()} - {None} <= set(suite.ipc)
    for dataset in numbers:
        ours, theirs = load_dataset(DATASETS[name][dataset]), load_dataset(dataset)
        assert (ours.layout, ours.classes, ours.subset) == (theirs.layout, theirs.classes, theirs.subset)


def test_one_number_is_read_as_it_is_written():
    (number,) = parse(ONE)
    assert (number.value, number.spread, number.arxiv, number.second_hand) == (15.3, None, None, False)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("value: 15.3", "value: 101"),
        ("value: 15.3", "value: -1"),
        ("value: 15.3,", "value: 15.3, suite: vdsd,"),
        ("metric: top1", "metric: top5"),
        ("read: paper-table", "read: hearsay"),
        ("ipc: 1", "ipc: 0"),
        ("source: table of PRISM", "origin: table of PRISM"),
        ("source: table of PRISM", "source: PRISM, arxiv: none"),
        ("published:", "numbers:"),
        ("published:", "published: {"),
    ],
)
def test_a_file_with_a_fault_is_refused_in_one_sentence(right, wrong):
    with pytest.raises(DataError, match=r"published\.yaml is malformed.*; correct the file") as caught:
        parse(ONE.replace(right, wrong))
    assert "\n" not in str(caught.value)


def test_two_numbers_for_one_place_of_one_source_are_refused():
    twice = ONE + ONE.partition("published:\n")[2].replace("15.3", "15.4")
    with pytest.raises(DataError, match="two numbers for miniucf, 1, minic3d, dm, table of PRISM"):
        parse(twice)


def test_every_number_stands_once_in_its_place():
    shown = []
    for table in tables(published()):
        for title, numbers in table.rows:
            for ipc, number in zip(table.columns, numbers, strict=True):
                if number:
                    shown.append(number)
                    place = (number.dataset, number.student, number.ipc, number.title)
                    assert place == (table.dataset, table.student, ipc, title)
    assert sorted(map(repr, shown)) == sorted(map(repr, published()))


def test_two_sources_of_one_method_are_two_rows():
    first = published()[0]
    other = first.model_copy(update={"source": "elsewhere", "value": 1.0})
    (table,) = tables([first, other])
    assert [[number.value for number in numbers] for _, numbers in table.rows] == [[first.value], [1.0]]
    assert [source.source for source in sources([first, other, first])] == [first.source, "elsewhere"]


@pytest.mark.parametrize(
    ("suite", "dataset", "beside"),
    [
        ("as-published", "miniucf-as-published", True),
        ("as-published", "hmdb51-as-published", True),
        ("as-published", "miniucf-as-published, 7 of 50 classes", False),
        ("as-published", "miniucf", False),
        ("vdsd", "miniucf", True),
        ("vdsd", "hmdb51-as-published", False),
        ("vdsd", "motion-digits", False),
        ("vdsd-modified", "miniucf", False),
        ("quick", "miniucf", False),
    ],
)
def test_results_that_they_may_stand_beside(suite, dataset, beside):
    assert comparable(suite, dataset) is beside


@pytest.mark.parametrize(
    ("suite", "dataset", "classes", "beside"),
    [("as-published", "miniucf-as-published", 8, True), ("as-published", "miniucf-as-published", 50, False)],
)
def test_they_stand_open_beside_these_and_not_beside_a_part(make, documents, suite, dataset, classes, beside):
    results = [make(name, suite=suite, dataset=dataset, classes_total=classes) for name in ("herding", "random")]
    found = documents(results)
    page, readme = found["index.html"], found["README.md"]
    section = page[page.index('id="published"') :].split("</section>")[0]
    assert ("<details open>" in section) == beside
    assert ("There are no results of either on this page" in section) != beside
    assert ("Numbers published elsewhere" in readme) == beside
    assert len(re.findall(r'href="#source-\d+"', section)) == len(published())
    numbers = page[page.index('id="tables"') : page.index('id="published"')]
    assert "PRISM" not in numbers
    assert "PRISM" not in found["leaderboard.csv"] + found["leaderboard.json"]
