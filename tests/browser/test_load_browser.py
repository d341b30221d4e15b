"""Visitors at once in a real browser, over the real engine and a model that is held back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import BROWSER
from gated import TOWNS, GatedGenerator, open_towns, question
from playwright.sync_api import Browser, Page, expect
from served import serving

from rag.config import Config
from rag.server.engine import Running

pytestmark = BROWSER
# Notes each text that the status line had, and whether a new element brought one said already.
WATCH = """() => {
    window.__said = []; window.__again = 0;
    let text = "", node = null;
    new MutationObserver(() => {
        const status = document.querySelector(".facts .status");
        if (!status || (status === node && status.textContent === text)) return;
        if (status.textContent === text) window.__again += 1;
        else window.__said.push(status.textContent);
        text = status.textContent; node = status;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture
def model() -> GatedGenerator:
    return GatedGenerator(open_at_once=False)


@pytest.fixture
def url(
    tmp_path: Path, config: Config, model: GatedGenerator, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a server that takes on as many questions as the test is marked with."""
    running = Running(request.param)
    with open_towns(tmp_path, config, model) as rag, serving(rag, running=running) as server:
        yield server.url
        model.gate.set()


def arrive(browser: Browser, url: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(url)
    expect(page.locator(".welcome")).to_be_visible(timeout=60_000)
    page.evaluate(WATCH)
    return page


def ask(page: Page, text: str) -> None:
    page.locator("#question textarea").fill(text)
    page.locator("#question textarea").press("Enter")


@pytest.mark.parametrize("url", [12], indirect=True)
def test_eight_visitors_see_their_place_and_get_their_own_answers(
    browser: Browser, model: GatedGenerator, url: str
) -> None:
    pages = [arrive(browser, url) for _ in TOWNS]
    for n, (page, town) in enumerate(zip(pages, TOWNS, strict=True)):
        ask(page, question(town))
        # Everybody has the evidence, whoever's answer is being written.
        expect(page.locator(".found .sentence").first).to_contain_text(f"{town} has")
        ahead = f"{n} answer{'s are' if n > 1 else ' is'} written before yours…"
        doing = ahead if n else "Reading the evidence…"
        expect(page.get_by_role("status").filter(has_text="…")).to_have_text(doing)
    # One in the middle leaves the queue: those behind move up.
    pages[3].get_by_role("button", name="Stop").click()
    expect(pages[3].locator("p.stopped")).to_be_visible()
    expect(pages[7].locator(".status")).to_have_text("6 answers are written before yours…")
    model.seconds = 0.3
    model.gate.set()
    for n, (page, town) in enumerate(zip(pages, TOWNS, strict=True), start=1):
        if n == 4:
            continue
        expect(page.locator('.answer[aria-busy="false"]')).to_contain_text(f"{n},{n}00 people")
        others = [other for other in TOWNS if other != town]
        shown = page.locator(".answer").inner_text()
        assert town in shown
        assert not [other for other in others if other in shown]
    assert model.begun == [question(town) for town in TOWNS if town != "Dunmor"]
    assert model.most_at_once == 1
    # The live region of the last one said each place once, and nothing again in a new element.
    said = pages[7].evaluate("window.__said")
    places = [int(text.split()[0]) for text in said if "before yours" in text]
    assert places[:2] == [7, 6]
    assert places == sorted(set(places), reverse=True)
    assert pages[7].evaluate("window.__again") == 0
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("url", [2], indirect=True)
def test_who_cannot_be_taken_on_is_told_so_and_keeps_the_question(
    browser: Browser, model: GatedGenerator, url: str
) -> None:
    pages = [arrive(browser, url) for _ in range(3)]
    for page, town in zip(pages[:2], TOWNS, strict=False):
        ask(page, question(town))
        expect(page.locator(".found .sentence").first).to_be_visible()
    late = pages[2]
    ask(late, question("Castra"))
    expect(late.locator("#hint [role=status]")).to_have_text(
        "2 questions are in progress already, and more cannot be answered at once: "
        "ask again in a minute. Your question is still in the box."
    )
    expect(late.locator("#question textarea")).to_have_value(question("Castra"))
    expect(late.locator("#ask")).to_be_visible()
    model.gate.set()
    for page in pages[:2]:
        expect(page.locator('.answer[aria-busy="false"]')).to_contain_text("people")
    late.locator("#question textarea").press("Enter")
    expect(late.locator('.answer[aria-busy="false"]')).to_contain_text("3,300 people")
    for page in pages:
        page.context.close()
