"""How soon the page is there: ``python -m benchmarks.web.page`` → benchmarks/results/page.md.

Starts ``python -m rag serve`` a few times over a built index and measures, from its start, when the
server answers, when the page stands in a browser, and when a first question's evidence does. The
language model may still be loading then; nothing waits for it.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).parents[2]
QUESTION = "What does the White House report Russia has done?"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
MEASURES = {  # name → goal in seconds
    "server answers, from its start": None,
    "first load of the page": 3.0,
    "page ready, from the start": 10.0,
    "evidence ready, from the start": 10.0,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measure how soon the page and evidence are there."
    )
    parser.add_argument("--articles", type=Path, default=ROOT / "seeds")
    parser.add_argument("--generator", default="llamacpp")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results" / "page.md")
    asked = parser.parse_args()
    index = [sys.executable, "-m", "rag", "index", str(asked.articles)]
    subprocess.run(index, check=True, stdout=subprocess.DEVNULL)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        runs = [measure(browser, asked) for _ in range(asked.times)]
        browser.close()
    asked.output.write_text(table(runs, asked), encoding="utf-8")
    print(asked.output)


def measure(browser: Browser, asked: argparse.Namespace) -> dict[str, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "rag",
        "serve",
        str(asked.articles),
        "--no-browser",
        "--no-history",
        "--port",
        str(port),
        "--generator",
        asked.generator,
    ]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            answers = time.monotonic()
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            expect(page.locator(".welcome")).to_be_visible(timeout=60_000)
            loaded = time.monotonic()
            page.locator("#question textarea").fill(QUESTION)
            page.locator("#question textarea").press("Enter")
            expect(page.locator(".found .sentence").first).to_be_visible(timeout=60_000)
            found = time.monotonic()
            page.context.close()
        finally:
            server.terminate()
    seconds = (answers - begun, loaded - answers, loaded - begun, found - begun)
    return dict(zip(MEASURES, seconds, strict=True))


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        if server.poll() is not None:
            raise SystemExit("The server has ended; its output above says why.")
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def table(runs: list[dict[str, float]], asked: argparse.Namespace) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    rows = [
        f"| {name} | {statistics.median(run[name] for run in runs):.1f} | "
        f"{max(run[name] for run in runs):.1f} | {f'{goal:.0f}' if goal else ''} |"
        for name, goal in MEASURES.items()
    ]
    return "\n".join(
        [
            f"`python -m benchmarks.web.page --generator {asked.generator} --times "
            f"{asked.times}`, on "
            f"commit {commit}. Seconds, over a built index; {len(runs)} starts, each with a "
            "browser that has nothing of the page yet.",
            "",
            "| measure | median | most | goal |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
