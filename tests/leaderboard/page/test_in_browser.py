"""The page in a real browser: sorting, filters, links, downloads, themes, phones, the panel of a cell, previews."""

import csv
import io
import json
import re

import pytest

from tests.leaderboard.page.conftest import PHONE, decoded

pytestmark = pytest.mark.slow


def payload(page):
    return decoded(json.loads(page.locator("#data").text_content()))


def column(page, name):
    """The texts of a column of the table of every number."""
    headers = [text.strip() for text in page.locator("#explorer thead th").all_inner_texts()]
    place = next(i for i, header in enumerate(headers) if header.split("\n")[0].strip(" ↕↑↓") == name)
    return page.locator(f"#explorer tbody tr > :nth-child({place + 1})").all_inner_texts()


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


def test_a_cell_opens_from_its_number_and_can_be_repeated(open_page):
    page = open_page("#student=minic3d")
    page.locator("section.group", has_text="motion-digits").locator("a.track").first.click()
    panel = page.locator("#panel")
    assert panel.is_visible()
    assert "student=minic3d&cell=" in page.url
    for words in (
        "Repeat it",
        "95 % interval",
        "Cost",
        "seeds",
        "Confusion",
        "points above random clips",
        "soft labels",
    ):
        assert words in panel.text_content()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.locator(".command button").click()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == panel.locator("#command").inner_text()
    assert command.startswith("vdbench run --suite quick --datasets motion-digits --methods")
    linked = open_page("#" + page.url.split("#")[1])
    assert linked.locator("#panel").is_visible()
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert "cell=" not in page.url
    assert "student=minic3d" in page.url


def test_a_row_opens_by_keyboard_and_the_focus_comes_back(open_page):
    page = open_page("#dataset=ucf101, 7 of 101 classes".replace(" ", "%20"))
    opener = page.locator("#explorer .open").nth(3)
    opener.focus()
    page.keyboard.press("Enter")
    assert page.locator("#panel").is_visible()
    assert page.evaluate("document.getElementById('panel').contains(document.activeElement)")
    page.locator("#panel .close").click()
    assert opener.evaluate("element => element === document.activeElement")


def test_a_failed_cell_says_so(open_page):
    page = open_page("#q=k-center&dataset=ucf101, 7 of 101 classes".replace(" ", "%20"))
    page.locator("#explorer tr", has_text="oom").first.locator(".open").click()
    assert "2 of 3 seeds, oom" in page.locator("#panel").inner_text()
    assert "oom: it broke" in page.locator("#panel").text_content()


