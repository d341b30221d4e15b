"""The page /docs in a real browser: how people come to it, and that it needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import BROWSER, visit
from fake_rag import FakeRag
from playwright.sync_api import Browser, expect
from served import Server, serving

pytestmark = BROWSER
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FakeRag()) as served:
        yield served


@pytest.mark.parametrize("settings", [{}, {"viewport": PHONE}], ids=["desktop", "phone"])
def test_it_is_linked_shows_each_request_and_needs_no_other_host(
    server: Server, browser: Browser, settings: dict[str, Any]
) -> None:
    with visit(browser, server.url, **settings) as tab:
        page = tab.page
        page.get_by_role("link", name="For programs").click()
        answer = page.locator("#operations-answers-answer_v1_answer_post, .opblock-post").first
        expect(answer).to_be_visible()
        expect(page.get_by_text("/v1/articles", exact=True)).to_be_visible()
        assert page.locator(".opblock-delete").count() == 0  # nobody may change articles here
        answer.click()
        expect(page.get_by_text("Who leads NATO?").first).to_be_visible()  # an example
