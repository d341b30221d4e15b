"""Logging out, and conversations that belong to who has logged in, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from browsing import BROWSER, keeping_server
from fake_rag import FakeRag
from playwright.sync_api import Browser, BrowserContext, Page, expect
from served import serving

from rag.history.feedback import Feedback
from rag.history.storage import Store
from rag.server.access import Access, hashed, token_digest
from rag.web.history import Keeping

PASSWORD = "correct horse battery"
TOKEN = "a-token-of-sufficient-length"
pytestmark = BROWSER


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with users and a token, which keeps conversations; each test has its own users."""
    from rag.app import Options

    folder, rag = tmp_path_factory.mktemp("kept"), FakeRag()
    keeping = Keeping(rag, Store(folder / "conversations"), Feedback(folder / "ratings"))
    users = dict.fromkeys(("ana", "bo", "cleo", "dan", "eve"), hashed(PASSWORD))
    access = Access(users, (token_digest(TOKEN),))
    with serving(rag, Options(access, keeping=keeping)) as server:
        yield server.url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def log_in(page: Page, url: str, user: str, password: str = PASSWORD) -> None:
    page.goto(url)
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password, or a token").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".welcome")).to_be_visible()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")


def ask(page: Page, question: str, number: int = 1) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    expect(page.locator(f'#exchange-{number} .answer[aria-busy="false"]')).to_be_visible()
    expect(page.locator("#ask")).to_be_visible()


def lists(page: Page, *titles: str) -> None:
    """Open the list of conversations; it has these titles."""
    page.get_by_role("button", name="History", exact=True).click()
    expect(page.get_by_role("heading", name="Your conversations")).to_be_visible()
    expect(page.locator(".conversations .title")).to_have_text(titles)


def test_log_out_by_keyboard_ends_the_session_in_every_tab(
    url: str, context: BrowserContext
) -> None:
    page = context.new_page()
    log_in(page, url, "ana")
    other = context.new_page()
    other.goto(url)
    expect(other.locator(".welcome")).to_be_visible()
    [session] = [c for c in context.cookies() if c["name"] == "footnote_session"]
    page.get_by_role("button", name="New conversation").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_accessible_name("Log out")
    assert focused.evaluate("(it) => getComputedStyle(it).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")
    other.wait_for_url("**/login")
    # The secret opens nothing any more, even for who has kept it.
    context.add_cookies([{"name": session["name"], "value": session["value"], "url": url}])
    assert context.request.get(f"{url}/config").status == 401
    page.go_back()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_it_is_not_there_without_a_password(browser: Browser, tmp_path: Path) -> None:
    with keeping_server(tmp_path) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.locator(".welcome")).to_be_visible()
        assert page.get_by_role("button", name="Log out").count() == 0
        assert page.locator("#account").count() == 0
        page.close()


@pytest.mark.parametrize("width", [320, 361, 390, 441, 1280])
def test_it_fits_into_the_bar(url: str, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 700})
    log_in(page, url, "ana")
    expect(page.get_by_role("button", name="Log out")).to_be_in_viewport(ratio=1)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("#bar h1, #bar button")]
            .filter((it) => it.checkVisibility({ visibilityProperty: true }))
            .map((it) => it.getBoundingClientRect()).map((box) => [box.left, box.right])"""
    )
    assert len(boxes) >= 4
    assert all(0 <= left < right <= width for left, right in boxes)
    assert all(one[1] <= two[0] + 1 for one, two in pairwise(sorted(boxes)))
    page.close()


def test_conversations_belong_to_the_user_in_any_browser(url: str, browser: Browser) -> None:
    one, two = browser.new_context(), browser.new_context()
    page, elsewhere = one.new_page(), two.new_page()
    log_in(page, url, "ana")
    ask(page, "What did ana ask?")
    lists(page, "What did ana ask?")
    expect(page.locator(".pane .count")).to_contain_text("for ana only, in every browser")
    link = page.locator("a.tool").first.get_attribute("href")
    log_out(page)
    # Another user in the same browser sees nothing of it, not even in the same tab.
    log_in(page, url, "bo")
    assert page.locator(".exchange").count() == 0
    lists(page)
    expect(page.locator(".pane")).to_contain_text("before there were passwords")
    assert one.request.get(f"{url}/{link}").status == 404
    ask(page, "What did bo ask?")
    # The same user sees it in another browser, and goes on with it there.
    log_in(elsewhere, url, "ana")
    lists(elsewhere, "What did ana ask?")
    assert two.request.get(f"{url}/{link}").status == 200
    elsewhere.locator(".conversations .entry").click()
    expect(elsewhere.locator("#exchange-1 .claim")).to_have_count(2)
    ask(elsewhere, "And then?", 2)
    log_out(page)
    log_in(page, url, "ana")
    lists(page, "What did ana ask?")
    expect(page.locator(".conversations .about")).to_have_text(re.compile("^2 questions"))
    one.close()
    two.close()


def test_a_page_of_one_user_keeps_nothing_for_the_next(url: str, context: BrowserContext) -> None:
    page, other = context.new_page(), context.new_page()
    log_in(page, url, "cleo")
    ask(page, "What is for cleo alone?")
    context.clear_cookies(name="footnote_session")  # as if her session had ended by itself
    log_in(other, url, "dan")
    ask(page, "And now?", 2)
    expect(page.locator("#hint")).to_contain_text("Somebody else has logged in")
    page.locator("#exchange-1 .rate.up").click()
    lists(other)
    lists(page)


def test_a_token_opens_no_users_conversations(url: str, browser: Browser) -> None:
    contexts = [browser.new_context() for _ in range(3)]
    pages = [context.new_page() for context in contexts]
    log_in(pages[0], url, "eve")
    ask(pages[0], "Is this private?")
    log_in(pages[1], url, "eve", TOKEN)  # with her name, but not with her password
    lists(pages[1])
    ask(pages[1], "Is this of the browser?")
    lists(pages[1], "Is this of the browser?")
    log_in(pages[2], url, "", TOKEN)
    lists(pages[2])
    for context in contexts:
        context.close()
