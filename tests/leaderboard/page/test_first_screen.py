"""What a reader sees first, in a real browser: the answer, its links, two methods compared; at a desk, on a phone."""

import pytest

from tests.leaderboard.page.conftest import ON_PHONE, WIDE

pytestmark = pytest.mark.slow

ENDS = """element => { const { top, bottom, left, right } = element.getBoundingClientRect();
    return [top >= 0, bottom <= innerHeight, left >= 0, right <= innerWidth]; }"""


@pytest.mark.parametrize("options", [{"viewport": WIDE}, ON_PHONE], ids=["desk", "phone"])
def test_the_answer_and_its_numbers_are_on_the_first_screen(open_page, options):
    page = open_page(**options)
    answer = page.locator(".headline")
    assert answer.inner_text() == (
        "Use k-means or herding on motion-digits (suite quick) and ucf101, 7 of 101 classes (suite quick). "
        "Elsewhere no method is shown to be better than clips picked at random."
    )
    first = page.locator(".verdicts > li").first
    for part in (answer, first.locator(".says"), first.locator("tbody tr").last):
        assert part.evaluate(ENDS) == [True] * 4
    assert first.locator(".says").inner_text() == (
        "Use k-means or herding. "
        "Each is better than clips picked at random; which of them is the best cannot be told yet."
    )


def test_every_answer_has_a_table_of_leaders_and_controls(open_page):
    page = open_page()
    answers = page.locator(".verdicts > li").all()
    assert "were not run" in answers.pop().inner_text()  # of the suite that has neither random nor seeds
    for answer in answers:
        names = [text.split("\n")[0] for text in answer.locator("tbody th").all_inner_texts()]
        assert names[-2:] == ["random", "full"]
        means = [float(text) for text in answer.locator(".track b").all_inner_texts()[:-2]]
        assert means == sorted(means, reverse=True)
        assert len(means) >= 2
        shown = dict(zip(names, answer.locator(".track").all_inner_texts(), strict=True))
        assert all(" … " in text for name, text in shown.items() if "more" not in name)  # those have a single seed


def test_filters_are_folded_on_a_phone_and_open_on_a_desk(open_page):
    desk, phone = open_page(viewport=WIDE), open_page("#suite=quick", **ON_PHONE)
    assert desk.locator("#filters").is_visible()
    assert phone.locator("#filters").is_hidden()
    assert phone.locator("#filtering summary").inner_text() == "Filters (quick)"
    phone.locator("#filtering summary").click()
    phone.locator("#filters [name=suite]").select_option("small")
    assert "suite=small" in phone.url
    phone.set_viewport_size(WIDE)
    assert phone.locator("#filters").is_visible()
    assert phone.locator("#filtering summary").is_hidden()


def moving(page):
    return page.locator("#answer .player")


def test_clips_of_leaders_move_unless_motion_is_not_wanted(open_page):
    still = open_page(reduced_motion="reduce")
    moving(still).first.scroll_into_view_if_needed()
    still.wait_for_timeout(300)
    assert moving(still).first.get_attribute("aria-pressed") == "false"
    page = open_page(reduced_motion="no-preference")
    moving(page).first.scroll_into_view_if_needed()
    page.wait_for_selector("#answer .player[aria-pressed=true]")
    moving(page).first.press("Enter")
    page.wait_for_selector("#answer .player[aria-pressed=false]")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    assert moving(page).first.get_attribute("aria-pressed") == "false"  # who stopped it wants it stopped
    assert page.locator("[id]").evaluate_all("all => new Set(all.map((one) => one.id)).size === all.length")


def test_a_row_s_link_leads_to_it_whoever_s_turn_it_is(open_page):
    page = open_page()
    group = page.locator("section.group").first
    row = group.locator("article[data-student=cnn-gru] tbody tr").nth(1)
    name, method = row.get_attribute("id"), row.get_attribute("data-method")
    assert not row.is_visible()
    linked = open_page(f"#{name}")
    shown = linked.locator(f"[id='{name}']")
    shown.wait_for(state="visible")
    assert shown.evaluate(ENDS) == [True] * 4
    assert shown.get_attribute("data-method") == method
    assert shown.locator(".permalink").get_attribute("href") == f"#{name}"
    assert (
        linked.locator("section.group").first.locator(".turns.students [aria-pressed=true]").inner_text() == "cnn-gru"
    )
    answer = page.locator("#answer tbody tr a").first
    answer.click()
    target = page.locator(f"[id='{page.url.split('#')[1]}']")
    assert target.is_visible()
    assert target.get_attribute("data-method") == answer.inner_text()


