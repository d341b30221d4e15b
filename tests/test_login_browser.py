"""The page behind a password, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_rag import FakeRag
from playwright.sync_api import Browser, expect, sync_playwright
from test_api import Server, serving
from test_chat_browser import CHROMIUM, FLAGS

from rag.access import Access
from rag.passwords import hashed

PASSWORD = "correct horse battery"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt install chromium)"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.site import Options

    with serving(FakeRag(), options=Options(Access({"ana": hashed(PASSWORD)}))) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def test_after_logging_in_the_page_answers(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    assert page.url == f"{server.url}/login"
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password, or a token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("The name or the password is not right.")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password, or a token").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".welcome")).to_be_visible()
    page.locator("#question textarea").fill("When?")
    page.locator("#question textarea").press("Enter")
    expect(page.locator('#exchange-1 .answer[aria-busy="false"]')).to_be_visible()
    expect(page.locator(".claim")).to_have_count(2)
    assert page.evaluate("document.cookie").find("footnote_session") == -1  # no script reads it
    assert complaints == []
    page.close()
