"""Questions of programs: asked in threads of their own, answered on the event loop.

The engine blocks, so nothing of it runs on the loop. Whoever stops listening ends the work at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Protocol, TypeVar

from starlette.requests import Request

from rag.limits import Gate
from rag.problem_details import GONE, Problem
from rag.session import Engine, Running, refresh
from rag.types import Answer, Event, SearchResult, Turn

T = TypeVar("T")


class SearchEngine(Engine, Protocol):
    """What programs need of ``rag.Rag``."""

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult: ...


class Asking:
    """Asks the engine, within the limits."""

    def __init__(self, rag: SearchEngine, running: Running, gate: Gate) -> None:
        self.rag = rag
        self._running = running
        self._gate = gate

    async def events(
        self, question: str, history: Sequence[Turn], date: str | None, client: str
    ) -> AsyncGenerator[Event]:
        """Yield what ``stream`` of the engine yields.

        Raises Problem (429, 503) and what the engine raises. Closing it cancels the question.
        """
        self._gate.count(client)
        leave = self._gate.enter()
        loop, seconds = asyncio.get_running_loop(), self._gate.limits.request_seconds
        coming: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        deadline = loop.time() + seconds
        with self._running.question(f"program-{uuid.uuid4().hex}") as cancel:

            def tell(item: Event | Exception | None) -> None:
                with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                    loop.call_soon_threadsafe(coming.put_nowait, item)

            def work() -> None:
                try:
                    refresh(self.rag)
                    events = self.rag.stream(question, history=history, date=date, cancel=cancel)
                    for event in events:
                        tell(event)
                    tell(None)
                except Exception as error:  # noqa: BLE001 - raised where it is waited for
                    tell(error)
                finally:
                    leave()  # not before: a thread whose client has gone is work, too

            threading.Thread(target=work, name="answer", daemon=True).start()
            while True:
                try:
                    item = await asyncio.wait_for(coming.get(), max(0.0, deadline - loop.time()))
                except TimeoutError:
                    said = f"The answer took longer than {seconds:g} seconds and was stopped."
                    raise Problem(503, said, retry_after=30) from None
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item

    async def answer(
        self, question: str, history: Sequence[Turn], date: str | None, client: str
    ) -> Answer:
        """Return the finished answer. Raises as ``events`` does."""
        async with aclosing(self.events(question, history, date, client)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise Problem(503, "The question was stopped before there was an answer.", retry_after=10)

    def search(
        self, question: str, k: int, history: Sequence[Turn], date: str | None, client: str
    ) -> SearchResult:
        """Return what retrieval finds; blocks. Raises Problem and what the engine raises."""
        self._gate.count(client)
        leave = self._gate.enter()
        try:
            refresh(self.rag)
            return self.rag.search(question, k, history=history, date=date)
        finally:
            leave()


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Return what ``work`` returns; it is cancelled when the client goes away (Problem 499)."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Problem(GONE, "The client has gone.")
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
