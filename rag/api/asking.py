"""Questions of programs: asked in threads of their own, answered on the event loop.

The engine blocks, so nothing of it runs on the loop. Whoever stops listening ends the work at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import ExitStack, aclosing
from typing import TypeVar

from starlette.requests import Request

from rag.server.engine import Engine, Running, refresh
from rag.server.limits import Gate
from rag.server.problems import GONE, ProblemDetails
from rag.types import Answer, Event, SearchResult, Turn

T = TypeVar("T")


class Asking:
    """Asks the engine, within the limits."""

    def __init__(self, rag: Engine, running: Running, gate: Gate) -> None:
        self.rag = rag
        self._running = running
        self._gate = gate

    async def events(
        self, question: str, history: Sequence[Turn], date: str | None, client: str
    ) -> AsyncGenerator[Event]:
        """Yield what ``stream`` of the engine yields; the last is the Answer.

        Raises Overloaded, Problem (429, 503) and what the engine raises. Closing it cancels the
        question. A question for which there is no room costs nothing of the client's allowance.
        """
        loop, seconds = asyncio.get_running_loop(), self._gate.limits.request_seconds
        coming: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        deadline, answered = loop.time() + seconds, False
        with self._running.question(f"program-{uuid.uuid4().hex}") as cancel, ExitStack() as slot:
            slot.enter_context(self._gate.question(client))

            def tell(item: Event | Exception | None) -> None:
                with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                    loop.call_soon_threadsafe(coming.put_nowait, item)

            def work() -> None:
                refresh(self.rag)
                for event in self.rag.stream(question, history=history, date=date, cancel=cancel):
                    tell(event)

            _begin(work, tell, slot.pop_all())
            while True:
                try:
                    async with asyncio.timeout_at(deadline):  # wait_for may miss a cancellation
                        item = await coming.get()
                except TimeoutError:
                    said = f"The answer took longer than {seconds:g} seconds and was stopped."
                    raise ProblemDetails(503, said, retry_after=30) from None
                if isinstance(item, Exception):
                    raise item
                if item is None:
                    break
                answered = isinstance(item, Answer)
                yield item
        if not answered:
            said = "The question was stopped before there was an answer."
            raise ProblemDetails(503, said, retry_after=10)

    async def answer(
        self, question: str, history: Sequence[Turn], date: str | None, client: str
    ) -> Answer:
        """Return the finished answer. Raises as ``events`` does."""
        async with aclosing(self.events(question, history, date, client)) as events:
            *_, last = [event async for event in events]
        assert isinstance(last, Answer)
        return last

    def search(
        self, question: str, k: int, history: Sequence[Turn], date: str | None, client: str
    ) -> SearchResult:
        """Return what retrieval finds; blocks. Raises Problem and what the engine raises."""
        with self._gate.question(client):
            refresh(self.rag)
            return self.rag.search(question, k, history=history, date=date)


def _begin(
    work: Callable[[], None], tell: Callable[[Exception | None], None], slot: ExitStack
) -> None:
    """Run ``work`` in a thread and tell how it ended. The slot is left when the thread ends, also
    when the client went away before: that is work, too.
    """

    def run() -> None:
        failure: Exception | None = None
        with slot:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                failure = error
        tell(failure)  # now the next question finds room

    try:
        threading.Thread(target=run, name="answer", daemon=True).start()
    except RuntimeError:  # no thread is to be had
        slot.close()
        raise


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
        raise ProblemDetails(GONE, "The client has gone.")
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
