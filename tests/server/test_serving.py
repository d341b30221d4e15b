"""``python -m rag serve`` as a process: its messages, its interfaces and its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served import free_port

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-sufficient-length"


@pytest.fixture
def served(articles: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    token = tmp_path / "token"
    token.write_text(TOKEN)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FOOTNOTE_TOKEN_FILE": str(token),
        "FOOTNOTE_LOG": "json",
        "FOOTNOTE_ARTICLES": str(articles),
        "FOOTNOTE_INDEX": str(tmp_path / "index"),
        "FOOTNOTE_ENCODER": "hashed",
        "FOOTNOTE_GENERATOR": "extractive",
        "FOOTNOTE_PORT": str(port),
    }
    command = [sys.executable, "-m", "rag", "serve", "--no-browser", "--host", "0.0.0.0"]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process, port
        process.kill()


def test_it_says_where_it_is_answers_and_ends_when_told(
    served: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = served
    assert process.stdout
    said = process.stdout.readline()
    assert said == f"Footnote is at http://localhost:{port}/ (Ctrl+C ends it)\n"
    headers = {"authorization": f"Bearer {TOKEN}", "x-request-id": "request-1234"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/articles").status_code == 401
        asked = {"question": "What do tickets for the ferry to Lisk cost?"}
        answer = client.post("/v1/answer", json=asked, headers=headers)
        assert "nine euros" in answer.json()["answer"]
        assert client.get("/readyz").json() == {"ready": True, "index": "open", "model": "loaded"}
        assert "Footnote" in client.get("/", headers=headers).text
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "Footnote ends.\n")
    lines = err.splitlines()
    assert any('"POST /v1/answer 200' in line and "request-1234" in line for line in lines)
    assert all(re.fullmatch(r'\{"time": .*\}', line) for line in lines), err
    assert "tickets" not in err
