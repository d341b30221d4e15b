"""What the server counts, for Prometheus: requests, questions and the stages of answering."""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.server.engine import Engine
from rag.server.problems import GONE, problem_of
from rag.types import Answer, Event

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)


class Telemetry:
    """The counters of one server. No label holds anything that a client has written."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "footnote_http_requests_total",
            "Requests by place, method and status.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "footnote_http_request_seconds",
            "Time until a response has been sent.",
            ("route",),
            registry=registry,
            buckets=SECONDS,
        )
        self.questions = Counter(
            "footnote_questions_total",
            "Questions to be answered, by how they ended.",
            ("outcome",),
            registry=registry,
        )
        self.in_progress = Gauge(
            "footnote_questions_in_progress",
            "Questions that are being answered.",
            registry=registry,
        )
        self.stages = Histogram(
            "footnote_stage_seconds",
            "Time of each stage of an answer, as in its timings_ms.",
            ("stage",),
            registry=registry,
            buckets=SECONDS,
        )
        self.refused = Counter(
            "footnote_refused_total",
            "Requests that were refused, by reason.",
            ("reason",),
            registry=registry,
        )

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


class Measured:
    """An engine whose answers are counted; the rest of it is as it was."""

    def __init__(self, rag: Engine, telemetry: Telemetry) -> None:
        self._stream, self._telemetry = rag.stream, telemetry
        self.search, self.article, self.contents = rag.search, rag.article, rag.contents
        self.sentences, self.sentences_from = rag.sentences, rag.sentences_from
        self.sentences_before, self.skipped = rag.sentences_before, rag.skipped
        self.behind, self.refresh, self.warm_up = rag.behind, rag.refresh, rag.warm_up

    def stream(
        self, question: str, *, cancel: threading.Event | None = None, **options: Any
    ) -> Iterator[Event]:  # whatever else the engine takes
        outcome, cancel = "failed", cancel or threading.Event()
        events = self._stream(question, cancel=cancel, **options)
        self._telemetry.in_progress.inc()
        try:
            for event in events:
                if isinstance(event, Answer):
                    outcome = "declined" if event.declined else "answered"
                    for stage, milliseconds in event.timings_ms.items():
                        self._telemetry.stages.labels(stage).observe(milliseconds / 1000)
                yield event
        finally:
            self._telemetry.in_progress.dec()
            outcome = "stopped" if cancel.is_set() and outcome != "declined" else outcome
            self._telemetry.questions.labels(outcome).inc()


# Each request gets an id, is counted, and leaves one line in the log: nothing of its contents.

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
            "%s %s %s in %.0f ms",
            method,
            route,
            status,
            1000 * seconds,
            extra={"request_id": name, "client": scope.get("state", {}).get("client")},
        )
