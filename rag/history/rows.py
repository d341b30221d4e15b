"""A stored conversation: the value, and how it is written as JSON and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from rag.errors import InputError
from rag.history.conversation import Exchange, Rating, State
from rag.types import Answer, Citation, Claim, Evidence

QUESTION_TITLE_CHARACTERS = 80  # characters of a title that is taken from the first question
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """What a list of conversations shows."""

    id: str
    title: str
    begun: str  # ISO date and time, UTC
    changed: str  # … of the last question
    questions: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """The exchanges of one visitor's conversation, and what a list says of it."""

    header: Header
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """An exchange as it is written. While it is worked on, it has no answer yet."""

    question: str
    state: State
    answer: Answer | None
    evidence: tuple[Evidence, ...]
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    error: str | None = None
    asked: str | None = None
    rating: Rating | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Head(Header):
    """What is read of a file for the list."""

    version: Literal[1]  # raised when the meaning of a field changes


@dataclass(frozen=True, slots=True)
class _File(_Head):
    exchanges: tuple[_Row, ...]


_HEAD, _FILE = TypeAdapter(_Head), TypeAdapter(_File)


def to_json(conversation: Conversation) -> str:
    """Return the file's text."""
    rows = tuple(map(_row, conversation.exchanges))
    # Half of a surrogate pair cannot be written as UTF-8, but as an escape.
    return json.dumps(asdict(_File(**asdict(conversation.header), version=1, exchanges=rows)))


def _row(exchange: Exchange) -> _Row:
    answer = exchange.answer
    if answer is not None:  # what it shares with the exchange is written once
        answer = replace(answer, evidence=(), claims=(), citations=())
    return _Row(
        exchange.question,
        "stopped" if exchange.working else exchange.state,
        answer,
        exchange.evidence,
        exchange.claims,
        exchange.citations,
        exchange.error,
        exchange.asked,
        exchange.rating,
        exchange.note,
    )


def read_header(text: str, identity: str) -> Header:
    """Return what the list shows of a file. Raises InputError naming the field that is wrong."""
    return _header(_read(_HEAD, text), identity)


def read_conversation(text: str, identity: str) -> Conversation:
    """Return the conversation of a file. Raises InputError naming the field that is wrong."""
    file = _read(_FILE, text)
    exchanges = tuple(_exchange(number, row) for number, row in enumerate(file.exchanges, start=1))
    return Conversation(_header(file, identity), exchanges)


def _read(adapter: TypeAdapter[T], text: str) -> T:
    try:
        try:
            return adapter.validate_json(text, strict=True)
        except ValidationError as error:
            if error.errors()[0]["type"] != "json_invalid":
                raise
        # Half of a surrogate pair is no JSON to pydantic. In such a file "1" passes for 1.
        return adapter.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{field}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise InputError("it is not JSON") from error


def _header(head: _Head, identity: str) -> Header:
    return Header(identity, head.title, head.begun, head.changed, head.questions)


def _exchange(number: int, row: _Row) -> Exchange:
    answer = row.answer
    if answer is not None:
        answer = replace(answer, evidence=row.evidence, claims=row.claims, citations=row.citations)
    return Exchange(
        number,
        row.question,
        row.state,
        row.evidence,
        row.claims,
        row.citations,
        answer,
        row.error,
        asked=row.asked,
        rating=row.rating,
        note=row.note,
    )


def title_of(exchanges: Sequence[Exchange]) -> str:
    """Return the beginning of the first question, on one line."""
    words = " ".join(exchanges[0].question.split()) if exchanges else ""
    if len(words) <= QUESTION_TITLE_CHARACTERS:
        return words
    return f"{words[: QUESTION_TITLE_CHARACTERS - 1].rstrip()}…"
