"""The page in a real browser: what opens from a number or a picture, by mouse and by keyboard."""

import pytest

pytestmark = pytest.mark.slow


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
