"""The HTTP interface for programs: health, answers, search and articles. See /openapi.json."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from rag.api.asking import Asking, unless_gone
from rag.api.schemas import (
    PROBLEMS,
    AnswerRow,
    ArticleRow,
    ArticlesRow,
    Question,
    Ready,
    Search,
    SearchRow,
    problem,
)
from rag.errors import RagError
from rag.server.engine import refresh
from rag.server.metrics import MEDIA_TYPE, Telemetry
from rag.server.problems import problem_of
from rag.text.untrusted import to_json
from rag.types import Answer, ClaimVerified, Event, EvidenceFound

EVENTS = "text/event-stream"
ALIVE = 15.0  # seconds without an event after which a comment keeps the connection open
STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


@dataclass
class Warming:
    """How far the language model is; set while it is loaded in the background."""

    model: str = "not loaded yet; the first question loads it"
    loaded: bool = False


def health(asking: Asking, telemetry: Telemetry, warming: Warming) -> APIRouter:
    """Return the routes for those who look after the server."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the server is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get(
        "/readyz",
        summary="Whether questions can be answered, and if not, why",
        response_model=Ready,
        responses={503: {"model": Ready, "description": "Not ready."}},
    )
    def readyz() -> Response:
        index = "open"
        try:
            asking.rag.contents()
        except RagError as error:
            index = problem_of(error).detail
        ready = index == "open" and warming.loaded
        body = {"ready": ready, "index": index, "model": warming.model}
        return _json(body, 200 if ready else 503)

    @router.get("/metrics", summary="Counters, as text for Prometheus", response_class=Response)
    def metrics() -> Response:
        return Response(telemetry.text(), headers={"content-type": MEDIA_TYPE})

    return router


def questions(asking: Asking) -> APIRouter:
    """Return the routes that answer and search."""
    router = APIRouter(prefix="/v1", tags=["questions"], responses=PROBLEMS)

    @router.post(
        "/answer",
        summary="Answer a question, each claim with its sentence",
        response_model=AnswerRow,
        responses={
            200: {
                "description": "The answer, or its events.",
                "content": {
                    EVENTS: {
                        "example": 'event: evidence\ndata: {"evidence": [], "confidence": 0.9}\n\n'
                        'event: claim\ndata: {"claim": {}, "citations": []}\n\n'
                        'event: answer\ndata: {"question": "…", "answer": "…"}\n\n'
                    }
                },
            }
        },
    )
    async def answer(body: Question, request: Request) -> Response:
        asked = body.question, body.turns(), body.date, client_of(request)
        if not body.stream and EVENTS not in request.headers.get("accept", ""):
            answered = await unless_gone(request, asking.answer(*asked))
            return _json(answered.to_dict())
        events = asking.events(*asked)
        first = await begun(events, request)
        return Streamed(server_sent(first, events, request), events)

    @router.post(
        "/search",
        summary="Find passages and sentences; no language model",
        response_model=SearchRow,
    )
    def search(body: Search, request: Request) -> Response:
        asked = body.question, body.k, body.turns(), body.date, client_of(request)
        return _json(asking.search(*asked).to_dict())

    return router


