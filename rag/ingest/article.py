"""What a file holds: one article, or, where it is a collection, several.

A part is an article that is not made yet. Its digest says whether it has changed, so that one that
has not is neither read again nor embedded again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from rag.errors import ArticleError
from rag.ingest.byline import day_or_text, evidence, read_heading
from rag.types import Article


@dataclass(frozen=True, slots=True)
class FilePart:
    """One article of a file. ``load`` raises ArticleError, naming the reason but not the path."""

    path: str  # the file's own, or one below it: "news.jsonl/17", "old.zip/2019/flood.html"
    digest: str  # sha256 of all that it is made from but its path
    load: Callable[[], Article]


def sha256(data: bytes) -> str:
    """Return the digest of a part that is made from these bytes."""
    return hashlib.sha256(data).hexdigest()


def unreadable(path: str, reason: str) -> FilePart:
    """Return a part that says why it, or the rest of its collection, cannot be read."""

    def load() -> Article:
        raise ArticleError(reason)

    return FilePart(path, "", load)


def distinct(parts: Iterable[FilePart]) -> list[FilePart]:
    """Return the parts under paths that differ: the second "a" is "a (2)"."""
    found: dict[str, FilePart] = {}
    counts: dict[str, int] = {}
    for part in parts:
        path = part.path
        while path in found:
            counts[part.path] = counts.get(part.path, 1) + 1
            path = f"{part.path} ({counts[part.path]})"
        found[path] = part if path == part.path else _moved(part, path)
    return list(found.values())


def _moved(part: FilePart, path: str) -> FilePart:
    return FilePart(path, part.digest, lambda: replace(part.load(), path=path))


# The text that a loader has extracted → Article: its title, byline and body are told apart.

MOST_HEADINGS = 6  # lines at the top that may be title, byline and date
# What SQLite, JSON or a page cannot hold, and ends of lines that are not "\n".
_UNFIT = re.compile("[\ud800-\udfff\0]")
_LINE_END = re.compile("\r\n?|\u2028|\u2029|\x0b|\x85")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


@dataclass(frozen=True, slots=True)
class ArticleFields:
    """What a format's own fields say of an article; empty where they say nothing."""

    title: str | None = None
    published: str | None = None  # as it stands there
    published_in: str = ""  # where that is: "meta article:published_time"
    source: str | None = None
    author: str | None = None
    url: str | None = None
    day_first: bool | None = None  # how its language writes 03/04/2024


def clean(text: str) -> str:
    """Return the text as it can be stored, each line ended by a line feed alone."""
    return _LINE_END.sub("\n", _UNFIT.sub("\ufffd", text))


def make_article(path: str, text: str, found: ArticleFields, pages: Sequence[int] = ()) -> Article:
    """Return the article of a clean text.

    Lines at its top that repeat the title or are a byline or a date are no part of the body, and
    say what no field has said. Raises ArticleError when there is no text.
    """
    if not text.strip():
        raise ArticleError("has no text")
    title = _line(found.title)
    author, published = _line(found.author), _line(found.published)
    origin = evidence(found.published_in, found.published or "") if published else None
    published = day_or_text(published, day_first=found.day_first)
    body_start, first = 0, ""
    for n, line in enumerate(_LINE.finditer(text)):
        said = _line(line[0]) or ""
        if n == MOST_HEADINGS:
            break
        if heading := read_heading(said):
            title, first = first or title, ""
            if not published and heading.published:
                published, origin = heading.published, evidence("line", said)
            author = author or heading.author
        elif _repeats(said, title) or (n == 0 and not title and _may_be_title(said)):
            title = said
        elif n == 0 and _may_be_title(said) and len(said.split()) > 3:
            first = said  # the title, rather than what a field says, if a byline follows
            continue
        else:
            break
        body_start = line.end()
    if not text[body_start:].strip():
        body_start = 0
    return Article(
        path=path,
        title=title or title_of_name(path),
        text=text,
        body_start=body_start,
        published=published,
        source=_line(found.source),
        author=author,
        url=_line(found.url),
        published_from=origin,
        pages=tuple(pages),
    )


def _repeats(line: str, title: str | None) -> bool:
    """Return whether a line is the title, which may have the name of a site after it."""
    if not title or not title.casefold().startswith(line.casefold()):
        return False
    return title[len(line) :].lstrip()[:1] in {"", "|", "–", "—", "-", "·"}


def _may_be_title(line: str) -> bool:
    return len(line) <= LONGEST_TITLE and not line.endswith(".")


def _line(value: str | None) -> str | None:
    return " ".join(clean(value).split())[:1000] or None if value else None


LONGEST_TITLE = 200  # characters


def title_of_name(path: str) -> str:
    """Return a title made of a file's name."""
    return " ".join(PurePosixPath(path).stem.replace("_", " ").split())
