"""The page for everybody: axe-core over its states, narrow and large, and other scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import ARABIC, BROWSER, JAPANESE, Kept, Tab, in_view, keeping_server, visit
from fake_rag import ARTICLES
from playwright.sync_api import Browser, Page, expect
from served import wait_until

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = BROWSER


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with keeping_server(tmp_path_factory.mktemp("kept"), ARTICLES) as kept:
        yield kept


def violations(page: Page, state: str) -> list[str]:
    """Return what axe-core calls serious or critical."""
    response = axe.Axe().run(page).response
    assert response["passes"], "axe-core has looked at nothing"
    found = response["violations"]
    return [
        f"{state}: {broken['id']}: {node['html'][:150]} {node['failureSummary']}"
        for broken in found
        if broken["impact"] in {"serious", "critical"}
        for node in broken["nodes"]
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_axe_finds_nothing_serious(
    server: Kept, browser: Browser, settings: dict[str, Any]
) -> None:
    with visit(browser, server.url, reduced_motion="reduce", **settings) as tab:
        page, phone = tab.page, "viewport" in settings
        found = violations(page, "start")
        tab.ask("When does the ferry leave, and what is the price?")
        page.locator(".rate.down").click()
        expect(page.locator(".note-form")).to_be_visible()
        found += violations(page, "answer, rated")
        page.locator(".cite").nth(1).click()
        expect(page.locator("mark.current")).to_be_visible()
        found += violations(page, "reader")
        if phone:
            page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="History", exact=True).click()
        expect(page.locator(".conversations li")).to_have_count(1)
        page.get_by_role("button", name="Rename").click()
        found += violations(page, "conversations")
        page.get_by_role("button", name="All articles").click()
        expect(page.get_by_text("3 articles indexed")).to_be_visible()
        found += violations(page, "articles")
        if phone:
            page.get_by_role("button", name="Close").click()
        tab.ask("Who landed on the moon?", 2)
        found += violations(page, "refusal")
        assert page.evaluate("document.body.classList.contains('dark')") == (
            settings["color_scheme"] == "dark"
        )
        assert found == []


def overflowing(page: Page) -> list[str]:
    """Return what reaches beyond the window's right edge and is shown."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#bar *, #chat *, #side *")].filter((element) => {
            const box = element.getBoundingClientRect();
            const clipped = element.closest(".unseen, .running, [hidden]");
            return box.width > 0 && !clipped && box.right > innerWidth + 1
                && getComputedStyle(element).visibility === "visible";
        }).map((element) => element.outerHTML.slice(0, 120))"""
    )
    return found


def overlapping(page: Page) -> list[list[str]]:
    """Return the pairs of buttons in the bars that lie over each other."""
    found: list[list[str]] = page.evaluate(
        """() => {
            const shown = [...document.querySelectorAll("#bar h1, #bar button, .pane-bar button")]
                .filter((element) => element.checkVisibility({ visibilityProperty: true }));
            const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
            return shown.flatMap((one, n) => shown.slice(n + 1)
                .filter((two) => one.closest(".pane-bar, #bar") === two.closest(".pane-bar, #bar"))
                .filter((two) => covers(one.getBoundingClientRect(), two.getBoundingClientRect()))
                .map((two) => [one.outerHTML.slice(0, 80), two.outerHTML.slice(0, 80)]));
        }"""
    )
    return found


def use_everything(tab: Tab) -> list[object]:
    """Go through the page's states; return what did not fit in them."""
    page = tab.page
    tab.ask("When does the ferry leave, and what is the price?")
    page.locator(".rate.up").click()
    expect(page.locator(".note-form")).to_be_visible()
    found: list[object] = [*overflowing(page), *overlapping(page)]
    page.locator(".cite").nth(1).click()
    expect(page.locator("mark.current")).to_be_visible()
    wait_until(lambda: in_view(page, "mark.current"))
    found += [*overflowing(page), *overlapping(page)]
    close = page.get_by_role("button", name="Close")
    if close.is_visible():
        close.click()
    page.get_by_role("button", name="History", exact=True).click()
    expect(page.locator(".conversations li").first).to_be_visible()
    page.get_by_role("button", name="Delete").first.click()
    return [*found, *overflowing(page)]


