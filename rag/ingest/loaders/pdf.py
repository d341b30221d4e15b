"""The text layer of a PDF → Article, with the offsets at which its pages start."""

from __future__ import annotations

import io
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, clean, make_article
from rag.text.numbers import WORDS
from rag.types import Article

MOST_SECONDS = 60.0  # of this thread's own computing, so that a busy machine changes nothing
MOST_PAGES = 5_000
NAMED = 20  # damaged pages that are named
_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
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
    return make_article(path, text, ArticleFields(title=title, author=author), starts)


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
            path,
            ", ".join(damaged[:NAMED]),
            " …" * (len(damaged) > NAMED),
        )
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


# The lines of printed pages → running text: paragraphs joined, words put together again that a
# hyphen had cut, and what is printed on every page left out.

EDGE = 2  # lines at the top and at the bottom of a page, that may be printed on every page
SPREAD = 1.3  # how much farther apart than usual lines of two paragraphs stand
LINES_AROUND = 6  # lines above and below, whose longest says how wide the column is
CUT_SHORT = (
    0.8  # a line is cut short by its author when it and the next word take less of the width
)

_TERMINAL = re.compile(r"[.!?…:][\"'”’»)\]]*\Z")
_BULLET = re.compile(r"(?:[•●▪◦‣*–—-]|\(?\d{1,2}[.)])\s")
_CUT = re.compile(r"([^\W\d_]{2,})(?:-|\s?[\u00ad\u2010])\Z")
# First parts of words that keep their hyphen: "well-known", "two-thirds", "self-defence".
_COMPOUNDS = frozenset({"well", "self", "half", "non", "ex", "so", *WORDS})
_BEGINNING = re.compile(r"[^\W\d_]+")
_RANGE = re.compile(r"\d[-–]\Z")  # "2023-/24"
_DIGITS = re.compile(r"\d+")
# What browsers print at the edges: "4/3/24, 10:15 AM  Title", "https://example.org/a 1/2".
_PRINTED = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}:\d{2}.{0,300}|(?:https?|file)://\S+.{0,20}"
)


@dataclass(slots=True)
class Line:
    """A printed line; distances in points from the left and from the bottom."""

    text: str
    left: float
    bottom: float
    height: float


def without_running_lines(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the pages without the headers, footers and page numbers that most of them have."""
    edges = [{_shape(line) for line in _edge(page)} for page in pages]
    counts = Counter(shape for shapes in edges for shape in shapes)
    running = {shape for shape, n in counts.items() if n >= 2 and 2 * n > len(pages)}
    kept = []
    for page in pages:
        edge = {
            id(line)
            for line in _edge(page)
            if _shape(line) in running or _PRINTED.fullmatch(line.text.strip())
        }
        kept.append([line for line in page if id(line) not in edge])
    return kept


def _edge(page: list[Line]) -> list[Line]:
    """Return the outermost lines: highest and lowest, wherever they stand in the content."""
    ordered = sorted(page, key=lambda line: -line.bottom)
    return ordered[:EDGE] + ordered[max(EDGE, len(ordered) - EDGE) :]


def _shape(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.split()))


def join_lines(pages: Sequence[list[Line]]) -> tuple[str, list[int]]:
    """Return the running text of the pages, and the offset at which each of them starts.

    No sentence goes on over a page without text: what stood there may be missing.
    """
    lines = [line for page in pages for line in page]
    usual = _usual_distance(pages)
    whole = Counter(
        word for line in lines for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
    )
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    before: Line | None = None
    missing = False
    for page in pages:
        missing = missing or not page
        for n, line in enumerate(page):
            text = " ".join(line.text.split())
            width = max(
                len(near.text) for near in page[max(0, n - LINES_AROUND) : n + LINES_AROUND]
            )
            mark = "" if before is None else _between(before, line, usual, width, new_page=n == 0)
            if missing:
                mark, missing = "\n\n" if pieces else "", False
            if mark == " " and (cut := _CUT.search(pieces[-1])):
                mark = ""
                if _drops_hyphen(cut, text, whole):
                    pieces[-1] = pieces[-1][: cut.end(1)]
                    length -= len(cut[0]) - len(cut[1])
            elif mark == " " and _RANGE.search(pieces[-1]) and text[:1].isdigit():
                mark = ""
            if n == 0:
                starts.append(length + len(mark))
            pieces += [mark, text]
            length += len(mark) + len(text)
            before = line
        if not page:
            starts.append(length)
    return "".join(pieces), starts


def _usual_distance(pages: Sequence[list[Line]]) -> float:
    """Return how far apart the lines of a paragraph stand, in heights of a line."""
    found = sorted(_distances(pages))
    return found[len(found) // 5] if found else 1.2


def _distances(pages: Sequence[list[Line]]) -> Iterator[float]:
    for page in pages:
        for above, line in pairwise(page):
            distance = (above.bottom - line.bottom) / line.height
            if _same_size(above, line) and 0.9 < distance < 3:
                yield distance


def _same_size(one: Line, other: Line) -> bool:
    return abs(one.height - other.height) < 0.08 * max(one.height, other.height)


def _between(above: Line, line: Line, usual: float, width: int, *, new_page: bool) -> str:
    """Return what stands between two lines: a space where the paragraph goes on, else a break."""
    ends = bool(_TERMINAL.search(above.text.rstrip()))
    text = line.text.strip()
    if not _same_size(above, line) or _BULLET.match(text):
        return "\n\n"
    distance = (above.bottom - line.bottom) / line.height
    if new_page or distance <= 0:  # another page or column
        return (
            " " if not ends and (text[:1].islower() or _CUT.search(above.text.rstrip())) else "\n\n"
        )
    if distance > SPREAD * usual:
        return "\n\n"
    indented = line.left > above.left + 0.5 * line.height
    first_word = text.split(maxsplit=1)[0]
    short = len(above.text.strip()) + 1 + len(first_word) < CUT_SHORT * width
    if ends:
        return "\n\n" if indented or short else " "
    return "\n" if short and not text[:1].islower() else " "  # rows of a table or a list


def _drops_hyphen(cut: re.Match[str], following: str, whole: Counter[str]) -> bool:
    """Return whether a hyphen at the end of a line only cuts a word that is written without it.

    The document decides where it has the word elsewhere, whole or with a hyphen.
    """
    match = _BEGINNING.match(following)
    if match is None or not match[0][0].islower():  # "Franco-/German", "2023-/24"
        return False
    left, right = cut[1], match[0]
    joined, hyphenated = whole[left + right], whole[f"{left}-{right}"]
    if joined or hyphenated:
        return joined >= hyphenated
    return left.lower() not in _COMPOUNDS and not (
        len(left) > 2 and min(whole[left], whole[right]) > 1
    )
