"""Take the pictures of the chat for the README: ``python -m benchmarks.web.screenshot``.

Serves the seed articles, asks a question in a real browser, opens a citation, and writes
screenshot.png, screenshot-dark.png and screenshot-phone.png to docs/. ``--more`` adds the page's
other states. ``--generator extractive`` needs no language model, ``--fake`` (the tests' scripted
engine) no models at all.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

if TYPE_CHECKING:
    from rag.server.engine import Engine

ROOT = Path(__file__).parents[2]
QUESTION = "What is happening on the Korean peninsula?"  # nothing was tuned on it
UNANSWERED = "Who won the football world cup in 1998?"
DESKTOP, PHONE = (1280, 800), (390, 844)  # CSS pixels
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
WAIT = 300_000  # milliseconds: a language model on a small machine takes its time
expect.set_options(timeout=60_000)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write pictures of the chat.")
    parser.add_argument("--articles", type=Path, default=ROOT / "seeds")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--unanswered", default=UNANSWERED, help="a question to be refused")
    parser.add_argument("--citation", type=int, default=1, help="which one to open")
    parser.add_argument("--generator", default=None, help="such as extractive")
    parser.add_argument("--fake", action="store_true", help="the scripted engine of the tests")
    parser.add_argument("--more", action="store_true", help="also the page's other states")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    with engine(asked) as rag, served(rag) as url:
        photograph(url, asked)


@contextlib.contextmanager
def engine(asked: argparse.Namespace) -> Iterator[Engine]:
    if asked.fake:
        sys.path.insert(0, str(ROOT / "tests/support"))
        from fake_rag import ARTICLES, FakeRag

        yield FakeRag(ARTICLES[:2])
        return
    from rag import Config, Rag

    config = Config(generator=asked.generator) if asked.generator else Config()
    with Rag.for_articles(asked.articles, config) as rag:
        rag.warm_up()
        yield rag


@contextlib.contextmanager
def served(rag: Engine) -> Iterator[str]:
    from rag.app import Options, launch
    from rag.history.feedback import Feedback
    from rag.history.storage import Store
    from rag.server.engine import Running
    from rag.web.history import Keeping

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        keeping = Keeping(rag, Store(Path(folder, "kept")), Feedback(Path(folder, "rated")))
        blocks = launch(
            rag, Running(), host="127.0.0.1", port=port, options=Options(keeping=keeping)
        )
        yield f"http://127.0.0.1:{port}"
        blocks.close(verbose=False)


def photograph(url: str, asked: argparse.Namespace) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport=size(DESKTOP), reduced_motion="reduce")

        def waiting() -> None:
            if asked.more:
                take(page, asked, "waiting")

        page.goto(url)
        expect(page.locator(".welcome")).to_be_visible()
        if asked.more:
            take(page, asked, "start")
        ask(page, asked.question, 1, waiting=waiting)
        for name, shape, dark in (
            ("screenshot", DESKTOP, False),
            ("screenshot-dark", DESKTOP, True),
            ("screenshot-phone", PHONE, False),
        ):
            come_back(page, shape, dark=dark)  # the conversation is kept
            if shape == PHONE:
                take(page, asked, f"{name}")
            if shape == DESKTOP or asked.more:
                cite(page, asked.citation)
                take(page, asked, name if shape == DESKTOP else f"{name}-reader")
        if asked.more:
            other_states(page, asked)
        browser.close()


def other_states(page: Page, asked: argparse.Namespace) -> None:
    come_back(page, DESKTOP, dark=False)
    page.locator(".confidence").hover()
    expect(page.get_by_role("tooltip")).to_be_visible()
    take(page, asked, "tooltip", still=True)
    page.locator(".rate.down").click()
    expect(page.locator(".note-form")).to_be_visible()
    ask(page, asked.unanswered, 2)
    page.get_by_role("button", name="History", exact=True).click()
    expect(page.locator(".conversations li")).to_have_count(1)
    take(page, asked, "refusal-conversations")
    come_back(page, PHONE, dark=True)
    take(page, asked, "refusal-phone-dark")


def size(shape: tuple[int, int]) -> ViewportSize:
    return {"width": shape[0], "height": shape[1]}


def come_back(page: Page, shape: tuple[int, int], *, dark: bool) -> None:
    page.set_viewport_size(size(shape))
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.reload()
    expect(page.locator(".exchange").first).to_be_visible()


def ask(page: Page, text: str, number: int, waiting: Callable[[], None] = lambda: None) -> None:
    question = page.locator("#question textarea")
    question.fill(text)
    question.press("Enter")
    expect(
        page.locator(f"#exchange-{number} .status, #exchange-{number} .found li").first
    ).to_be_visible()
    waiting()
    expect(page.locator(f'#exchange-{number} .answer[aria-busy="false"]')).to_be_visible(
        timeout=WAIT
    )
    expect(page.locator("#ask")).to_be_visible()


def cite(page: Page, number: int) -> None:
    page.locator(".answer .cite").nth(number - 1).click()
    expect(page.locator("mark.current")).to_be_visible()


def take(page: Page, asked: argparse.Namespace, name: str, *, still: bool = False) -> None:
    if not still:
        page.mouse.move(0, 0)  # nothing is pointed at
    page.screenshot(path=asked.output / f"{name}.png")
    print(asked.output / f"{name}.png", flush=True)


if __name__ == "__main__":
    main()
