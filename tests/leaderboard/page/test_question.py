"""The switch between other clips and these test clips: what is shown first, and by mouse, keyboard and link."""

import re

import pandas as pd
import pytest

from tests.leaderboard.page.conftest import ON_PHONE, WIDE
from vdbench_leaderboard.tables import formats

pytestmark = pytest.mark.slow


@pytest.fixture
def numbers(asked):
    frame = pd.read_csv(asked.parent / "leaderboard.csv")
    return frame.set_index(["dataset", "method", "ipc"]).sort_index()


def band(page, method, dataset):
    """The left end and the width of the interval under a number, in percent of its track."""
    row = page.locator(f'section.group[data-dataset^="{dataset}"] tr[data-method="{method}"]').first
    row.scroll_into_view_if_needed()
    found = row.locator(".track").first.evaluate(
        """track => { const { left, width } = getComputedStyle(track, "::before"), whole = track.clientWidth;
            return [left, width].map(text => 100 * parseFloat(text) / whole); }"""
    )
    return found[0], found[0] + found[1]


def switch(page, text):
    page.locator("#answer .question button", has_text=text).click()


@pytest.mark.parametrize("options", [{"viewport": WIDE}, ON_PHONE], ids=["desk", "phone"])
def test_tables_show_other_clips_first_and_these_where_asked(open_asked, numbers, options):
    page = open_asked(**options)
    row = numbers.loc[("ucf101", "k-means", 1)]
    low, high = band(page, "k-means", "ucf101")
    assert (high - low) / (row.top1_others_high - row.top1_others_low) == pytest.approx(
        low / row.top1_others_low, rel=0.05
    )
    switch(page, "these")
    assert "clips=these" in page.url
    less, more = band(page, "k-means", "ucf101")
    assert less / low == pytest.approx(row.top1_low / row.top1_others_low, rel=0.02)
    assert more / high == pytest.approx(row.top1_high / row.top1_others_high, rel=0.02)
    switch(page, "other")
    assert "clips" not in page.url
    assert band(page, "k-means", "ucf101") == pytest.approx((low, high))


def test_a_table_without_outcomes_keeps_its_intervals_and_says_so(open_asked):
    page = open_asked()
    before = band(page, "k-means", "hmdb51")
    group = page.locator('section.group[data-dataset="hmdb51"]')
    assert "keep no outcomes per clip" in group.inner_text()
    assert "keep no outcomes per clip" not in page.locator('section.group[data-dataset="ucf101"]').inner_text()
    switch(page, "these")
    assert band(page, "k-means", "hmdb51") == before


def test_comparisons_and_the_panel_of_a_cell_follow_the_switch(open_asked, numbers):
    page = open_asked("#a=k-means&b=random&dataset=ucf101&student=minic3d&budget=IPC%201")
    row = numbers.loc[("ucf101", "k-means", 1)]
    shown = page.locator("#compare tbody tr").first

    def texts(low, high):
        return f"{formats.percent(low)} … {formats.percent(high)}".replace("-", "−")

    others, these = ((row[f"against_random{of}_low"], row[f"against_random{of}_high"]) for of in ("_others", ""))
    assert texts(*others) in shown.inner_text()
    assert formats.probability(row.against_random_others_p) in shown.inner_text()
    page.locator("#explorer .open", has_text="k-means").first.click()
    panel = page.locator("#panel")
    assert f"on other clips of this kind {texts(row.top1_others_low, row.top1_others_high)}" in panel.inner_text()
    page.locator("#panel .close").click()
    switch(page, "these")
    assert texts(*these) in shown.inner_text()
    page.locator("#explorer .open", has_text="k-means").first.click()
    assert f"95 % interval {texts(row.top1_low, row.top1_high)}" in panel.inner_text()


def test_sentences_differ_where_less_holds_on_other_clips(open_asked):
    page = open_asked()
    said = page.locator('section.group[data-dataset="ucf101"] .holds li').first

    def width():
        said.scroll_into_view_if_needed()
        page.wait_for_timeout(200)  # until what was out of sight is laid out
        low, high = re.search(r"k-means beats random by ([\d.]+) to ([\d.]+) points", said.inner_text()).groups()
        return float(high) - float(low)

    others = width()
    switch(page, "these")
    assert others > 1.5 * width()
    page.locator("#filters [name=budget]").select_option("IPC 5")
    assert said.is_hidden()


def test_the_switch_works_by_keyboard_and_in_the_bar(open_asked):
    page = open_asked()
    chosen = page.locator('[data-question="these"][aria-pressed="true"]')
    page.locator('#answer [data-question="these"]').focus()
    page.keyboard.press("Enter")
    assert chosen.count() == 2
    page.locator('nav [data-question=""]').press("Space")
    assert chosen.count() == 0
    assert "these" not in page.url
    linked = open_asked("#clips=these")
    assert linked.locator(".these:visible").count() > 0
    assert linked.locator(".others:visible").count() == 0


def test_without_javascript_other_clips_are_shown_and_there_is_no_switch(open_asked):
    page = open_asked(java_script_enabled=False)
    assert page.locator(".question:visible").count() == 0
    assert page.locator("#answer .others:visible").count() > 0
    assert page.locator("#answer .these:visible").count() == 0


def test_a_page_without_any_outcomes_has_no_switch(open_page):
    page = open_page()
    assert page.locator("[data-question]").count() == 0
    assert page.locator(".these, .others").count() == 0


@pytest.mark.parametrize(
    "options",
    [{"viewport": WIDE}, {"viewport": WIDE, "color_scheme": "dark"}, ON_PHONE],
    ids=["desk", "dark", "phone"],
)
@pytest.mark.parametrize("address", ["", "#clips=these"])
def test_axe_finds_nothing(open_asked, axe_finds, options, address):
    assert axe_finds(open_asked(address, **options)) == []
