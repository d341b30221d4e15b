"""What the server counts, for Prometheus: requests, questions and the stages of answering."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rag.server.engine import Engine
from rag.types import Answer, Event

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)


class Telemetry:
    """The counters of one server. No label holds anything that a client has written."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "footnote_http_requests_total", "Requests by place, method and status.",
            ("route", "method", "status"), registry=registry,
        )  # fmt: skip
        self.request_seconds = Histogram(
            "footnote_http_request_seconds", "Time until a response has been sent.",
            ("route",), registry=registry, buckets=SECONDS,
        )  # fmt: skip
        self.questions = Counter(
            "footnote_questions_total", "Questions to be answered, by how they ended.",
            ("outcome",), registry=registry,
        )  # fmt: skip
        self.in_progress = Gauge(
            "footnote_questions_in_progress", "Questions that are being answered.",
            registry=registry,
        )  # fmt: skip
        self.stages = Histogram(
            "footnote_stage_seconds", "Time of each stage of an answer, as in its timings_ms.",
            ("stage",), registry=registry, buckets=SECONDS,
        )  # fmt: skip
        self.refused = Counter(
            "footnote_refused_total", "Requests that were refused, by reason.",
            ("reason",), registry=registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


def measured(rag: Engine, telemetry: Telemetry) -> Engine:
    """Return the engine, with its answers counted; the rest of it is as it was."""
    return cast("Engine", _Measured(rag, telemetry))


class _Measured:
    def __init__(self, rag: Engine, telemetry: Telemetry) -> None:
        self._rag = rag
        self._telemetry = telemetry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rag, name)

    def stream(
        self, question: str, *, cancel: threading.Event | None = None, **options: Any
    ) -> Iterator[Event]:  # whatever else the engine takes
        outcome, cancel = "failed", cancel or threading.Event()
        events = self._rag.stream(question, cancel=cancel, **options)
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