def articles(asking: Asking) -> APIRouter:
    """Return the routes that list and read articles."""
    router = APIRouter(prefix="/v1", tags=["articles"], responses=PROBLEMS)
    rag = asking.rag

    @router.get("/articles", summary="List the articles, by path", response_model=ArticlesRow)
    def listed(
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        refresh(rag)
        contents = rag.contents()
        rows = [asdict(article) for article in contents[offset : offset + limit]]
        skipped = [{"file": file, "reason": reason} for file, reason in rag.skipped()]
        return _json({"total": len(contents), "articles": rows, "skipped": skipped})

    @router.get(
        "/articles/{path:path}",
        summary="Read one article",
        response_model=ArticleRow,
        responses={404: problem("There is no article of this path.")},
    )
    def read(path: str) -> Response:
        refresh(rag)
        article = asdict(rag.article(path))
        shown = {name: article[name] for name in ArticleRow.model_fields if name != "sentences"}
        return _json({**shown, "sentences": [asdict(s) for s in rag.sentences(path)]})

    return router


def client_of(request: Request) -> str:
    """Return whose allowance a request is taken from: a user, a token, or an address."""
    known = request.scope.get("state", {}).get("client")
    return str(known or (request.client.host if request.client else "unknown"))


class Streamed(StreamingResponse):
    """Sends events; however that ends, also before the first of it was sent, they are closed."""

    def __init__(self, sent: AsyncIterator[bytes], events: AsyncGenerator[Event]) -> None:
        super().__init__(sent, media_type=EVENTS, headers=STREAM_HEADERS)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


async def begun(events: AsyncGenerator[Event], request: Request) -> Event:
    """Return the first event. What is raised instead of it still has its own status."""
    try:
        return await unless_gone(request, anext(events))
    except BaseException:
        await events.aclose()
        raise


async def server_sent(
    first: Event, rest: AsyncGenerator[Event], request: Request
) -> AsyncIterator[bytes]:
    """Yield events as text, a comment now and then, and at a failure the problem as "error"."""
    try:
        async for event in kept_alive(first, rest):
            yield b": still at it\n\n" if event is None else sent(*named(event))
    except Exception as error:  # noqa: BLE001 - the status has been sent; it is said here instead
        yield sent("error", problem_of(error).body(request.scope))


async def kept_alive(first: Event, rest: AsyncGenerator[Event]) -> AsyncIterator[Event | None]:
    """Yield the events, and None when there has been none for a while. Closes them at its end."""
    async with aclosing(rest):
        yield first
        while True:
            coming = asyncio.ensure_future(anext(rest, None))
            try:
                while not (await asyncio.wait({coming}, timeout=ALIVE))[0]:
                    yield None
                event = coming.result()
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            if event is None:
                return
            yield event


def named(event: object) -> tuple[str, dict[str, Any]]:
    """Return an event's name and data."""
    if isinstance(event, EvidenceFound):
        rows = Answer("", (), (), event.evidence, False, None, 0.0).to_dict()["evidence"]
        return "evidence", {"evidence": rows, "confidence": event.confidence}
    if isinstance(event, ClaimVerified):
        row = Answer("", (event.claim,), event.citations, (), False, None, 0.0).to_dict()
        return "claim", {"claim": row["claims"][0], "citations": row["citations"]}
    if isinstance(event, Answer):
        return "answer", event.to_dict()
    return "waiting", {"ahead": getattr(event, "ahead", 0)}


def sent(name: str, data: object) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {to_json(data)}\n\n".encode()


def _json(body: object, status: int = 200) -> Response:
    return Response(to_json(body), status, media_type="application/json")


# Adding and removing articles over HTTP; served only where somebody may.


class ArticleManager(Protocol):
    """Who keeps the files: confines names, checks what they hold, and has the index updated."""

    def add(self, name: str, data: bytes) -> object:
        """Keep a file and return its path among the articles. Raises InputError."""

    def remove(self, path: str) -> object:
        """Move a file to where it can be put back from. Raises InputError."""


class Added(BaseModel):
    """The path under which a file was kept; it is indexed soon after."""

    path: str


def changes(manager: ArticleManager) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["articles"], responses=PROBLEMS)

    @router.post(
        "/articles",
        summary="Add a file",
        status_code=201,
        response_model=Added,
    )
    def add(file: Annotated[UploadFile, File(description="the article")]) -> Response:
        path = manager.add(file.filename or "article.txt", file.file.read())
        return Response(to_json({"path": str(path)}), 201, media_type="application/json")

    @router.delete("/articles/{path:path}", summary="Remove a file", status_code=204)
    def remove(path: str) -> Response:
        manager.remove(path)
        return Response(status_code=204)

    return router
