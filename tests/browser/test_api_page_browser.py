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
PHONE, NARROW = {"width": 390, "height": 844}, {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FakeRag()) as served:
        yield served


@pytest.mark.parametrize(
    "settings",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "viewport": PHONE},
        {"color_scheme": "light", "viewport": NARROW},
    ],
    ids=["desktop", "dark phone", "narrow"],
)
def test_it_is_linked_readable_and_needs_no_other_host(
    server: Server, browser: Browser, settings: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with visit(browser, server.url, **settings) as tab:
        page = tab.page
        page.get_by_role("link", name="For programs").click()
        expect(page.get_by_role("heading", name="For programs")).to_be_visible()
        page.get_by_role("link", name="POST /v1/answer").click()
        heading = page.get_by_role("heading", name="POST /v1/answer")
        expect(heading).to_be_in_viewport()
        command = page.locator("#post-v1-answer > pre").inner_text()
        assert command.startswith(f"curl {server.url}/v1/answer \\")
        for closed in page.locator("summary").all():
            closed.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        response = axe.Axe().run(page).response
        assert response["passes"], "axe-core has looked at nothing"
        assert [v for v in response["violations"] if v["impact"] in {"serious", "critical"}] == []
        page.get_by_role("link", name="Footnote").click()
        expect(page.locator(".welcome")).to_be_visible()


def test_it_reads_without_scripts(server: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/docs")
    expect(page.get_by_role("heading", name="DELETE")).to_have_count(0)  # nobody may change here
    expect(page.get_by_role("heading", name="GET /v1/articles", exact=True)).to_be_visible()
    context.close()
