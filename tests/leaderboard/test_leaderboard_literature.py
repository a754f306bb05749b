"""Published numbers on the page: all of them, with their sources, and away from what was measured."""

import re

import pytest

from vdbench_leaderboard.build import build
from vdbench_leaderboard.literature import Source, literature
from vdbench_leaderboard.published import published


def test_every_number_stands_once_in_its_place():
    found = literature(published())
    shown = [number for table in found.tables for _, numbers in table.rows for number in numbers if number]
    assert sorted(map(repr, shown)) == sorted(map(repr, published()))
    for table in found.tables:
        for title, numbers in table.rows:
            for ipc, number in zip(table.columns, numbers, strict=True):
                if number:
                    place = (number.dataset, number.student, number.ipc, number.title)
                    assert place == (table.dataset, table.student, ipc, title)


def test_each_source_has_a_number_from_1():
    found = literature(published())
    assert {found.number(number) for number in published()} == set(range(1, len(found.sources) + 1))
    assert all(found.sources[found.number(number) - 1] == Source.of(number) for number in published())


def test_two_sources_of_one_method_are_two_rows():
    first = published()[0]
    other = first.model_copy(update={"source": "elsewhere", "value": 1.0})
    (table,) = literature([first, other]).tables
    assert [[number.value for number in numbers] for _, numbers in table.rows] == [[first.value], [1.0]]


@pytest.mark.parametrize("suite", ["vdsd", "quick"])
def test_they_stand_open_beside_vdsd_only(make, save, tmp_path, suite):
    build(save(tmp_path / "results", [make("herding", suite=suite), make("random", suite=suite)]), tmp_path / "out")
    page, readme = ((tmp_path / "out" / name).read_text() for name in ("index.html", "README.md"))
    section = page[page.index('id="published"') :].split("</section>")[0]
    assert ("<details open>" in section) == (suite == "vdsd")
    assert ("of which there are none on this page" in section) == (suite != "vdsd")
    assert ("Published elsewhere" in readme) == (suite == "vdsd")
    assert len(re.findall(r'href="#source-\d+"', section)) == len(published())
    numbers = page[page.index('id="tables"') : page.index('id="published"')]
    assert "PRISM" not in numbers
    assert "PRISM" not in (tmp_path / "out" / "leaderboard.csv").read_text()
    assert "PRISM" not in (tmp_path / "out" / "leaderboard.json").read_text()
