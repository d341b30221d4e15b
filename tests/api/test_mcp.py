"""The tools for agents, used with the SDK's own client: in memory, over HTTP and over stdio."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anyio
import pytest
from fake_rag import HOSTILE, FakeRag
from served import Server, serving
from test_api import SLOW

pytest.importorskip("mcp")
from mcp import Client, StdioServerParameters, stdio_client

from rag.answering.pipeline import Rag
from rag.api.asking import Asking
from rag.api.mcp import UNTRUSTED, mcp_server
from rag.config import Config
from rag.server.engine import Running
from rag.server.limits import Gate
from rag.server.settings import Limits

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TOOLS = ["answer_question", "read_article", "search_articles"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FakeRag()) as served:
        yield served


def use(where: Any, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[Any]]:
    """Return the names of the tools, and the results of the calls."""

    async def run() -> tuple[list[str], list[Any]]:
        async with Client(where) as client:
            names = sorted(tool.name for tool in (await client.list_tools()).tools)
            return names, [await client.call_tool(name, given) for name, given in calls]

    return anyio.run(run)


def test_over_http(server: Server) -> None:
    names, (found, read, answer) = use(
        f"{server.url}/mcp",
        ("search_articles", {"question": "When?", "k": 2}),
        ("read_article", {"path": "islands/vis.txt"}),
        ("answer_question", {"question": "When?", "date": "2024-10-25"}),
    )
    assert names == TOOLS
    assert len(found.structured_content["evidence"]) == 2
    assert "Vis has dug tunnels." in read.content[0].text
    assert read.structured_content["next"] is None
    for cited in answer.structured_content["citations"]:
        text = server.rag.article(cited["article"]).text
        assert text[cited["start"] : cited["end"]] == cited["quote"]
        place = f"{cited['article']}[{cited['start']}:{cited['end']}]"
        assert place in answer.content[0].text
    assert answer.structured_content["untrusted"] == UNTRUSTED


def test_a_client_that_goes_away_ends_the_work(server: Server) -> None:
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "answer_question", "arguments": {"question": SLOW}},
    }
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as client:
        client.request("POST", "/mcp", json.dumps(asked), headers)
        server.rag.until(running=1)
    server.rag.until(running=0)


def in_memory() -> Any:
    return mcp_server(Asking(FakeRag(), Running(), Gate(Limits())))


def test_what_articles_say_stands_between_lines_that_they_cannot_know() -> None:
    _, (read,) = use(in_memory(), ("read_article", {"path": "hostile.txt"}))
    said, opened, *inside, closed = read.content[0].text.split("\n")
    assert said == UNTRUSTED
    mark = re.fullmatch(r"<(articles-[0-9a-f]{16})>", opened)
    assert mark
    assert closed == f"</{mark[1]}>"
    assert HOSTILE in "\n".join(inside)


def test_errors_are_told_without_what_is_nobodys_business() -> None:
    _, results = use(
        in_memory(),
        ("answer_question", {"question": "Is it broken?"}),
        ("answer_question", {"question": "A fault?"}),
        ("answer_question", {"question": ""}),
        ("read_article", {"path": "../../etc/passwd"}),
    )
    for result in results:
        assert result.is_error
        assert not re.search(r"qwen|not one of ours|Traceback|root:", result.content[0].text)


def test_the_setting_says_how_long_a_question_may_be(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    config = replace(config, question_characters=3_000)  # more than the default
    whole = "What do tickets for the ferry to Lisk cost?".ljust(3_000, "?")
    with Rag.for_articles(articles, config, tmp_path / "index") as rag:
        tools = mcp_server(Asking(rag, Running(), Gate(Limits())))
        for name in ("search_articles", "answer_question"):
            _, (taken, refused) = use(
                tools, (name, {"question": whole}), (name, {"question": f"{whole}?"})
            )
            assert "nine euros" in taken.content[0].text
            assert (refused.is_error, "3,000" in refused.content[0].text) == (True, True)


def test_over_stdio(articles: Path, tmp_path: Path) -> None:
    settings = ["--encoder", "hashed", "--generator", "extractive"]
    command = ["-m", "rag", "mcp", str(articles), "--index", str(tmp_path / "index"), *settings]
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    parameters = StdioServerParameters(command=sys.executable, args=command, env=environment)
    names, (answer,) = use(
        stdio_client(parameters),
        ("answer_question", {"question": "What do tickets for the ferry to Lisk cost?"}),
    )
    assert names == TOOLS
    cited = answer.structured_content["citations"][0]
    text = (articles / cited["article"]).read_text("utf-8")
    assert text[cited["start"] : cited["end"]] == cited["quote"]
    assert "nine euros" in answer.content[0].text
