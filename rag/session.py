"""What the chat does with the engine, without Gradio: run a question, stop it, open an article."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from rag.conversation import Context, Exchange, Place, advance, neighbours, turns
from rag.errors import ArticleError, RagError
from rag.reader import Span, article_html, library
from rag.types import Article, ArticleSummary, Event, Sentence, Turn


class Engine(Protocol):
    """What the chat needs of ``rag.Rag``."""

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]: ...
    def article(self, path: str) -> Article: ...
    def sentences(self, path: str) -> tuple[Sentence, ...]: ...
    def contents(self) -> tuple[ArticleSummary, ...]: ...
    def warm_up(self) -> None: ...


class Running:
    """The cancel event of each visitor's running question, by Gradio's session hash.

    These cannot live in ``gr.State``: a handler sees its state as it was when it started, and the
    Stop button has to reach a handler that is already running.
    """

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def question(self, session: str) -> Iterator[threading.Event]:
        """Register a question; at the end, however it comes, its work is told to stop."""
        cancel = threading.Event()
        self.stop(session)
        with self._lock:
            self._events[session] = cancel
        try:
            yield cancel
        finally:
            cancel.set()
            with self._lock:
                if self._events.get(session) is cancel:
                    del self._events[session]

    def stop(self, session: str) -> None:
        """Stop the visitor's question, if there is one."""
        with self._lock:
            cancel = self._events.get(session)
        if cancel is not None:
            cancel.set()


def answering(
    rag: Engine, earlier: Sequence[Exchange], question: str, cancel: threading.Event
) -> Iterator[Exchange]:
    """Yield the exchange each time something of it has become known."""
    exchange = Exchange(len(earlier) + 1, question)
    yield exchange
    today = dt.datetime.now().astimezone().date().isoformat()
    try:
        for event in rag.stream(question, history=turns(earlier), date=today, cancel=cancel):
            exchange = advance(exchange, event)
            if not exchange.working:
                break
            yield exchange
    except RagError as error:
        exchange = replace(exchange, state="failed", error=str(error))
    if cancel.is_set():
        exchange = replace(exchange, state="stopped", error=None)
    yield replace(exchange, contexts=contexts(rag, exchange))


def contexts(rag: Engine, exchange: Exchange) -> dict[Place, Context]:
    """Return the neighbouring sentences of everything the exchange cites."""
    found: dict[Place, Context] = {}
    for citation in exchange.citations:
        with contextlib.suppress(ArticleError):  # deleted meanwhile: the quote stands alone
            article, sentences = rag.article(citation.article), rag.sentences(citation.article)
            place = (citation.article, citation.start, citation.end)
            found[place] = neighbours(article, sentences, citation.start, citation.end)
    return found


def opened(rag: Engine, exchanges: Sequence[Exchange], wanted: object) -> str:
    """Return the pane for a click; ``wanted`` comes from the browser and is not trusted."""
    contents = rag.contents()
    asked = wanted if isinstance(wanted, dict) else {}
    path = str(asked.get("article"))
    if path not in {article.path for article in contents}:
        return library(contents)
    try:
        article = rag.article(path)
    except ArticleError as error:
        return library(contents, notice=str(error))
    number, start, end = (_integer(asked.get(key)) for key in ("exchange", "start", "end"))
    exchange = next((e for e in exchanges if e.number == number), None)
    here = [p for p in exchange.places() if p.article == path] if exchange else []
    # A sentence is marked only where it stands exactly as it was quoted.
    intact = [p for p in here if article.text[p.start : p.end] == p.quote]
    spans = [Span(p.start, p.end, getattr(p, "number", None)) for p in intact]
    current = next((span for span in spans if (span.start, span.end) == (start, end)), None)
    if exchange is None and Sentence(start, end) in rag.sentences(path):
        current = Span(start, end)  # the server forgot the conversation; the page did not
    cited = [span for span in spans if span.number is not None]
    changed = current is None and start >= 0
    notice = "This sentence is no longer in the article; it has been edited." if changed else ""
    return article_html(
        article, cited, current, exchange=exchange.number if exchange else None, notice=notice
    )


def _integer(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
