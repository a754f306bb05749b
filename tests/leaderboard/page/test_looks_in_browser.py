"""The page in a real browser: contrast, themes, phones, and what is left without scripts."""

import re

import pytest

from tests.leaderboard.page.conftest import PHONE

pytestmark = pytest.mark.slow
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


def test_without_javascript_the_tables_are_there(browser, place):
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(place.as_uri())
    assert page.locator("article:visible").count() == page.locator("article").count() == 6
    assert page.locator("figure.plot:visible").count() > 4
    assert page.locator("#numbers").is_hidden()
    assert "leaderboard.csv" in page.locator("noscript").last.inner_html()
    context.close()
