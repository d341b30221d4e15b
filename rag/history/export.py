"""A conversation as Markdown and as JSON, each citation with its full reference.

Texts of articles and questions are escaped in Markdown: an exported file loads no image and holds
no link but the articles' own addresses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from rag import texts
from rag.errors import RagError
from rag.history.conversation import Exchange, Read
from rag.history.rows import Conversation
from rag.text.untrusted import shown
from rag.types import Citation, Evidence

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])")
_LIST_MARK = re.compile(r"[-+=]|\d{1,9}[.)]")


def as_json(kept: Conversation, read: Read) -> str:
    """Return the conversation as one indented JSON object."""
    header = asdict(kept.header)
    row = {**header, "exchanges": [_exchange_row(exchange, read) for exchange in kept.exchanges]}
    text = json.dumps(row, ensure_ascii=False, indent=2)
    return text.encode("utf-8", "replace").decode() + "\n"


def _exchange_row(exchange: Exchange, read: Read) -> dict[str, Any]:
    answer = exchange.answer
    return {
        "number": exchange.number,
        "question": exchange.question,
        "asked": exchange.asked,
        "state": exchange.state,
        "declined": exchange.declined,
        "reason": answer.reason if answer else None,
        "error": exchange.error,
        "confidence": answer.confidence if answer else None,
        "claims": [{**asdict(c), "citations": list(c.citations)} for c in exchange.claims],
        "notes": list(answer.notes) if answer else [],
        "citations": [_reference_row(exchange, c, read) for c in exchange.citations],
        "evidence": [_reference_row(exchange, e, read) for e in exchange.evidence],
        "models": dict(answer.models) if answer else {},
        "rating": exchange.rating,
        "rating_note": exchange.note,
    }


def _reference_row(exchange: Exchange, place: Citation | Evidence, read: Read) -> dict[str, Any]:
    changed = (place.article, place.start, place.end) in exchange.changed
    return {
        **asdict(place),
        "source": _outlet(place, read),
        "changed_since": changed,
    }


def as_markdown(kept: Conversation, read: Read) -> str:
    """Return the conversation as a Markdown text, with numbered sources under each answer."""
    parts = [f"# {_line(kept.header.title)}", texts.BEGUN.format(kept.header.begun[:10])]
    for exchange in kept.exchanges:
        parts += _exchange_parts(exchange, read)
    return "\n\n".join(parts).encode("utf-8", "replace").decode() + "\n"


def _exchange_parts(exchange: Exchange, read: Read) -> list[str]:
    parts = [f"## {_line(exchange.question)}"]
    if exchange.asked:
        parts.append(texts.ASKED_ON.format(_line(exchange.asked)))
    for claim in exchange.claims:
        marks = "".join(f" \\[{number}\\]" for number in claim.citations)
        quoted = "> " if claim.verdict == "quoted" else ""
        parts.append(f"{quoted}{_line(claim.text)}{marks}")
    if exchange.declined and exchange.answer is not None:
        said = f"**{texts.DO_NOT_SAY}.** {_line(exchange.answer.reason or '')}"
        parts.append(said.rstrip())
    if exchange.answer is not None:
        parts += [_line(note) for note in exchange.answer.notes]
    if exchange.state == "stopped":
        parts.append(texts.STOPPED_EARLY)
    if exchange.error:
        parts.append(texts.NO_ANSWER_BECAUSE.format(_line(exchange.error)))
    listed: list[Citation | Evidence] = list(exchange.citations)
    heading = texts.SOURCES
    if exchange.declined:
        listed, heading = list(exchange.evidence), texts.NEAREST
    if listed:
        parts.append(f"### {heading}")
        parts += [_reference(exchange, number, p, read) for number, p in enumerate(listed, 1)]
    if exchange.rating is not None:
        note = f": {_line(exchange.note)}" if exchange.note else ""
        verdict = texts.RATED_GOOD if exchange.rating == "up" else texts.RATED_NOT_GOOD
        parts.append(f"{verdict}{note}")
    return parts


def _reference(exchange: Exchange, number: int, place: Citation | Evidence, read: Read) -> str:
    number = getattr(place, "number", number)
    facts: Mapping[str, str | None] = {
        "title": place.title,
        "outlet": _outlet(place, read),
        "date": place.published,
        "page": texts.PAGE.format(place.page) if place.page else None,
    }
    about = ", ".join(_line(fact) for fact in facts.values() if fact)
    url = f"\n  {_url(place.url)}" if place.url else ""
    where = texts.CHARACTERS.format(_line(place.article), place.start, place.end)
    lines = f"- \\[{number}\\] “{_line(place.quote)}”\n  {about}{url}\n  {where}"
    if (place.article, place.start, place.end) in exchange.changed:
        lines += f"\n  {texts.CHANGED}"
    return lines


def _outlet(place: Citation | Evidence, read: Read) -> str | None:
    try:
        return read(place.article).source
    except RagError:
        return None


def _url(url: str) -> str:
    try:
        safe = urlsplit(url).scheme in {"http", "https"} and url.isprintable()
    except ValueError:
        safe = False
    return f"<{url}>" if safe and not re.search(r"[\s<>]", url) else _line(url)


def _line(text: str) -> str:
    """Return a text on one line, without any markup."""
    plain = _MARKUP.sub(r"\\\1", " ".join(shown(text).split()))
    mark = _LIST_MARK.match(plain)
    return f"{plain[: mark.end() - 1]}\\{plain[mark.end() - 1 :]}" if mark else plain