def rows(page):
    return [[cell.strip() for cell in row.split("\t")] for row in page.locator("#compare tbody tr").all_inner_texts()]


def test_a_difference_beside_random_opens_its_comparison(open_page):
    page = open_page()
    line = page.locator("#answer tbody tr").first
    shown = line.locator("td a").inner_text()
    line.locator("td a").click()
    assert page.locator("#compare-title").evaluate(ENDS) == [True] * 4
    assert page.evaluate("document.activeElement.id") == "compare"
    assert page.locator("#compare-a").input_value() == line.locator("th a").inner_text()
    assert page.locator("#compare-b").input_value() == "random"
    assert rows(page)[0][1] == shown


def test_a_comparison_is_in_the_address_and_reads_the_other_way_round(open_page):
    page = open_page("#a=herding&b=k-means&dataset=motion-digits")
    there = rows(page)
    assert len(there) == 5  # as a whole; two students at two budgets
    linked = open_page("#" + page.url.split("#")[1])
    assert rows(linked) == there
    linked.locator("#compare-swap").click()
    assert "a=k-means&b=herding" in linked.url
    number = lambda text: float(text.replace("−", "-"))  # noqa: E731
    for straight, turned in zip(there, rows(linked), strict=True):
        assert number(turned[1]) == -number(straight[1])
        ends, others = ([number(end) for end in row[2].split(" … ")] for row in (straight, turned))
        assert others == [-end for end in reversed(ends)]
        assert turned[3:] == straight[3:]
    page.locator("#filters [name=student]").select_option("cnn-gru")
    assert len(rows(page)) == 2
    page.locator("#compare tbody a").first.click()
    assert "budget=IPC+1" in page.url
    assert len(rows(page)) == 1


def test_two_methods_are_chosen_by_keyboard(open_page):
    page = open_page()
    page.locator("#compare-a").focus()
    page.keyboard.type("k-center")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "compare-b"
    page.keyboard.type("full")
    page.keyboard.press("Tab")
    assert "a=k-center&b=full" in page.url
    assert "k-center − full" in page.locator("#compare-says").inner_text()
    assert len(rows(page)) > 4
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#compare-share button").press("Enter")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_clips_are_compared_where_there_are_some(open_page):
    page = open_page("#a=herding&b=random&dataset=motion-digits")
    assert page.locator("#compare .player").count() == 1
    assert "herding, IPC 1 · motion-digits" in page.locator("#compare figcaption").inner_text()
    page.locator("#filters [name=dataset]").select_option("ucf101, 7 of 101 classes")
    assert page.locator("#compare .player").count() == 0


def test_methods_without_a_common_place_say_so(open_page):
    page = open_page("#a=more-00&b=more-01")  # of two suites
    assert rows(page) == []
    assert "there is no place where both were run" in page.locator("#compare-says").inner_text()


def test_a_cell_links_to_its_comparison(open_page):
    page = open_page("#dataset=motion-digits&student=minic3d&q=k-means")
    page.locator("#explorer .open").first.click()
    page.locator("#panel a", has_text="Compare k-means with").click()
    assert page.locator("#panel").is_hidden()
    assert page.locator("#compare-a").input_value() == "k-means"
    assert page.locator("#compare-title").evaluate(ENDS) == [True] * 4


@pytest.mark.parametrize(
    "options",
    [{"viewport": WIDE}, {"viewport": WIDE, "color_scheme": "dark"}, ON_PHONE],
    ids=["desk", "dark", "phone"],
)
def test_axe_finds_nothing(open_page, axe_finds, options):
    page = open_page("#a=herding&b=random", **options)
    assert axe_finds(page) == []
    page.locator("#explorer .open").first.click()
    assert axe_finds(page) == []


def test_what_the_first_screen_offers_is_reached_by_keyboard(open_page):
    page = open_page(reduced_motion="reduce")
    wanted = page.locator("#answer :is(a, button)").count()
    reached = set()
    for _ in range(wanted + 6):
        page.keyboard.press("Tab")
        inside = "const one = document.activeElement; one.closest('#answer') ? one.outerHTML.slice(0, 200) : ''"
        reached.add(page.evaluate(f"() => {{ {inside.replace('one.closest', 'return one.closest')} }}"))
    assert len(reached - {""}) == wanted
