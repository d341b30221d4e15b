"""What the chat does with the engine, without Gradio: run a question, stop it, open an article."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol, TypeAlias

from rag import texts
from rag.conversation import Context, Exchange, Place, advance, turns
from rag.copies import is_copy
from rag.errors import Overloaded, RagError
from rag.page import welcome
from rag.reader import article_html, nothing_open
from rag.reader_bar import Span
from rag.types import Article, ArticleSummary, Event, Scope, SearchResult, Sentence, Turn

Questions: TypeAlias = Callable[[tuple[ArticleSummary, ...]], Sequence[str]]
POLL = 0.1  # seconds between two looks at the cancel event
# Questions in progress: one answer is written while the others wait, so with 15 s for each of them
# the last one has waited for three minutes. A further one is better told so at once.
MOST_QUESTIONS = 12
GRACE = 1.5  # seconds that a stopped engine has to hand over what it has verified


class Engine(Protocol):
    """What the chat needs of ``rag.Rag``."""

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        cancel: threading.Event | None = None,
        scope: Scope | None = None,
    ) -> Iterator[Event]: ...
    def search(self, question: str, k: int = 10) -> SearchResult: ...
    def article(self, path: str) -> Article: ...
    def sentences(self, path: str) -> tuple[Sentence, ...]: ...
    def sentences_from(self, path: str, position: int = 0) -> Iterator[Sentence]: ...
    def sentences_before(self, path: str, position: int) -> Iterator[Sentence]: ...
    def contents(self) -> tuple[ArticleSummary, ...]: ...
    def skipped(self) -> tuple[tuple[str, str], ...]: ...
    def behind(self) -> str: ...
    def refresh(self) -> bool: ...
    def warm_up(self) -> None: ...


class Running:
    """The cancel event of each visitor's running question, by Gradio's session hash.

    These cannot live in ``gr.State``: a handler sees its state as it was when it started, and the
    Stop button has to reach a handler that is already running.
    """

    def __init__(self, most: int = MOST_QUESTIONS) -> None:
        self._most = most
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def question(self, session: str) -> Iterator[threading.Event]:
        """Register a question; at the end, however it comes, its work is told to stop.

        Raises Overloaded, at once, when too many are in progress.
        """
        cancel = threading.Event()
        self.stop(session)
        with self._lock:
            if refusal := self.refusal(session):
                raise Overloaded(refusal)
            self._events[session] = cancel
        try:
            yield cancel
        finally:
            cancel.set()
            with self._lock:
                if self._events.get(session) is cancel:
                    del self._events[session]

    def refusal(self, session: str) -> str:
        """Say why a question of the visitor cannot be taken now; "" if it can."""
        if len(self._events) < self._most or session in self._events:
            return ""
        return texts.TOO_MANY.format(len(self._events))

    def busy(self, session: str) -> bool:
        """Return whether a question of the visitor's is in progress."""
        with self._lock:
            return session in self._events

    def stop(self, session: str) -> None:
        """Stop the visitor's question, if there is one."""
        with self._lock:
            cancel = self._events.get(session)
        if cancel is not None:
            cancel.set()

    def any(self) -> bool:
        """Return whether any question is in progress."""
        with self._lock:
            return bool(self._events)

    def stop_all(self) -> None:
        """Stop every visitor's question."""
        with self._lock:
            for cancel in self._events.values():
                cancel.set()


def answering(
    rag: Engine, earlier: Sequence[Exchange], question: str, cancel: threading.Event,
    scope: Scope | None = None, limited: str = "",
) -> Iterator[Exchange]:  # fmt: skip
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


def refresh(rag: Engine) -> None:
    """Let the next question see what a sync has changed; without it, the state before serves."""
    try:
        rag.refresh()
    except RagError as error:
        logging.getLogger(__name__).warning("The older state of the index is used: %s", error)


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
    spans = [Span(p.start, p.end, getattr(p, "number", None)) for p in intact]
    current = next((span for span in spans if (span.start, span.end) == (start, end)), None)
    if current is None and exchange and _is_shown_copy(exchange, article, start, end):
        current = Span(start, end)
    if exchange is None and Sentence(start, end) == there:
        current = Span(start, end)  # the server forgot the conversation; the page did not
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
        and is_copy(shown.quote, article.text[start:end])
        for shown in exchange.places()
        for copy in shown.also_in
    )


def _integer(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
