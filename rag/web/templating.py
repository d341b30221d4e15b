"""The page's templates, in templates/, and what they can call."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from rag import texts
from rag.history.conversation import Place
from rag.ingest.formats import file_in
from rag.text.templating import environment

LONG_WORD = 30  # characters; a longer word has to be free to wrap
WIDE = "\u2e80"  # from here on, scripts without spaces between their words


def render(template: str, **values: Any) -> str:
    """Return the HTML of one template."""
    return TEMPLATES.get_template(template).render(values)


def last_word(text: str) -> tuple[str, str | None]:
    """Return a claim in two parts; the second one stays on a line with the mark that follows it.

    None instead of it where the line has to break anywhere.
    """
    head, space, last = text.rpartition(" ")
    if len(last) > LONG_WORD or any(character >= WIDE for character in last):
        return text, None
    return f"{head}{space}", last


def digest(place: Place) -> str:
    """Return a name of a sentence, which stays when evidence is re-ordered."""
    return sha256(repr(place).encode()).hexdigest()[:12]


def moment(written: str) -> str:
    """Return an ISO date and time in UTC as the local "3 May 2024, 14:05"."""
    try:
        local = dt.datetime.fromisoformat(written).astimezone()
    except (ValueError, OverflowError):
        return written
    return f"{local.day} {local:%B} {local.year}, {local:%H:%M}"


TEMPLATES = environment("rag.web")
TEMPLATES.globals["texts"] = texts
TEMPLATES.filters |= {
    "day": texts.day,
    "digest": digest,
    "file_in": file_in,
    "file_name": lambda path: PurePosixPath(path).name,
    "last_word": last_word,
    "moment": moment,
    "thousands": lambda number: f"{number:,}",
}
