"""A file of questions: its rows, read strictly. What cannot be asked raises InputError."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.types import Turn

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A row that can be asked."""

    text: str
    history: tuple[Turn, ...] | None
    date: str | None


def lines(source: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, numbered from 1. Only a line feed ends a line: the other
    ends that ``str.splitlines`` knows may stand inside a JSON string.
    """
    with source.open("rb") as file:
        for number, line in enumerate(file, start=1):
            content = line.removeprefix(_BOM) if number == 1 else line
            if content.strip():
                yield number, content


def read_row(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line."""
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("the row is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the row is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError('the row is not a JSON object like {"id": "1", "question": "…"}')
    return row


def read_identity(row: dict[str, Any]) -> str | int | None:
    """Return the id of a row; a row may lack it."""
    identity = row.get("id")
    if identity is None or (isinstance(identity, str | int) and not isinstance(identity, bool)):
        return identity
    raise InputError(f"the id {shown(identity)} is neither a text nor a whole number")


def read_question(row: dict[str, Any]) -> KnownQuestion:
    """Return what a row asks; how long it may be is for ``Rag`` to say."""
    text, date, history = row.get("question"), row.get("date"), row.get("history")
    if not isinstance(text, str) or not text.strip():
        raise InputError("the question is missing or empty")
    if history is not None and not isinstance(history, list):
        raise InputError("the history is not a list")
    turns = None if history is None else tuple(_turn(turn) for turn in history)
    return KnownQuestion(text, turns, None if date is None else iso_date(date))


def read_claim(row: dict[str, Any]) -> tuple[str, list[str] | None, str]:
    """Return the claim of a row, its sources if it has some, and their title."""
    claim, sources, title = row.get("claim"), row.get("sources"), row.get("title")
    if not isinstance(claim, str):
        raise InputError("the claim is missing or no text")
    is_list = isinstance(sources, list) and all(isinstance(source, str) for source in sources)
    if sources is not None and not is_list:
        raise InputError("the sources are not a list of texts")
    if title is not None and not isinstance(title, str):
        raise InputError("the title is no text")
    return claim, sources, title or ""


def _turn(turn: object) -> Turn:
    if isinstance(turn, dict) and isinstance(text := turn.get("text"), str):
        role = turn.get("role")
        if role == "user" or role == "assistant":  # noqa: PLR1714 - narrows the type
            return Turn(role, text.encode("utf-8", "replace").decode())
    raise InputError('the history has a row that is not {"role": "user"|"assistant", "text": "…"}')


def shown(value: object) -> str:
    """Return a value for a message, not too long."""
    text = "…" if isinstance(value, list | dict) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"


def iso_date(text: object) -> str:
    """Return the date if it is a real one as YYYY-MM-DD. Raises InputError."""
    with contextlib.suppress(ValueError):
        if isinstance(text, str) and dt.date.fromisoformat(text).isoformat() == text:
            return text
    raise InputError(f"the date {shown(text)} is not a date as YYYY-MM-DD")
