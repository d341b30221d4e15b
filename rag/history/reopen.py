"""A kept conversation over the articles as they are now: where each quoted sentence stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from rag.errors import RagError
from rag.history.conversation import Exchange
from rag.types import Article, Citation, Evidence

Read = Callable[[str], Article]  # path → the article; raises RagError
Quoted = TypeVar("Quoted", Citation, Evidence)


def reopened(exchanges: Sequence[Exchange], read: Read) -> tuple[Exchange, ...]:
    """Return the exchanges with each sentence at its present place.

    A sentence that stands elsewhere in its article now, once and word for word, has moved. Another
    one that is not where it was is among the exchange's ``changed``.
    """
    articles: dict[str, Article | None] = {}
    return tuple(_reopened(exchange, read, articles) for exchange in exchanges)


def _reopened(exchange: Exchange, read: Read, articles: dict[str, Article | None]) -> Exchange:
    for place in exchange.places():
        if place.article not in articles:
            articles[place.article] = _read(read, place.article)
    citations = tuple(_present(c, articles[c.article]) for c in exchange.citations)
    evidence = tuple(_present(e, articles[e.article]) for e in exchange.evidence)
    found = replace(exchange, citations=citations, evidence=evidence)
    changed = frozenset(
        (place.article, place.start, place.end)
        for place in found.places()
        if not stands(place, articles[place.article])
    )
    return replace(found, changed=changed)


def _read(read: Read, path: str) -> Article | None:
    try:
        return read(path)
    except RagError:  # deleted, renamed, or damaged
        return None


def stands(place: Citation | Evidence, article: Article | None) -> bool:
    """Return whether the quote is the slice of the article that it says it is."""
    return article is not None and article.text[place.start : place.end] == place.quote


def _present(place: Quoted, article: Article | None) -> Quoted:
    if article is None or not place.quote or stands(place, article):
        return place
    start = article.text.find(place.quote)
    if start < 0 or article.text.find(place.quote, start + 1) >= 0:
        return place
    return replace(place, start=start, end=start + len(place.quote), page=article.page_at(start))
