"""How much one client, and all of them together, may ask of the server."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.server.problems import ProblemDetails
from rag.server.settings import Limits

CLIENTS = 10_000  # whose allowance is remembered; the longest silent one is forgotten first


class Gate:
    """Lets a question in, or says when to come back. A client saves up at most a minute's worth."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.refused: Callable[[str], None] = lambda _reason: None  # told why, for counting
        self._now = now
        self._lock = threading.Lock()
        self._in_progress = 0
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # questions, at a time

    def count(self, client: str) -> None:
        """Take one question off the client's allowance. Raises Problem (429)."""
        with self._lock:
            wait = self._spent(client)
        if wait:
            raise self._too_often(wait)

    @contextlib.contextmanager
    def question(self, client: str) -> Iterator[None]:
        """Let a question in for as long as it lasts, and take it off the client's allowance.

        Raises Problem: 503 when there is no room, which costs the client nothing; 429.
        """
        with self._lock:
            full = self._in_progress >= self.limits.questions_at_once
            wait = 0 if full else self._spent(client)
            self._in_progress += 0 if full or wait else 1
        if full:
            self.refused("busy")
            said = "As many questions as this machine can answer at once are in progress."
            raise ProblemDetails(503, said, retry_after=10)
        if wait:
            raise self._too_often(wait)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress -= 1

    def _spent(self, client: str) -> int:
        """Take one question off; return the seconds until there is one, if there is none now."""
        most, now = self.limits.questions_per_minute, self._now()
        left, since = self._left.pop(client, (float(most), now))
        left = min(most, left + (now - since) * most / 60)
        enough = left >= 1
        self._left[client] = (left - 1 if enough else left, now)
        if len(self._left) > CLIENTS:
            self._left.popitem(last=False)
        return 0 if enough else math.ceil((1 - left) * 60 / most)

    def _too_often(self, wait: int) -> ProblemDetails:
        self.refused("rate")
        most = self.limits.questions_per_minute
        said = f"At most {most} questions a minute are answered; ask again a little later."
        return ProblemDetails(429, said, retry_after=wait)


class BodyLimit:
    """ASGI middleware that refuses a body that is too long, whatever its length claims to be."""

    def __init__(self, app: ASGIApp, limits: Limits, small: Callable[[Scope], bool]) -> None:
        self.app = app
        self.limits = limits
        self.small = small  # whether a request is to a place where no file is expected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.limits.body_bytes if self.small(scope) else self.limits.upload_bytes
        problem = ProblemDetails(413, f"The request is too long: at most {most:,} bytes are read.")
        claimed = dict(scope["headers"]).get(b"content-length", b"")
        if claimed.isdigit() and int(claimed[:20]) > most:
            await problem.response(scope)(scope, receive, send)
            return
        read, over, begun = 0, False, False

        async def counted() -> Message:
            nonlocal read, over
            message = await receive()
            read += len(message.get("body", b""))
            over = over or read > most
            if over:
                raise problem
            return message

        async def unless_over(message: Message) -> None:
            nonlocal begun
            if begun or not over:  # else it is what the app makes of a body that breaks off
                begun = True
                await send(message)

        try:
            await self.app(scope, counted, unless_over)
        except Exception:
            if begun or not over:
                raise
        if over and not begun:
            await problem.response(scope)(scope, receive, send)