def test_320_pixels_are_enough(server: Kept, browser: Browser) -> None:
    with visit(browser, server.url, viewport={"width": 320, "height": 640}) as tab:
        assert use_everything(tab) == []
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_text_of_twice_the_size_fits(server: Kept, browser: Browser) -> None:
    with visit(browser, server.url) as tab:
        tab.page.add_style_tag(content="html { font-size: 200% !important; }")
        assert use_everything(tab) == []
        expect(tab.page.locator("#ask")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("article", "direction"), [(ARABIC, "rtl"), (JAPANESE, "ltr")], ids=["Arabic", "Japanese"]
)
def test_other_scripts_read_their_own_way(
    browser: Browser, tmp_path: Path, article: Any, direction: str
) -> None:
    phone = {"width": 390, "height": 844}
    with (
        keeping_server(tmp_path, [replaced(article)]) as server,
        visit(browser, server.url, viewport=phone) as tab,
    ):
        page = tab.page
        tab.ask("متى؟" if direction == "rtl" else "いつ？")
        assert overflowing(page) == []
        start = page.evaluate("getComputedStyle(document.querySelector('.sentence')).direction")
        assert start == direction
        page.locator(".cite").first.click()
        expect(page.locator("mark.current")).to_be_visible()
        text = page.locator("#side .text")
        assert text.evaluate("(element) => getComputedStyle(element).direction") == direction
        assert overflowing(page) == []


def replaced(article: Any) -> Any:
    """Return the article under the path that the scripted engine answers from."""
    from dataclasses import replace

    return replace(article, path="ferry.txt")


def test_the_keyboard_reaches_everything(server: Kept, browser: Browser) -> None:
    with visit(browser, server.url) as tab:
        page = tab.page
        page.keyboard.type("When does it leave?")
        page.keyboard.press("Enter")
        expect(page.locator(".facts")).to_contain_text("answered in")
        # A number with Alt opens that source, even from the question's field.
        expect(page.locator("#question textarea")).to_be_focused()
        page.keyboard.press("Alt+2")
        expect(page.locator("mark.current")).to_have_attribute("data-number", "2")
        expect(page.locator("#question textarea")).to_have_value("")
        page.keyboard.press("3")  # and without it is only typed
        expect(page.locator("#question textarea")).to_have_value("3")
        expect(page.locator("mark.current")).to_have_attribute("data-number", "2")
        # In the answer the number is enough, and a focused mark tells its sentence.
        page.locator(".cite").first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("tooltip")).to_have_text(
            "The ferry to Hvar leaves Split every morning at seven."
        )
        expect(page.locator(".cite").first).to_have_accessible_description(
            "The ferry to Hvar leaves Split every morning at seven."
        )
        page.keyboard.press("Escape")
        expect(page.get_by_role("tooltip")).to_be_hidden()
        page.keyboard.press("3")
        expect(page.locator("mark.current")).to_have_attribute("data-number", "3")
        # From one cited sentence to the next; the step keeps the focus.
        page.locator("[data-step=next]").focus()
        page.keyboard.press("Enter")
        expect(page.locator("mark.current")).to_have_attribute("data-number", "1")
        expect(page.locator("[data-step=next]")).to_be_focused()
        expect(page.locator(".steps .place")).to_have_text("1 of 3")
        page.keyboard.press("p")
        expect(page.locator("mark.current")).to_have_attribute("data-number", "3")
        expect(page.locator("#side .pane [role=status]").first).to_contain_text(
            "Children travel free."
        )
        # What a confidence means can be read without a mouse.
        page.locator(".rate.up").focus()
        page.keyboard.press("Shift+Tab")
        expect(page.locator(".confidence")).to_be_focused()
        expect(page.get_by_role("tooltip")).to_contain_text("0.87: the estimated chance")


def test_a_quote_is_copied_with_its_reference(server: Kept, browser: Browser) -> None:
    with visit(browser, server.url) as tab:
        page = tab.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        tab.ask("When?")
        page.locator(".cite").nth(1).click()
        page.get_by_role("button", name="Copy quote").click()
        expect(page.locator("#side [data-copied]")).to_have_text("Copied, with its reference.")
        assert page.evaluate("navigator.clipboard.readText()") == (
            "“Tickets cost nine euros in summer and six in winter.” "
            "(The morning ferry to Hvar, Coast, 3 June 2024, ferry.txt)"
        )
