"""The OpenAI-compatible interface, so that existing chat clients work unchanged.

The last user message is the question, the ones before it are the history; instructions, tools and
sampling settings are ignored. Citations stand in the text as ``[n]`` with a list of sources below,
and as annotations with the exact place (``footnote``) of each marker.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from rag.api.asking import Asking, unless_gone
from rag.api.routes import EVENTS, Streamed, begun, client_of, kept_alive
from rag.api.schemas import PROBLEMS, TURN, Day
from rag.server.problems import ProblemDetails, problem_of
from rag.text.untrusted import MARKERS, shown, to_json
from rag.types import Answer, ClaimVerified, Event, Turn

MODEL = "footnote"
SOURCES = "\n\nSources:\n"
_ACTIVE = re.compile(r"[\\\[\]<`]")  # what could make a link, an image or markup of text


class Part(BaseModel):
    """A part of a message; those that are not text are ignored."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """What the message says."""
        parts = self.content or ""
        return parts if isinstance(parts, str) else "\n".join(part.text for part in parts)


class StreamOptions(BaseModel):
    """Settings of a stream."""

    include_usage: bool = False


class Completion(BaseModel):
    """A request as chat clients send it; other fields are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": MODEL, "messages": [{"role": "user", "content": "Who leads NATO?"}]}
            ]
        }
    )

    messages: list[Message] = Field(min_length=1, max_length=200)
    model: str = MODEL
    stream: bool = False
    stream_options: StreamOptions | None = None
    date: Day | None = Field(None, description="the day that “this week” is relative to")

    def asked(self) -> tuple[str, list[Turn]]:
        """Return the question and the history. Raises Problem when there is no user message."""
        at = next(
            (n for n in range(len(self.messages) - 1, -1, -1) if self.messages[n].role == "user"),
            None,
        )
        if at is None:
            raise ProblemDetails(422, "There is no user message to answer.")
        turns = [
            Turn("user" if message.role == "user" else "assistant", _plain(message))
            for message in self.messages[:at]
            if message.role in {"user", "assistant"}
        ]
        return self.messages[at].text, turns


def completions(asking: Asking) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], responses=PROBLEMS)

    @router.get("/models", summary="The one model that there is")
    async def models() -> dict[str, Any]:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "footnote"}
        return {"object": "list", "data": [model]}

    @router.post(
        "/chat/completions",
        summary="Answer the last message, as chat clients ask",
        responses={200: {"content": {EVENTS: {"example": "data: {}\n\ndata: [DONE]\n\n"}}}},
    )
    async def complete(body: Completion, request: Request) -> Response:
        question, history = body.asked()
        asked = question, history, body.date, client_of(request)
        if not body.stream:
            answer = await unless_gone(request, asking.answer(*asked))
            content = written(answer)
            message = {
                "role": "assistant",
                "content": content,
                "refusal": None,
                "annotations": list(marks(content, answer, str(request.base_url))),
                "footnote": answer.to_dict(),
            }
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            whole = {**_head("chat.completion"), "choices": [choice], "usage": _usage()}
            return Response(to_json(whole), media_type="application/json")
        events = asking.events(*asked)
        first = await begun(events, request)
        options = body.stream_options or StreamOptions()
        return Streamed(_streamed(first, events, request, options), events)

    return router


async def _streamed(
    first: Event, rest: AsyncGenerator[Event], request: Request, options: StreamOptions
) -> AsyncIterator[bytes]:
    head, said = _head("chat.completion.chunk"), ""

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    try:
        async for event in kept_alive(first, rest):
            if event is None:
                yield b": still at it\n\n"
            elif isinstance(event, ClaimVerified):
                new = (" " if said else "") + _marked(event.claim.text, event.claim.citations)
                said += new
                yield chunk({"content": new})
            elif isinstance(event, Answer):
                whole = written(event)
                whole = whole if whole.startswith(said) else f"{said}\n\n{whole}"
                yield chunk({"content": whole[len(said) :]})
                found = list(marks(whole, event, str(request.base_url)))
                yield chunk({"annotations": found, "footnote": event.to_dict()}, "stop")
        if options.include_usage:
            yield _data({**head, "choices": [], "usage": _usage()})
    except Exception as error:  # noqa: BLE001 - the status has been sent; it is said here instead
        problem = problem_of(error).body(request.scope)
        yield _data({"error": {"message": problem["detail"], "code": problem["status"]}})
    yield b"data: [DONE]\n\n"


def written(answer: Answer) -> str:
    """Return the answer as a message: its claims with markers, its notes, its sources."""
    claims = " ".join(_marked(claim.text, claim.citations) for claim in answer.claims)
    text = "\n\n".join(part for part in (claims, *map(_inert, answer.notes)) if part)
    sources = "\n".join(
        f"[{cited.number}] {_inert(cited.title)}"
        + (f" ({_inert(cited.published)})" if cited.published else "")
        + f", {_inert(cited.article)}: “{_inert(cited.quote)}”"
        for cited in answer.citations
    )
    return text + (SOURCES + sources if sources else "")


def marks(content: str, answer: Answer, base_url: str) -> Iterator[dict[str, Any]]:
    """Yield one annotation for each marker in the text."""
    cited = {citation.number: citation for citation in answer.citations}
    rows = {row["number"]: row for row in answer.to_dict()["citations"]}
    end = content.rfind(SOURCES) if cited else len(content)
    for marker in re.finditer(r"(?<!\\)\[(\d+)\]", content[:end]):
        citation = cited.get(int(marker[1]))
        if citation is None:
            continue
        url = citation.url or ""
        if not url.startswith(("http://", "https://")):
            url = f"{base_url}v1/articles/{quote(citation.article)}"
        place = {"start_index": marker.start(), "end_index": marker.end()}
        yield {
            "type": "url_citation",
            "url_citation": {**place, "title": citation.title, "url": url},
            "footnote": rows[citation.number],
        }


def _marked(text: str, numbers: tuple[int, ...]) -> str:
    return _inert(text) + "".join(f" [{number}]" for number in numbers)


def _inert(text: str) -> str:
    """Return text so that a client which shows Markdown shows it, and loads and runs nothing."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(shown(text).split()))


def _plain(message: Message) -> str:
    """Return what was said earlier, without our sources and markers."""
    if message.role == "user":
        return message.text[:TURN]
    return MARKERS.sub("", message.text.split(SOURCES)[0][:TURN])


def _head(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }


def _usage() -> dict[str, int]:
    """Tokens are not counted; clients that add them up add nothing."""
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _data(value: object) -> bytes:
    return f"data: {to_json(value)}\n\n".encode()
