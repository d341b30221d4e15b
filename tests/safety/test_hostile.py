"""Bad input through every door: question, file name, title and body, page, HTTP and tools."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fake_rag import FakeRag, article
from hostile_strings import LEAKS, hostile_strings
from served import Server, serving

from rag.answering.pipeline import Rag
from rag.api.openai import written
from rag.config import Config
from rag.errors import InputError
from rag.text.untrusted import to_json
from rag.types import Citation, Evidence
from rag.web.answer_html import exchange_html, welcome
from rag.web.articles_html import shelf
from rag.web.session import answering, opened

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TRIGGERS = re.compile("moon|broken|fault|slow|hostile")  # what the scripted engine acts on


class Markup(HTMLParser):
    """The tags of a page and the names of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def page(text: str) -> str:
    """Return all that the page shows of an article that has the text everywhere."""
    path = f"{text}.txt"
    rag = FakeRag(
        articles=(article(path, text, f"{text} One. {text} Two.\n", text, text),),
        unread=((text, text),),
    )
    *_, exchange = answering(rag, (), f"{text}?", threading.Event())
    shown = exchange.citations[0] if exchange.citations else None
    clicked = {
        "article": path,
        "exchange": 1,
        "start": shown and shown.start,
        "end": shown and shown.end,
    }
    contents = rag.contents()
    parts = (
        exchange_html(exchange),
        opened(rag, [exchange], clicked),
        welcome(contents, text),
        welcome(contents),
        shelf(contents, notice=text, skipped=rag.skipped()),
        opened(rag, [exchange], {"article": text, "start": text, "end": text, "exchange": text}),
    )
    return "".join(parts)


def no_markup_gets_through(count: int) -> None:
    plain = [Markup(page(text)) for text in ("Plain words", "2024-06-03", "Plain " * 60, "a" * 400)]
    tags = set().union(*(each.tags for each in plain))
    attributes = set().union(*(each.attributes for each in plain))
    for text in hostile_strings(count):
        if not TRIGGERS.search(text):
            made = Markup(page(text))
            assert made.tags <= tags, text
            assert made.attributes <= attributes, text
    assert "script" not in tags
    assert not any(name.startswith("on") for name in attributes)


def test_no_markup_of_300_strings_gets_into_the_page() -> None:
    no_markup_gets_through(300)


@pytest.mark.slow
def test_no_markup_of_10_000_strings_gets_into_the_page() -> None:
    no_markup_gets_through(10_000)


def engine_survives(folder: Path, config: Config, index: Path, count: int) -> None:
    """Index articles whose names, titles and bodies are hostile, and ask them hostile questions."""
    folder.mkdir()
    texts = list(hostile_strings(count))
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for text in texts:  # lone surrogates stand in JSON as escapes
            file.write(json.dumps({"title": text, "text": f"{text} {text}. The end."}) + "\n")
    for text in texts:
        name = re.sub(r"[/\0]", "_", text).encode("utf-8", "ignore").decode()
        name = name.encode()[:200].decode("utf-8", "ignore").strip(".")
        if name:
            (folder / f"{name}.txt").write_bytes(
                f"{text}\n\n{text}. End.".encode("utf-8", "replace")
            )
    with Rag.for_articles(folder, config, index) as rag:
        assert rag.contents()
        for text in texts:
            try:
                answer = rag.answer(text, date=None)
            except InputError:  # empty, and it says so
                continue
            places: list[Citation | Evidence] = [*answer.citations, *answer.evidence]
            for place in places:
                whole = rag.article(place.article).text
                assert whole[place.start : place.end] == place.quote
            assert json.loads(to_json(answer.to_dict()))["question"] == answer.question
            assert "<script" not in written(answer).replace("\\<", "").lower()


def test_the_engine_survives_40_hostile_articles_and_questions(
    tmp_path: Path, config: Config
) -> None:
    engine_survives(tmp_path / "articles", config, tmp_path / "index", 40)


@pytest.mark.slow
def test_the_engine_survives_10_000_hostile_articles_and_questions(
    tmp_path: Path, config: Config
) -> None:
    engine_survives(tmp_path / "articles", config, tmp_path / "index", 10_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.app import Options
    from rag.server.settings import Limits

    limits = Limits(questions_per_minute=10**9)
    with serving(FakeRag(), options=Options(limits=limits)) as served:
        yield served


def requests_with(text: str) -> list[tuple[str, str, Any]]:
    """Return every request that the text can be part of: method, path and JSON."""
    name = quote(text.encode("utf-8", "surrogatepass"), safe="")
    tool = {"name": "read_article", "arguments": {"path": text}}
    return [
        ("POST", "/v1/search", {"question": text}),
        ("POST", "/v1/search", {"question": text, "date": text}),
        ("POST", "/v1/answer", {"question": text, "history": [{"role": "user", "text": text}]}),
        ("POST", "/v1/answer", text),
        ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": text}]}),
        ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}),
        ("GET", f"/v1/articles/{name}", None),
        ("GET", f"/v1/articles?limit={name}", None),
        ("GET", f"/v1/{name}", None),
    ]


def programs_survive(server: Server, count: int, through_all: int) -> None:
    """Send the first strings in every request, each of the others in two."""
    headers = {"content-type": "application/json"}
    for number, text in enumerate(hostile_strings(count)):
        if TRIGGERS.search(text):
            continue
        requests = requests_with(text)
        if number >= through_all:
            requests = [
                requests[number % len(requests)],
                requests[(number * 7 + 2) % len(requests)],
            ]
        for method, path, sent in requests:
            content = None if sent is None else json.dumps(sent).encode()
            accept = "application/json" + (", text/event-stream" if path == "/mcp" else "")
            given = {**headers, "accept": accept}
            told(server.http.request(method, path, content=content, headers=given))


def told(response: httpx.Response) -> None:
    assert response.status_code < 500, (response.request.url, response.text)
    if response.status_code >= 400:
        assert not LEAKS.search(response.text), response.text
    assert response.headers["content-type"].split(";")[0].endswith("json")


def test_programs_get_no_5xx_and_no_leak_for_30_strings(server: Server) -> None:
    programs_survive(server, 30, 30)


@pytest.mark.slow
def test_programs_get_no_5xx_and_no_leak_for_10_000_strings(server: Server) -> None:
    programs_survive(server, 10_000, 500)
