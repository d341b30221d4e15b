"""A saved RSS or Atom feed → one article per entry, of the entry's own text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, FilePart, clean, make_article, sha256, unreadable
from rag.ingest.loaders.html import decode_markup, plain
from rag.types import Article

MOST_ENTRIES = 10_000
MOST_TAGS = 500_000  # each takes about 50 µs


def load_feed(path: str, data: bytes, _: Config) -> Iterator[FilePart]:
    """Read a feed. Raises ArticleError when it is none, or declares entities."""
    import feedparser

    text = clean(decode_markup(data))
    if (tags := text.count("<")) > MOST_TAGS:
        raise ArticleError(f"is too large a feed ({tags:,} tags; the limit is {MOST_TAGS:,})")
    if "<!entity" in text.lower():
        raise ArticleError("declares entities of XML, which no feed needs: it is not read")
    # As a stream: it would take text for an address or for the name of a file.
    feed = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    if not feed.version and not feed.entries:
        raise ArticleError("is XML, but no RSS or Atom feed")
    if not feed.entries:
        raise ArticleError("is a feed without entries")
    source = feed.feed.get("title")
    for n, entry in enumerate(feed.entries[:MOST_ENTRIES], start=1):
        found = ArticleFields(
            title=plain(entry.get("title") or "") or f"{source or 'Entry'} {n}",
            published=entry.get("published"),
            published_in="feed published",
            source=source,
            author=entry.get("author"),
            url=entry.get("link"),
        )
        text = _text(entry)
        digest = sha256(repr((found, text)).encode())
        yield FilePart(f"{path}/{n}", digest, partial(_article, f"{path}/{n}", text, found))
    if len(feed.entries) > MOST_ENTRIES:
        yield unreadable(path, f"has more than {MOST_ENTRIES:,} entries: the others are left out")


def _text(entry: Any) -> str:
    texts = [held.get("value") or "" for held in entry.get("content") or []]
    return max([*texts, entry.get("summary") or ""], key=len)


def _article(path: str, text: str, found: ArticleFields) -> Article:
    return make_article(path, clean(plain(text)), found)
