"""The page behind a password, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import BROWSER
from fake_rag import FakeRag
from playwright.sync_api import Browser, expect
from served import Server, serving

from rag.server.access import Access, hashed

PASSWORD = "correct horse battery"
pytestmark = BROWSER


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.app import Options

    with serving(FakeRag(), options=Options(Access({"ana": hashed(PASSWORD)}))) as served:
        yield served


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
