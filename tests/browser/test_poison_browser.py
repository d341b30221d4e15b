"""The poisoned articles in a real browser: they stay text, and nothing of them runs or loads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import BROWSER
from playwright.sync_api import Browser, Dialog, Page, expect
from poison_pack import Obedient, Poison, load_pack, write_articles
from served import serving

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.text.untrusted import shown

pytestmark = BROWSER
CASES = {case.id: case for case in load_pack()}
ASKED = (
    "html-2",
    "html-8",
    "html-10",
    "markdown-1",
    "markdown-5",
    "bidi-7",
    "metadata-2",
    "metadata-6",
    "metadata-7",
    "hostile_question-4",
)


class Opened:
    """A page that notes what it must not do."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.outside: list[str] = []
        self.dialogs: list[str] = []
        page.on("request", lambda request: self._requested(request.url))
        page.on("dialog", self._asked)
        page.goto(url)
        expect(page.locator(".welcome")).to_be_visible()

    def _requested(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.outside.append(url)

    def _asked(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def check(self) -> None:
        assert self.outside == []
        assert self.dialogs == []
        assert self.page.url.rstrip("/") == self.url
        assert self.page.evaluate("window.__pwned") is None
        inside = "#thread :is(img, iframe, script, style, form, base, link, meta, svg, object)"
        for place in (inside, inside.replace("#thread", "#side")):
            assert self.page.locator(place).count() == 0


@pytest.fixture(scope="module")
def generator() -> Obedient:
    return Obedient()


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, generator: Obedient
) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("poison")
    config = Config(encoder="hashed", store="numpy", decline_below=0.0)
    articles = write_articles(folder / "articles")
    with (
        Rag.for_articles(articles, config, folder / "index", generator=generator) as rag,
        serving(rag) as server,
    ):
        page = browser.new_page()
        yield Opened(page, server.url)
        page.close()


def article_of(path: str) -> str:
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'button.entry[data-article="{quoted}"]'


@pytest.mark.parametrize("case", [CASES[name] for name in ASKED], ids=ASKED)
def test_a_poisoned_article_stays_text(opened: Opened, generator: Obedient, case: Poison) -> None:
    page = opened.page
    generator.text = case.true_answer
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".exchange")).to_have_count(0)
    page.locator("#question textarea").fill(case.question)
    page.locator("#question textarea").press("Enter")
    expect(page.locator('#exchange-1 .answer[aria-busy="false"]')).to_be_visible()
    expect(page.locator("#ask")).to_be_visible()
    page.locator("#exchange-1 :is(.cite, .evidence, .source)").first.click()
    expect(page.locator("mark.current")).to_be_visible()
    opened.check()
    page.get_by_role("button", name="All articles").click()
    expect(page.locator("#side .count")).to_be_visible()
    # The list scrolls to its top when it comes, so no click at a place on the screen.
    page.locator(article_of(case.path)).dispatch_event("click")
    expect(page.locator("#side p.path")).to_have_text(" ".join(shown(case.path).split()))
    body = page.locator("#side .text").inner_text()
    for line in case.article.strip().splitlines()[-1:]:
        assert "".join(shown(line).split()) in "".join(body.split())
    for link in page.locator("#side a").all():
        assert (link.get_attribute("href") or "").startswith("https://example.org/")
    opened.check()
