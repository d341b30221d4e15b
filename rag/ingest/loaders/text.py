"""Plain text and Markdown → Article.

The article's text is the decoded file, unchanged, newlines included, so that offsets hold in the
file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from charset_normalizer import from_bytes

from rag.errors import ArticleError
from rag.ingest.article import LONGEST_TITLE, title_of_name
from rag.ingest.byline import Heading, day_or_text, evidence, read_heading
from rag.types import Article

METADATA = re.compile(r"(published|source|author|url)[ \t]*:(.*)\Z", re.IGNORECASE | re.DOTALL)
MOST_BYLINES = 3  # lines between the title and the text


def load_text(path: str, data: bytes) -> Article:
    """Read plain text or Markdown. Raises ArticleError when there is no text in it."""
    text = decode(data)
    if not _stripped(text):
        raise ArticleError("is empty")
    return parse(path, text)


def decode(data: bytes) -> str:
    """Decode the bytes of a text file: by BOM, as UTF-8, as UTF-16 without a BOM, as cp1252, by
    a guess. Raises ArticleError for binary data.
    """
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data:
        return _decode_utf16_without_bom(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    damaged, good = text.count("\ufffd"), sum(1 for character in text if character > "\x7f")
    if good - damaged >= damaged:  # UTF-8 with a few broken places: keep the rest right
        return text
    if sum(byte < 32 and byte not in b"\t\n\r\f\v\x1b" for byte in data) > len(data) / 100:
        raise ArticleError("is not text")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        guess = from_bytes(data).best()
        if guess is None:
            raise ArticleError("is not text in any known encoding") from None
        return data.decode(guess.encoding, "replace")


def _decode_utf16_without_bom(data: bytes) -> str:
    # Western text in UTF-16 has a zero in nearly every second byte, all on one side.
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if max(even, odd) < len(data) / 4 or min(even, odd) > len(data) / 50:
        raise ArticleError("is a binary file")
    return data.decode("utf-16-le" if odd > even else "utf-16-be", "replace")


def parse(path: str, text: str) -> Article:
    """Find title, metadata lines and the start of the body in a decoded file."""
    lines = list(_lines(text))
    first = next(i for i, (_, line) in enumerate(lines) if line)
    title, after = _title(lines, first)
    found: dict[str, str] = {}
    while after < len(lines) and (match := METADATA.match(lines[after][1])):
        found[match[1].lower()] = match[2].strip()
        after += 1
    body_start = lines[after][0] if after < len(lines) else len(text)
    if not text[body_start:].strip():
        if found:  # metadata is never evidence
            raise ArticleError("has no text below its title and metadata")
        body_start = lines[first][0]  # nothing but a title: then the title is the body
    said = _bylines(line for _, line in lines[after:])
    published, author = found.get("published"), found.get("author")
    return Article(
        path=path,
        title=title or title_of_name(path),
        text=text,
        body_start=body_start,
        published=day_or_text(published) or said.published,
        source=found.get("source") or None,
        author=author or said.author,
        url=found.get("url") or None,
        published_from=evidence("line", f"Published: {published}") if published else said.line,
    )


def _bylines(lines: Iterable[str]) -> Heading:
    """Return what the first lines say, as long as they are bylines and dates and nothing else."""
    found = Heading()
    for line in islice(filter(None, lines), MOST_BYLINES):
        heading = read_heading(line)
        if heading is None:
            break
        if heading.published and not found.published:
            found = replace(found, published=heading.published, line=evidence("line", line))
        found = replace(found, author=found.author or heading.author)
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for line in text.splitlines(keepends=True):
        yield position, _stripped(line)
        position += len(line)


def _stripped(text: str) -> str:
    return text.strip().strip("\ufeff").strip()


def _title(lines: list[tuple[int, str]], first: int) -> tuple[str | None, int]:
    line = lines[first][1]
    if METADATA.match(line):
        return None, first
    following = lines[first + 1][1] if first + 1 < len(lines) else None
    headed = following is not None and (not following or METADATA.match(following))
    short = len(line) <= LONGEST_TITLE and not line.endswith(".")
    if headed or short:
        return line.lstrip("#").strip() or None, first + 1
    return None, first
