"""A kept conversation: the value, and how it is written as JSON and read again."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from rag.errors import InputError
from rag.history.conversation import Exchange, Rating, State
from rag.types import Answer, Citation, Claim, Evidence

VERSION = 1  # of the file; raised when the meaning of a field changes
TITLE = 80  # characters of a title that is taken from the first question


@dataclass(frozen=True, slots=True)
class Header:
    """What a list of conversations shows."""

    id: str
    title: str
    begun: str  # ISO date and time, UTC
    changed: str  # … of the last question
    questions: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One conversation."""

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


def to_json(kept: Kept) -> str:
    """Return the file's text."""
    exchanges = [_row(exchange) for exchange in kept.exchanges]
    row = {"version": VERSION, **asdict(kept.header), "exchanges": exchanges}
    # Half of a surrogate pair cannot be written as UTF-8, but as an escape.
    return json.dumps(row, ensure_ascii=True)


def _row(exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    if answer is not None:  # what it shares with the exchange is written once
        answer = replace(answer, evidence=(), claims=(), citations=())
    return asdict(
        _Row(
            exchange.question, "stopped" if exchange.working else exchange.state, answer,
            exchange.evidence, exchange.claims, exchange.citations, exchange.error,
            exchange.asked, exchange.rating, exchange.note,
        )
    )  # fmt: skip


def read_header(text: str, identity: str) -> Header:
    """Return what the list shows of a file. Raises InputError when it cannot be read."""
    return _header(_object(text), identity)


def read_kept(text: str, identity: str) -> Kept:
    """Return the conversation of a file. Raises InputError when it cannot be read."""
    row = _object(text)
    rows = row.get("exchanges")
    if not isinstance(rows, list):
        raise InputError("its exchanges are missing")
    exchanges = tuple(_exchange(number, item) for number, item in enumerate(rows, start=1))
    return Kept(_header(row, identity), exchanges)


def _object(text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("it is not JSON") from error
    if not isinstance(row, dict) or row.get("version") != VERSION:
        raise InputError(f"it is not of version {VERSION}")
    return row


def _header(row: dict[str, Any], identity: str) -> Header:
    return read(Header, {**row, "id": identity})


def _exchange(number: int, item: object) -> Exchange:
    row = read(_Row, item)
    answer = row.answer
    if answer is not None:
        answer = replace(answer, evidence=row.evidence, claims=row.claims, citations=row.citations)
    return Exchange(
        number, row.question, row.state, row.evidence, row.claims, row.citations, answer,
        row.error, asked=row.asked, rating=row.rating, note=row.note,
    )  # fmt: skip


def title_of(exchanges: Sequence[Exchange]) -> str:
    """Return the beginning of the first question, on one line."""
    words = " ".join(exchanges[0].question.split()) if exchanges else ""
    return words if len(words) <= TITLE else f"{words[: TITLE - 1].rstrip()}…"


# JSON values → the values of rag/types.py, every field checked: what lies on a disk may be
# damaged, or of another version.

T = TypeVar("T")
_hints = functools.cache(typing.get_type_hints)


def read(kind: type[T], value: object) -> T:
    """Return what ``json.loads`` gave as a dataclass. Raises InputError naming the field."""
    made: T = _read(kind, value, kind.__name__)
    return made


def _read(kind: Any, value: object, name: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        hints = _hints(kind)
        return kind(
            **{
                field.name: _read(hints[field.name], value[field.name], f"{name}.{field.name}")
                for field in dataclasses.fields(kind)
                if field.name in value or not _has_default(field, name)
            }
        )
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(inner[0], item, name) for item in value)
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(inner[1], item, name) for key, item in value.items()}
    if origin is typing.Literal and value in inner:
        return value
    if origin is types.UnionType or origin is typing.Union:
        if value is None and type(None) in inner:
            return None
        return _read(next(part for part in inner if part is not type(None)), value, name)
    if kind is float and type(value) in {int, float}:
        return float(typing.cast("float", value))
    if kind in {str, int, bool} and type(value) is kind:
        return value
    raise InputError(f"{name} is not what it should be")


def _has_default(field: dataclasses.Field[Any], name: str) -> bool:
    missing = dataclasses.MISSING
    if field.default is missing and field.default_factory is missing:
        raise InputError(f"{name} has no {field.name}")
    return True