CONTRAST = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+(e-?\\d+)?/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [numbers[0] * scale, numbers[1] * scale, numbers[2] * scale, numbers[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("script, style, noscript, svg, .unseen, caption")) continue;
    if (!element.checkVisibility({ checkVisibilityCSS: true, contentVisibilityAuto: false })) continue;
    const under = behind(element);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.add(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 80)}`);
  }
  const probe = document.body.appendChild(document.createElement("div"));
  for (let shade = 0; shade < 12; shade++) {
    probe.style = `background-color: color-mix(in srgb, var(--hot) ${9 * shade}%, var(--card)); color: var(--ink)`;
    const [a, b] = [light(parse(getComputedStyle(probe).color)), light(parse(getComputedStyle(probe).backgroundColor))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.add(`${ratio.toFixed(2)} heat ${shade}`);
  }
  probe.remove();
  return [...bad];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate(CONTRAST) == []
    page.locator("#explorer .open").first.click()
    assert page.evaluate(CONTRAST) == []


def test_dark_follows_the_system_and_the_button(open_page):
    background = "getComputedStyle(document.body).backgroundColor"
    light = open_page(color_scheme="light").evaluate(background)
    page = open_page(color_scheme="dark")
    dark = page.evaluate(background)
    assert light != dark
    toggle = page.locator("#theme")
    assert toggle.inner_text() == "Theme: auto"
    toggle.click()
    assert (toggle.inner_text(), page.evaluate(background)) == ("Theme: light", light)
    toggle.click()
    page.emulate_media(color_scheme="light")
    assert (toggle.inner_text(), page.evaluate(background)) == ("Theme: dark", dark)
    page.reload()
    assert (toggle.inner_text(), page.evaluate(background)) == ("Theme: dark", dark)


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_never_scrolls_sideways(open_page, width):
    page = open_page(viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.locator("#explorer [data-cell]").first.wait_for()
    assert page.locator("#explorer thead th").all_inner_texts()[1].startswith("Top-1")
    fits = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    for group in ("accuracy", "robustness", "cost", "origin"):
        page.locator(f"[data-columns={group}]").click()
        scrolled, seen = page.evaluate(fits)
        assert scrolled <= seen == width
    page.locator("#explorer .open").first.click()
    panel = page.locator("#panel")
    assert panel.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_rows_can_be_told_apart_on_a_phone(open_page):
    page = open_page("#q=herding", viewport=PHONE, has_touch=True, is_mobile=True)
    rows = page.locator("#explorer tbody th").all_inner_texts()
    assert len(set(rows)) == len(rows) > 4
    assert all(re.search("IPC (1|5) · (motion-digits|ucf101)", row) for row in rows)
    assert open_page().locator("#explorer .places").count() == 0


def test_on_a_phone_the_first_number_of_a_table_is_seen_whole_beside_its_method(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    beyond = """tables => tables.filter(table => table.offsetParent).map((table) =>
        table.tHead.rows[0].cells[1].getBoundingClientRect().right
        - table.closest('.scroll').getBoundingClientRect().right)"""
    note = page.locator("table.main .below")
    assert note.count() > 2
    note.evaluate_all(
        "notes => notes.forEach((note) => note.textContent = 'train without validation, 414 of 490 clips')"
    )
    found = page.locator("table.main").evaluate_all(beyond)
    assert len(found) > 2 and max(found) <= 0


def test_names_and_badges_break_between_words_on_a_phone(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    broken = page.locator("table.main th[scope=row]").evaluate_all(
        """heads => heads.flatMap((head) => {
            const found = [], texts = document.createTreeWalker(head, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/[^\\s-]+/g)) {
                const range = document.createRange();
                range.setStart(texts.currentNode, word.index);
                range.setEnd(texts.currentNode, word.index + word[0].length);
                if (range.getClientRects().length > 1) found.push(word[0]);
            }
            return found;
        })"""
    )
    assert page.locator("table.main .badge.reconstruction").count() > 1
    assert broken == []


def test_what_goes_on_beyond_an_edge_is_shaded(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    scrolling = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === 'auto')
            .map((box) => [box.className, getComputedStyle(box).backgroundAttachment])"""
    )
    assert {name.split()[0] for name, _ in scrolling} >= {"scroll", "drawn"}
    assert {attachment for _, attachment in scrolling} == {"local, local, scroll, scroll"}
    papers = page.locator(".drawn > svg > g > g:first-child > path")
    assert papers.count() == page.locator(".drawn > svg").count()
    assert set(papers.evaluate_all("papers => papers.map((paper) => getComputedStyle(paper).fill)")) == {"none"}


def test_the_legend_explains_both_strips_as_they_are_drawn(open_page):
    page = open_page()
    legend = page.locator("#reading dl").nth(1)
    assert "chance (thin line)" in legend.inner_text()
    strip = "svg => [...new Set([...svg.children].map((part) => `${part.localName} ${part.classList}`))].sort()"
    drawn = page.locator("#explorer .strip", has=page.locator("circle")).first.evaluate(strip)
    assert legend.locator(".strip").evaluate(strip) == drawn
    assert "radial" not in page.locator("a.track").first.evaluate("track => getComputedStyle(track).backgroundImage")


def test_previews_play_when_asked(open_page):
    page = open_page(reduced_motion="reduce")
    player = page.locator("#method-herding .player")
    player.scroll_into_view_if_needed()
    player.hover()
    page.wait_for_timeout(300)
    assert player.get_attribute("aria-pressed") == "false"  # motion was not wanted
    player.click()
    page.wait_for_selector("#method-herding .player[aria-pressed=true]")
    player.press("Enter")
    page.wait_for_selector("#method-herding .player[aria-pressed=false]")
    moving = open_page(reduced_motion="no-preference")
    moving.locator("#method-herding .player").hover()
    moving.wait_for_selector("#method-herding .player[aria-pressed=true]")


def test_without_javascript_the_tables_are_there(browser, place):
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(place.as_uri())
    assert page.locator("article:visible").count() == page.locator("article").count() == 6
    assert page.locator("figure.plot:visible").count() > 4
    assert page.locator("#numbers").is_hidden()
    assert "leaderboard.csv" in page.locator("noscript").last.inner_html()
    context.close()
