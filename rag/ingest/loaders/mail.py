"""A message (.eml) → Article: its subject, sender, date and text; a mailbox (.mbox) → several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr
from functools import partial
from itertools import islice

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, FilePart, clean, make_article, sha256, unreadable
from rag.ingest.loaders.html import decode_markup, text_of
from rag.ingest.loaders.text import decode
from rag.types import Article

MOST_MESSAGES = 100_000  # of a mailbox
MOST_HEADERS = 64_000  # bytes of the headers of a message or a part
MOST_PARTS = 1_000  # of a message
STUB = 200  # characters; a plain part that is shorter often only says that there is another

_FROM_LINE = re.compile(
    rb"(?:(?<=\n\n)|(?<=\n\r\n)|\A)From [^\r\n]{1,200}\d{4}[^\r\n]{0,20}\r?$", re.MULTILINE
)
_HEADER = re.compile(rb"[\w-]{1,80}:")
_QUOTED_FROM = re.compile(rb"^>From ", re.MULTILINE)


def load_mail(path: str, data: bytes) -> Article:
    """Read a message. Raises ArticleError when it has no headers or no text."""
    _check(data)
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or not (message["Subject"] or message["From"]):
        raise ArticleError("is no mail message: it has no Subject and no From")
    text = _body(message)
    if not text.strip():
        raise ArticleError("has no text")
    name, address = parseaddr(_header(message, "From"))
    return make_article(
        path,
        text,
        ArticleFields(
            title=_header(message, "Subject"),
            published=_header(message, "Date"),
            published_in="header Date",
            author=name or address,
        ),
    )


def _check(data: bytes) -> None:
    # The standard library takes quadratic time for long headers and for many nested parts.
    blocks = data.replace(b"\r\n", b"\n").split(b"\n\n")
    if any(len(block) > MOST_HEADERS and _HEADER.match(block) for block in blocks):
        raise ArticleError(f"has headers of more than {MOST_HEADERS // 1000} kB")
    if data.lower().count(b"content-type:") > MOST_PARTS:
        raise ArticleError(f"has more than {MOST_PARTS:,} parts")


def load_mbox(path: str, data: bytes, _: Config) -> Iterator[FilePart]:
    """Read a mailbox. Raises ArticleError when there is no message in it."""
    starts = [match.start() for match in islice(_FROM_LINE.finditer(data), MOST_MESSAGES + 1)]
    if not starts:
        raise ArticleError("is no mailbox: no line of it begins a message")
    ends = [*starts[1:], len(data)]
    for n, (start, end) in enumerate(zip(starts[:MOST_MESSAGES], ends, strict=False), start=1):
        message = _QUOTED_FROM.sub(b"From ", data[data.find(b"\n", start) + 1 : end])
        yield FilePart(f"{path}/{n}", sha256(message), partial(load_mail, f"{path}/{n}", message))
    if len(starts) > MOST_MESSAGES:
        yield unreadable(path, f"has more than {MOST_MESSAGES:,} messages: the others are left out")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message[name] or "").split())
    except (ValueError, IndexError, AttributeError, TypeError):  # some malformed headers
        return ""


def _body(message: EmailMessage) -> str:
    plain, rich = (message.get_body((kind,)) for kind in ("plain", "html"))
    text = clean(decode(_content(plain))) if plain is not None else ""
    if rich is not None and len(text.strip()) < STUB:
        return clean(text_of(decode_markup(_content(rich)))) or text
    return text


def _content(part: MIMEPart) -> bytes:
    charset = part.get_content_charset()
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b""
    try:
        return data.decode(charset).encode() if charset else data
    except (LookupError, UnicodeDecodeError):
        return data
