"""The page in a real browser: sorting, filters, links, columns, downloads, and numbers that agree."""

import csv
import io
import json
import re

import pytest

from tests.leaderboard.page.conftest import column, payload

pytestmark = pytest.mark.slow


def top1(texts):
    """The numbers in ``1= 52.1 ± 1.3``."""
    return [float(re.search(r"\d+\.\d", text)[0]) for text in texts if "." in text]


def test_a_table_sorts_by_mouse_and_by_keyboard(open_page):
    page = open_page()
    table = page.locator("table.main").first
    header = table.locator("thead th", has_text="IPC 5")
    value = "rows => rows.map(row => row.cells[2].dataset.value).filter(Boolean)"
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    down = table.locator("tbody tr").evaluate_all(value)
    assert down == sorted(down, key=float, reverse=True)
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert table.locator("tbody tr").evaluate_all(value) == sorted(down, key=float)
    assert table.locator("th[aria-sort]").count() == 1


def test_every_number_sorts_by_mouse_and_by_keyboard(open_page):
    page = open_page("#dataset=motion-digits&student=minic3d")
    page.locator("#explorer [data-sort=top1]").click()
    found = top1(column(page, "Top-1"))
    assert found == sorted(found, reverse=True)
    assert len(found) > 50
    assert page.locator("#explorer th[aria-sort]").get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")  # the header keeps the focus
    assert top1(column(page, "Top-1")) == sorted(found)
    assert page.locator("#explorer th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.locator("#explorer [data-sort=method]").press("Space")
    names = [text.split("\n")[0].split(" ")[0] for text in column(page, "Method")]
    assert names == sorted(names)


def test_what_is_missing_goes_last(open_page):
    page = open_page("#dataset=ucf101, 7 of 101 classes&sort=-p".replace(" ", "%20"))
    for _ in range(2):
        found = column(page, "p")
        kept = [text for text in found if text != "–"]
        assert found[: len(kept)] == kept
        assert 0 < len(kept) < len(found)
        page.locator("#explorer [data-sort=p]").click()


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("suite", "quick", lambda cell: cell["suite"] == "quick"),
        ("dataset", "motion-digits", lambda cell: cell["dataset_title"] == "motion-digits"),
        ("budget", "IPC 5", lambda cell: cell["budget"] in (None, "IPC 5")),
        ("student", "cnn-gru", lambda cell: cell["student"] == "cnn-gru"),
        ("pool", "generated", lambda cell: cell["pool"] == "generated"),
        ("q", "K-me", lambda cell: "k-me" in cell["method"]),
    ],
)
def test_each_filter_shows_what_fits_and_can_be_linked(open_page, name, value, fits):
    page = open_page()
    control = page.locator(f"#filters [name={name}]")
    control.fill(value) if name == "q" else control.select_option(value)
    cells = payload(page)
    wanted = [cell for cell in cells if fits(cell)]
    assert f"of {len(wanted)} rows" in page.locator("#count").inner_text()
    assert len(wanted) < len(cells)
    assert f"{name}=" in page.url
    linked = open_page("#" + page.url.split("#")[1])
    assert linked.locator("#count").inner_text() == page.locator("#count").inner_text()
    assert linked.locator(f"#filters [name={name}]").input_value() == value
    linked.locator("#reset").click()
    assert f"of {len(cells)} rows" in linked.locator("#count").inner_text()
    assert "=" not in linked.url.split("#")[1]


def test_filters_reach_the_tables(open_page):
    page = open_page("#suite=quick&dataset=motion-digits&student=cnn-gru&budget=IPC+5&q=herding")
    shown = page.locator("article:visible")
    assert shown.count() == 1
    assert shown.get_attribute("data-student") == "cnn-gru"
    shown.scroll_into_view_if_needed()
    page.wait_for_timeout(200)  # until what was out of sight is laid out
    assert shown.locator("table.main").first.locator("thead th:visible").all_inner_texts()[1].startswith("IPC 5")
    names = shown.locator("table.main").first.locator("tbody tr:visible th").all_inner_texts()
    assert [name.split()[0] for name in names] == ["herding", "herding@generated"]
    page.locator("#filters [name=q]").fill("nobody")
    assert page.locator("article:visible").count() == 0
    assert page.locator("#none").is_visible()


