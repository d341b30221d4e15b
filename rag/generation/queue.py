"""Drafts for all who ask at once: one is written at a time, first come, first served.

A thread runs the generator to the end of each draft, so that whoever reads a draft slowly, or
stops reading it in the middle, never holds the model up for the others.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from rag.errors import ModelError
from rag.generation.generators import Generator as Writer
from rag.generation.openai_chat import POLL
from rag.generation.prompts import Messages

CLOSING = 2.0  # seconds that the draft in progress has to end


class _Cancel(threading.Event):
    """Set by itself, or together with the event of the one who asks."""

    def __init__(self, theirs: threading.Event) -> None:
        super().__init__()
        self._theirs = theirs

    def is_set(self) -> bool:
        return super().is_set() or self._theirs.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (until is None or time.monotonic() < until):
            super().wait(POLL)
        return self.is_set()


@dataclass(eq=False, slots=True)
class _Order:
    """A draft that somebody waits for."""

    messages: Messages
    tokens: int
    cancel: _Cancel
    begun: bool = False
    said: queue.SimpleQueue[str | BaseException | None] = field(default_factory=queue.SimpleQueue)


class DraftQueue:
    """Writes the drafts of one generator, each as a whole, in the order in which they are asked."""

    def __init__(self, generator: Writer) -> None:
        self._generator = generator
        # Reentrant: the garbage collector may end a forgotten draft in the middle of anything.
        self._lock = threading.RLock()
        self._orders: list[_Order] = []  # the first one is being written
        self._writer: threading.Thread | None = None  # there is one while there are orders
        self._closed = False

    def draft(
        self, messages: Messages, tokens: int, cancel: threading.Event
    ) -> Generator[int | str]:
        """Yield the pieces of the draft, and before them how many drafts are ahead of it.

        That is yielded when it has changed, 0 when its turn has come, and nothing where the model
        was free. Ends soon after ``cancel`` is set; then, and when the iterator is closed, the
        model is free for the next one. Raises what the generator raises, and ModelError after
        ``close``.
        """
        order = _Order(messages, tokens, _Cancel(cancel))
        self._add(order)
        try:
            yield from self._follow(order, cancel)
        finally:
            order.cancel.set()
            with self._lock:
                if order in self._orders and not order.begun:
                    self._orders.remove(order)

    def close(self) -> None:
        """End the draft in progress, turn down those that wait, and close the generator."""
        with self._lock:
            self._closed = True
            writer = self._writer
            for order in tuple(self._orders):
                order.cancel.set()
        if writer is not None:
            writer.join(CLOSING)
        self._generator.close()

    def _add(self, order: _Order) -> None:
        with self._lock:
            if self._closed:
                raise _ended()
            if self._writer is None:
                # A daemon: an interpreter that exits does not wait for a draft.
                writer = threading.Thread(target=self._work, name="drafts", daemon=True)
                writer.start()
                self._writer = writer
            self._orders.append(order)

    def _follow(self, order: _Order, cancel: threading.Event) -> Iterator[int | str]:
        told = 0
        while not cancel.is_set():
            try:
                said = order.said.get(timeout=POLL)
            except queue.Empty:
                if (ahead := self._ahead(order)) != told:
                    yield (told := ahead)
                continue
            if told:
                yield (told := 0)
            if said is None:
                return
            if isinstance(said, BaseException):
                raise said
            yield said

    def _ahead(self, order: _Order) -> int:
        with self._lock:
            return self._orders.index(order) if order in self._orders else 0

    def _work(self) -> None:
        done = None
        while (order := self._next(done)) is not None:
            order.said.put(self._write(order))
            done = order

    def _next(self, done: _Order | None) -> _Order | None:
        with self._lock:
            if done is not None:
                self._orders.remove(done)
            if not self._orders:
                self._writer = None
                return None
            self._orders[0].begun = True
            return self._orders[0]

    def _write(self, order: _Order) -> BaseException | None:
        """Put the pieces of a draft where they are waited for; return how it ended."""
        try:
            if not order.cancel.is_set():
                pieces = self._generator.complete(order.messages, order.tokens, order.cancel)
                for piece in pieces:
                    order.said.put(piece)
                    if order.cancel.is_set():
                        break
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is for who asked
            return error
        return _ended() if self._closed else None


def _ended() -> ModelError:
    return ModelError("The language model has been closed; open Rag again to ask.")
