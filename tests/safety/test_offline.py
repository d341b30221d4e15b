"""Nothing leaves the machine: what a page asks for, and every socket that its server opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest
from browsing import BROWSER, chromium, visit
from playwright.sync_api import expect
from served import free_port

ROOT = Path(__file__).parents[2]
pytestmark = BROWSER
# Runs in the server and in every Python that it starts, before anything else of theirs.
WATCH = """
    import json, os, sys

    def watch(event, arguments):
        if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto",
                     "socket.gethostbyname"}:
            address = arguments[1] if event in {"socket.connect", "socket.bind", "socket.sendto"} \\
                else arguments[:2]
            with open(os.environ["SEEN"], "a") as file:
                file.write(json.dumps([event, repr(address)]) + "\\n")

    sys.addaudithook(watch)
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "sitecustomize.py").write_text(textwrap.dedent(WATCH), "utf-8")
    return tmp_path / "seen.jsonl"


def test_a_served_page_and_its_server_speak_to_this_machine_alone(
    tmp_path: Path, articles: Path, seen: Path
) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "rag",
        "serve",
        str(articles),
        "--index",
        str(tmp_path / "index"),
        "--encoder",
        "hashed",
        "--generator",
        "extractive",
        "--no-browser",
        "--port",
        str(port),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path / 'hooks'}{os.pathsep}{ROOT}",
        "SEEN": str(seen),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "HOME": str(tmp_path),
    }
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            with chromium() as browser, visit(browser, f"http://127.0.0.1:{port}") as tab:
                tab.ask("What did the mayor say about the bridge?")
                tab.page.locator(".cite").first.click()
                expect(tab.page.locator("mark.current")).to_be_visible()
                tab.page.get_by_role("button", name="History", exact=True).click()
                expect(tab.page.locator(".conversations li")).to_have_count(1)
            # ``visit`` has checked that every request of the page went to this server.
        finally:
            server.terminate()
    events = [json.loads(line) for line in seen.read_text("utf-8").splitlines()]
    assert any(event == "socket.bind" and str(port) in address for event, address in events)
    outside = [
        (event, address)
        for event, address in events
        if not address.startswith(("('127.0.0.1'", "('localhost'", "('::1'"))
    ]
    assert outside == []


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.2)
        else:
            return
