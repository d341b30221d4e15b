"""What the chat does with the engine, without Gradio: run a question, stop it, open an article."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeAlias

from rag import texts
from rag.errors import RagError
from rag.history.conversation import Context, Exchange, Place, advance, turns
from rag.server.engine import Engine, refresh
from rag.text.terms import wording
from rag.types import Article, ArticleSummary, Event, Scope, Sentence
from rag.web.answer_html import welcome
from rag.web.reader_html import Highlight, article_html, nothing_open

Questions: TypeAlias = Callable[[tuple[ArticleSummary, ...]], Sequence[str]]
POLL = 0.1  # seconds between two looks at the cancel event
GRACE = 1.5  # seconds that a stopped engine has to hand over what it has verified


def answering(
    rag: Engine,
    earlier: Sequence[Exchange],
    question: str,
    cancel: threading.Event,
    scope: Scope | None = None,
    limited: str = "",
) -> Iterator[Exchange]:
    """Yield the exchange each time something of it has become known.

    ``limited``: what the ``scope`` is, in words.
    """
    today = dt.datetime.now().astimezone().date().isoformat()
    exchange = Exchange(len(earlier) + 1, question, asked=today, limited=limited)
    yield exchange
    refresh(rag)
    try:
        limits = {} if scope is None else {"scope": scope}
        history = turns(earlier)
        events = rag.stream(question, history=history, date=today, cancel=cancel, **limits)
        for event in until_stopped(events, cancel):
            exchange = advance(exchange, event)
            if not exchange.working:
                break
            yield exchange
            whole = with_contexts(rag, exchange)
            if whole.contexts != exchange.contexts:  # drawing the same again costs computing time
                yield whole
            exchange = whole
    except RagError as error:
        exchange = replace(exchange, state="failed", error=str(error))
    except Exception:  # a fault of ours must not leave the page waiting
        logging.getLogger(__name__).exception("The question failed")
        exchange = replace(exchange, state="failed", error=texts.FAULT)
    if cancel.is_set():
        exchange = replace(exchange, state="stopped", error=None)
    yield with_contexts(rag, exchange)


def until_stopped(events: Iterator[Event], cancel: threading.Event) -> Iterator[Event]:
    """Yield ``events``; after ``cancel`` the rest only if it comes soon.

    An engine that loads a model or reads a prompt cannot look at ``cancel`` before it is done. It
    therefore runs in a thread of its own, which the visitor who stops it does not wait for.
    """
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer")
    try:
        while True:
            coming = worker.submit(next, events, None)
            while not coming.done() and not cancel.is_set():
                wait([coming], timeout=POLL)
            wait([coming], timeout=GRACE)
            event = coming.result() if coming.done() else None
            if event is None:
                return
            yield event
    finally:
        worker.shutdown(wait=False)


def with_contexts(rag: Engine, exchange: Exchange) -> Exchange:
    """Return the exchange with the neighbours of all the sentences that it shows."""
    found: dict[Place, Context] = dict(exchange.contexts)
    for shown in exchange.places():
        place = (shown.article, shown.start, shown.end)
        if place not in found:
            with contextlib.suppress(RagError):  # deleted meanwhile: the quote stands alone
                article = rag.article(shown.article)
                if article.text[shown.start : shown.end] != shown.quote:
                    continue  # edited meanwhile
                found[place] = neighbours(rag, article, shown.start, shown.end)
    return replace(exchange, contexts=found)


def neighbours(rag: Engine, article: Article, start: int, end: int) -> Context:
    """Return the sentence before ``start`` and the one after ``end``."""
    before = next(rag.sentences_before(article.path, start), None)
    after = next(rag.sentences_from(article.path, end), None)
    return (
        article.text[before.start : before.end] if before else "",
        article.text[after.start : after.end] if after else "",
    )


def begun(rag: Engine, questions: Questions = lambda _: ()) -> tuple[str, str]:
    """Return what a new conversation shows, and the pane beside it."""
    refresh(rag)
    try:
        contents = rag.contents()
    except RagError as error:
        return welcome((), error=str(error)), nothing_open(str(error))
    return welcome(contents, questions(contents)), nothing_open()


def opened(rag: Engine, exchanges: Sequence[Exchange], wanted: object) -> str:
    """Return the pane for a click; ``wanted`` comes from the browser and is not trusted."""
    asked = wanted if isinstance(wanted, dict) else {}
    path = str(asked.get("article"))
    try:
        if path not in {article.path for article in rag.contents()}:
            gone = texts.NO_ARTICLE.format(path) if "article" in asked else ""
            return nothing_open(gone)
        article = rag.article(path)
        number, start, end = (_integer(asked.get(key)) for key in ("exchange", "start", "end"))
        there = next(rag.sentences_from(path, start), None)
    except RagError as error:
        return nothing_open(str(error))
    exchange = next((e for e in exchanges if e.number == number), None)
    here = [p for p in exchange.places() if p.article == path] if exchange else []
    # A sentence is marked only where it stands exactly as it was quoted.
    intact = [p for p in here if article.text[p.start : p.end] == p.quote]
    spans = [Highlight(p.start, p.end, getattr(p, "number", None)) for p in intact]
    current = next((span for span in spans if (span.start, span.end) == (start, end)), None)
    if current is None and exchange and _is_shown_copy(exchange, article, start, end):
        current = Highlight(start, end)
    if exchange is None and Sentence(start, end) == there:
        current = Highlight(start, end)  # the server forgot the conversation; the page did not
    cited = [span for span in spans if span.number is not None]
    changed = current is None and start >= 0
    notice = texts.CHANGED if changed else ""
    return article_html(
        article, cited, current, exchange=exchange.number if exchange else None, notice=notice
    )


def _is_shown_copy(exchange: Exchange, article: Article, start: int, end: int) -> bool:
    """Return whether a sentence is listed as "also in", and still says what is quoted."""
    wanted = (article.path, start, end)
    return any(
        (copy.article, copy.start, copy.end) == wanted
        and wording(shown.quote) == wording(article.text[start:end])
        for shown in exchange.places()
        for copy in shown.also_in
    )


def _integer(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
