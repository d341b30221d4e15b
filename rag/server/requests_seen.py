"""Each request gets an id, is counted, and leaves one line in the log: nothing of its contents."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.server.metrics import Telemetry
from rag.server.problems import GONE, problem_of

_log = logging.getLogger("rag.requests")
_GIVEN = re.compile(rb"[A-Za-z0-9_-]{8,64}")
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}


class RequestsSeen:
    """The outermost ASGI middleware. What the app fails to catch ends here, as a problem."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        name = given.decode() if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = name

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [h for h in message.get("headers", []) if h[0] != b"x-request-id"]
                message["headers"] = [*headers, (b"x-request-id", name.encode())]
            await send(message)

        try:
            await self.app(scope, receive, numbered)
        except Exception as error:  # noqa: BLE001 - one request must not take anything with it
            problem = problem_of(error)
            if not status:
                await problem.response(scope)(scope, receive, numbered)
        finally:
            self._note(scope, name, status or GONE, time.perf_counter() - begun)

    def _note(self, scope: Scope, name: str, status: int, seconds: float) -> None:
        known = scope.get("state", {}).get("route", "the page")
        route = str(getattr(scope.get("route"), "path", known))
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.telemetry.requests.labels(route, method, status).inc()
        self.telemetry.request_seconds.labels(route).observe(seconds)
        _log.info(
            "%s %s %s in %.0f ms", method, route, status, 1000 * seconds,
            extra={"request_id": name, "client": scope.get("state", {}).get("client")},
        )  # fmt: skip