@pytest.mark.parametrize(("number", "suite"), [(0, "quick"), (1, "small")])
def test_a_suite_without_a_table_is_not_shown_at_a_glance(open_page, number, suite):
    page = open_page()
    glances = page.locator("section.glance:visible")
    suites = "sections => sections.map((section) => section.dataset.suite)"
    assert set(glances.evaluate_all(suites)) == {"quick", "small"}
    page.locator("#filters [name=q]").fill(f"more-{number:02}")
    assert set(glances.evaluate_all(suites)) == {suite}
    page.locator("#filters [name=q]").fill("nobody")
    assert glances.count() == 0


def test_students_take_turns(open_page):
    page = open_page()
    group = page.locator("section.group").first
    assert group.locator("article:visible").get_attribute("data-student") == "minic3d"
    group.locator(".turns.students button", has_text="cnn-gru").click()
    assert group.locator("article:visible").get_attribute("data-student") == "cnn-gru"


def test_kinds_of_labels_change_accuracy_and_control(open_page):
    page = open_page("#dataset=motion-digits&student=minic3d&q=k-means&budget=IPC+5")
    own, gain = column(page, "Top-1"), column(page, "Δ random")
    page.locator("#labels").select_option("soft")
    soft = column(page, "Top-1, soft")
    cells = payload(page)
    wanted = {cell["shown"]["soft"].split()[0] for cell in cells}
    assert soft != own
    assert soft[0].split()[0] in wanted
    assert column(page, "Δ random") != gain
    assert "labels=soft" in page.url


def test_columns_come_in_groups_and_rows_can_be_left_out(open_page):
    page = open_page()
    for group, header in (("robustness", "LRS"), ("cost", "Stored"), ("origin", "Seen"), ("accuracy", "p")):
        page.locator(f"[data-columns={group}]").click()
        assert page.locator("#explorer thead", has_text=header).count() == 1
        assert page.locator(f"[data-columns={group}]").get_attribute("aria-pressed") == "true"
    cells = payload(page)
    for name, mark in (("controls", "control"), ("reconstructions", "reconstruction"), ("partial", "partial data")):
        page.locator(f"[data-hide={name}]").click()
        left = [cell for cell in cells if mark not in cell["tags"]]
        assert f"of {len(left)} rows" in page.locator("#count").inner_text()
        assert 0 < len(left) < len(cells)
        page.locator(f"[data-hide={name}]").click()


def test_rows_come_a_hundred_at_a_time(open_page):
    page = open_page()
    cells = payload(page)
    assert len(cells) > 100
    assert page.locator("#explorer tbody tr").count() == 100
    page.locator("#more").click()
    assert page.locator("#explorer tbody tr").count() == len(cells)
    assert page.locator("#more").is_hidden()


def test_the_view_can_be_downloaded(open_page):
    page = open_page("#dataset=motion-digits&student=minic3d&q=herding&sort=-top1")
    texts = {}
    for kind in ("csv", "json"):
        with page.expect_download() as waiting:
            page.locator(f"#{kind}").click()
        assert waiting.value.suggested_filename == f"leaderboard-view.{kind}"
        with open(waiting.value.path(), encoding="utf-8") as file:  # noqa: PTH123
            texts[kind] = file.read()
    rows = json.loads(texts["json"])
    assert [row["method"] for row in rows] == [text.split("\n")[0].split(" ")[0] for text in column(page, "Method")]
    assert all(row["command"].startswith("vdbench run --suite quick --datasets motion-digits") for row in rows)
    table = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [float(row["top1"]) for row in table if row["top1"]] == [row["top1"] for row in rows if row["top1"]]
    assert [row["command"] for row in table] == [row["command"] for row in rows]


def test_numbers_are_those_of_the_tables(open_page):
    page = open_page()
    shown = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('table.main:not(.factorial) a.track')]
            .map((link) => [link.hash.slice(6), link.textContent.replace('†', '').trim()]))"""
    )
    page.locator("#more").click()
    listed = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('#explorer tr[data-cell]')]
            .map((row) => [row.dataset.cell, row.querySelector('.value')?.textContent.replace('†', '').trim()]))"""
    )
    assert len(shown) > 100
    assert {name: text.replace(" ", "") for name, text in shown.items()} == {
        name: listed[name].replace(" ", "") for name in shown
    }
