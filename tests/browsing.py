"""A server that keeps conversations, and visitors with a real browser, for the browser tests."""

from __future__ import annotations

import gc
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_rag import ARTICLES, FakeRag, article
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_chat_browser import CHROMIUM, FLAGS, free_port

from rag.feedback import Feedback
from rag.keeping import Keeping
from rag.kept import Store
from rag.types import Article

ARABIC = article(
    "akhbar.txt",
    "عبّارة الصباح إلى هفار",
    "تغادر العبّارة سبليت كل صباح في السابعة. السعر تسعة يورو.\n",
)
JAPANESE = article(
    "hvar.txt",
    "フヴァル島への朝のフェリー",
    "フェリーは毎朝七時にスプリトを出る. 料金は九ユーロです! 子供は無料.\n" * 3,
)


@dataclass
class Kept:
    """What is served, and where it keeps what."""

    rag: FakeRag
    url: str
    folder: Path


@contextmanager
def keeping_server(folder: Path, articles: Sequence[Article] = ARTICLES) -> Iterator[Kept]:
    from rag.serving import launch
    from rag.session import Running
    from rag.site import Options

    rag, port = FakeRag(articles, pause=0.02), free_port()
    keeping = Keeping(rag, Store(folder / "conversations"), Feedback(folder / "ratings"))
    blocks = launch(rag, Running(), host="127.0.0.1", port=port, options=Options(keeping=keeping))
    for path in ("/", "/favicon.ico"):  # see test_chat_browser.serving
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).close()
    yield Kept(rag, f"http://127.0.0.1:{port}", folder)
    blocks.close(verbose=False)
    del blocks
    gc.collect()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Tab:
    """One page of a visitor; ``check`` says what it must not have done."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.goto(self.url)
        expect(self.page.locator(".welcome, .exchange").first).to_be_visible()

    def _requested(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "data:", "blob:")):
            self.outside.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def ask(self, question: str, number: int = 1) -> None:
        """Ask, and wait until the exchange is finished."""
        self.page.locator("#question textarea").fill(question)
        self.page.locator("#question textarea").press("Enter")
        finished = f'#exchange-{number} .answer[aria-busy="false"]'
        expect(self.page.locator(finished)).to_be_visible()
        expect(self.page.locator("#ask")).to_be_visible()

    def check(self) -> None:
        assert self.complaints == []
        assert self.outside == []
        assert self.page.evaluate("window.__pwned") is None


@contextmanager
def visit(browser: Browser, url: str, **settings: Any) -> Iterator[Tab]:
    """A new visitor's first tab; at the end it has done nothing that it must not."""
    size = settings.pop("viewport", {"width": 1280, "height": 800})
    context = browser.new_context(viewport=size, **settings)
    tab = Tab(context.new_page(), url)
    yield tab
    tab.check()
    context.close()
