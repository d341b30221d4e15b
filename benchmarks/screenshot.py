"""Take the picture of the chat for the README: ``python benchmarks/screenshot.py``.

Serves the seed articles, asks a question in a real browser, opens a citation, and writes
docs/screenshot.png. ``--fake`` uses the tests' scripted engine, which needs no models.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from rag.asking import SearchEngine

ROOT = Path(__file__).parents[1]
QUESTION = "What does the White House report Russia has done, and what does that move show?"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a picture of the chat.")
    parser.add_argument("--articles", type=Path, default=ROOT / "seeds")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--citation", type=int, default=1, help="which one to open; 0 for none")
    parser.add_argument("--size", choices=SIZES, default="desktop")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--fake", action="store_true", help="the scripted engine of the tests")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "screenshot.png")
    asked = parser.parse_args()
    with engine(asked.articles, fake=asked.fake) as rag, served(rag) as url:
        asked.output.parent.mkdir(parents=True, exist_ok=True)
        photograph(url, asked)
    print(asked.output)


@contextlib.contextmanager
def engine(articles: Path, *, fake: bool) -> Iterator[SearchEngine]:
    if fake:
        sys.path.insert(0, str(ROOT / "tests"))
        from fake_rag import ARTICLES, FakeRag

        yield FakeRag(ARTICLES[:2])
        return
    from rag import Rag

    with Rag.for_articles(articles) as rag:
        rag.warm_up()
        yield rag


@contextlib.contextmanager
def served(rag: SearchEngine) -> Iterator[str]:
    from rag.serving import launch
    from rag.session import Running

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    blocks = launch(rag, Running(), host="127.0.0.1", port=port)
    yield f"http://127.0.0.1:{port}"
    blocks.close(verbose=False)


def photograph(url: str, asked: argparse.Namespace) -> None:
    width, height = SIZES[asked.size]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if asked.dark else "light",
            reduced_motion="reduce",
        )
        page.goto(url)
        question = page.locator("#question textarea")
        question.fill(asked.question)
        question.press("Enter")
        # A language model on a small machine takes its time.
        expect(page.locator('.answer[aria-busy="false"]')).to_be_visible(timeout=300_000)
        if asked.citation:
            page.locator(".answer .cite").nth(asked.citation - 1).click()
            expect(page.locator("mark.current")).to_be_visible()
        page.mouse.move(0, 0)  # nothing is pointed at
        page.screenshot(path=asked.output)
        browser.close()


if __name__ == "__main__":
    main()
