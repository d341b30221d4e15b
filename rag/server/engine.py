"""What the page and the interfaces know of the engine, and the questions in progress."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from rag import texts
from rag.errors import Overloaded, RagError
from rag.types import Article, ArticleSummary, Event, Scope, SearchResult, Sentence, Turn

# Questions in progress: one answer is written while the others wait, so with 15 s for each of them
# the last one has waited for three minutes. A further one is better told so at once.
MOST_QUESTIONS = 12


class Engine(Protocol):
    """What the page and the interfaces need of ``rag.Rag``."""

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        cancel: threading.Event | None = None,
        scope: Scope | None = None,
    ) -> Iterator[Event]: ...
    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult: ...
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


def refresh(rag: Engine) -> None:
    """Let the next question see what a sync has changed; without it, the state before serves."""
    try:
        rag.refresh()
    except RagError as error:
        logging.getLogger(__name__).warning("The older state of the index is used: %s", error)
