"""A real browser, its visitors, and a server that keeps conversations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fake_rag import ARTICLES, FakeRag, article

# A file that imports this before playwright skips with it.
pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served import serving

from rag.history.feedback import Feedback
from rag.history.storage import Store
from rag.types import Article
from rag.web.history import Keeping

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
BROWSER = [  # the marks of a file of browser tests
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt install chromium)"),
    # Gradio leaves event loops and their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
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
    from rag.app import Options

    rag = FakeRag(articles, pause=0.02)
    keeping = Keeping(rag, Store(folder / "conversations"), Feedback(folder / "ratings"))
    with serving(rag, Options(keeping=keeping)) as server:
        yield Kept(rag, server.url, folder)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def in_view(page: Page, selector: str) -> bool:
    """Return whether the element is inside what its pane shows at the moment."""
    seen: bool = page.evaluate(
        """(selector) => {
            const box = document.querySelector(selector).getBoundingClientRect();
            const pane = document.getElementById("side").getBoundingClientRect();
            const bottom = Math.min(pane.bottom, innerHeight);
            return box.height > 0 && box.top >= pane.top && box.bottom <= bottom
                && box.left >= pane.left && box.right <= innerWidth;
        }""",
        selector,
    )
    return seen


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
