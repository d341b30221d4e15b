"""The text layer of a PDF → Article, with the offsets at which its pages start."""

from __future__ import annotations

import io
import logging
import re
import time
from typing import Any

from rag.errors import ArticleError
from rag.ingest.extracted import Found, clean, make_article
from rag.ingest.loaders.lines import Line, join_lines, without_running_lines
from rag.types import Article

MOST_SECONDS = 60.0  # of this thread's own computing, so that a busy machine changes nothing
MOST_PAGES = 5_000
NAMED = 20  # damaged pages that are named
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl",
              0xFB05: "st", 0xFB06: "st"}  # fmt: skip
_NO_TITLE = re.compile(
    r"(?:untitled|about:blank|\S+\.\w{2,5}|microsoft word.*|slide \d+)?", re.IGNORECASE
)


def load_pdf(path: str, data: bytes) -> Article:
    """Read a PDF; a page that is damaged is left out, with a warning in the log.

    Raises ArticleError when it is encrypted, damaged as a whole or has no text layer.
    """
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters is raised
    until = time.thread_time() + MOST_SECONDS
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleError("is encrypted: save it without a password")
        if len(reader.pages) > MOST_PAGES:
            raise ArticleError(f"has {len(reader.pages):,} pages (the limit is {MOST_PAGES:,})")
        pages = _pages(reader, path, until)
        title, author = _information(reader)
    except _damage() as error:
        raise ArticleError(f"is damaged or no PDF ({_short(error)})") from error
    text, starts = join_lines(without_running_lines(pages))
    if not text.strip():
        raise ArticleError("has no text layer: it holds pictures of pages, which need OCR first")
    return make_article(path, text, Found(title=title, author=author), starts)


def _damage() -> tuple[type[Exception], ...]:
    """Return what pypdf raises on a damaged file."""
    from pypdf.errors import PyPdfError

    found = ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError, IndexError
    return (PyPdfError, NotImplementedError, *found)


def _pages(reader: Any, path: str, until: float) -> list[list[Line]]:
    """Return the lines of each page, none for one that is damaged. Raises if all of them are."""
    pages: list[list[Line]] = []
    damaged: list[str] = []
    for number in range(1, len(reader.pages) + 1):
        try:
            pages.append(_lines(reader.pages[number - 1], until))
        except _damage():
            pages.append([])
            damaged.append(str(number))
            if len(damaged) == len(reader.pages):
                raise
    if damaged:
        logging.getLogger(__name__).warning(  # %r: the name of a file could steer a terminal
            "%r: damaged pages are left out, the others are read: %s%s.",
            path, ", ".join(damaged[:NAMED]), " …" * (len(damaged) > NAMED),
        )  # fmt: skip
    return pages


def _lines(page: Any, until: float) -> list[Line]:
    """Return the lines of a page in the order of its content, each with place and size."""
    found: list[Line] = []

    def check(*_: object) -> None:
        if time.thread_time() > until:
            raise ArticleError(f"takes more than {MOST_SECONDS:.0f} s to read")

    def collect(text: str, matrix: Any, at: Any, _font: object, size: Any) -> None:
        text = clean(text).translate(_LIGATURES)
        if not text.strip():
            if found and text:
                found[-1].text += " "
            return
        height = abs(float(size or 0) * at[3] * matrix[3]) or 10.0
        left, bottom = at[4] * matrix[0] + matrix[4], at[5] * matrix[3] + matrix[5]
        if found and abs(found[-1].bottom - bottom) < 0.3 * height and "\n" not in text.strip(" "):
            found[-1].text += text
            return
        pieces = [piece for piece in text.split("\n") if piece.strip()]
        found.extend(Line(piece, left, bottom, height) for piece in pieces)

    check()
    page.extract_text(visitor_operand_before=check, visitor_text=collect)
    return found


def _information(reader: Any) -> tuple[str | None, str | None]:
    """Return title and author. The dates there are the file's own and say nothing."""
    known = reader.metadata
    title = " ".join(str(known.title or "").split()) if known else ""
    author = " ".join(str(known.author or "").split()) if known else ""
    return (None if _NO_TITLE.fullmatch(title) else title or None), author or None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__
