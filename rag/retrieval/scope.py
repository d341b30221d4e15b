"""Limiting a question to some of the articles: a view of an index that knows no others.

Applied before ranking, and below everything that looks at the index: what is outside cannot be
evidence, a quote, a copy, another value or a word that "the articles" have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from rag.errors import ArticleError, InputError
from rag.index.index import Index
from rag.index.lexical import LexicalIndex
from rag.index.schema import StoredPassage
from rag.index.vectors import VectorStore
from rag.text.dates import day_of
from rag.types import Article, ArticleSummary, Keys, Passage, Scope, Sentence, Vectors

Hits = tuple[Keys, NDArray[np.float32]]  # (m,), (m,)


def holds(scope: Scope, article: ArticleSummary) -> bool:
    """Return whether an article is in a scope. One without a date is in no period."""
    if scope.paths is not None:
        above = (article.path, *map(str, PurePosixPath(article.path).parents))
        if scope.paths.isdisjoint(above):
            return False
    if scope.first is None and scope.last is None:
        return True
    day = day_of(article.published)
    return day is not None and (scope.first or "") <= day.isoformat() <= (scope.last or "9999")


def checked_scope(scope: Scope, contents: Iterable[ArticleSummary]) -> Scope:
    """Return the scope. Raises InputError when it names a path or a day that there is not."""
    for day in (scope.first, scope.last):
        if day is not None and (day_of(day) is None or len(day) != len("2024-10-25")):
            raise InputError(f"{day!r} is not a day. Write it as YYYY-MM-DD.")
    if scope.first and scope.last and scope.first > scope.last:
        raise InputError(f"The period from {scope.first} to {scope.last} ends before it begins.")
    known = {str(p) for a in contents for p in (a.path, *PurePosixPath(a.path).parents)}
    for path in sorted(scope.paths or ()):
        if path not in known:
            raise InputError(f"There is no article {path!r} in the index, and no folder or file.")
    return scope


def within(index: Index, scope: Scope | None) -> Index:
    """Return a view of an index; itself where the question is not limited."""
    return index if scope is None else Within(index, scope)


class Within(Index):
    """An index as if it held the articles of a scope alone; it reads through the whole one."""

    def __init__(self, whole: Index, scope: Scope) -> None:
        self.manifest = whole.manifest
        self.folder = whole.folder
        self._whole = whole
        self._listed, keys, embedded = whole.part(scope, holds)
        self._keys = keys
        self._paths = frozenset(article.path for article in self._listed)
        self.vectors = VectorsWithin(whole.vectors, embedded)  # type: ignore[assignment]  # to search
        self.lexical = LexicalWithin(whole.lexical, keys)

    def passages(self, keys: Iterable[int]) -> list[StoredPassage]:
        return self._whole.passages(keys)

    def terms(self, stored: StoredPassage) -> list[list[str]]:
        return self._whole.terms(stored)

    def article(self, path: str) -> Article:
        if path not in self._paths:
            raise ArticleError(f"There is no article {path!r} in what the question is limited to.")
        return self._whole.article(path)

    def article_at(self, row: int) -> Article:
        return self._whole.article_at(row)

    def sentences(self, path: str) -> tuple[Sentence, ...]:
        self.article(path)
        return self._whole.sentences(path)

    def _passages(self, path: str, position: int, *, after: bool) -> Iterator[Passage]:
        self.article(path)
        return self._whole._passages(path, position, after=after)  # noqa: SLF001

    def contents(self) -> tuple[ArticleSummary, ...]:
        return self._listed

    @property
    def empty(self) -> bool:
        return self._whole.empty

    @property
    def unembedded(self) -> int:
        if not self._whole.unembedded:
            return 0
        return len(np.setdiff1d(self._keys, self._whole.embedded_keys(), assume_unique=True))

    def close(self) -> None:
        """Leave the whole index open: it is not this view's."""


class VectorsWithin:
    """A vector store's search among some of its keys."""

    def __init__(self, store: VectorStore, keys: Keys) -> None:
        self._store = store
        self._keys = keys  # (n,), ascending

    def search(self, query: Vectors, k: int) -> Hits:
        return self._store.search(query, k, self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class LexicalWithin(LexicalIndex):
    """BM25 among some of the passages. The weights of terms that others ask for are theirs."""

    def __init__(self, whole: LexicalIndex, keys: Keys) -> None:
        self._whole = whole
        self._keys = keys  # (n,), ascending
        self._frequencies: dict[str, int] = {}
        self.passages = len(keys)

    def search(self, terms: Iterable[str], k: int, similar: Iterable[str] = ()) -> Hits:
        """Read the ranking of the whole as far as it takes: the order is the one that a search
        among these passages alone would give.
        """
        wanted, near, most = list(terms), list(similar), self._whole.passages
        if not len(self._keys) or k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        count = min(most, 2 * k * math.ceil(most / len(self._keys)))
        while True:
            keys, scores = self._whole.search(wanted, count, similar=near)  # (m,), (m,)
            inside = np.isin(keys, self._keys, assume_unique=True)  # (m,)
            if inside.sum() >= k or len(keys) < count or count >= most:
                return keys[inside][:k], scores[inside][:k]
            count = min(most, 4 * count)

    def frequency(self, term: str) -> int:
        if term not in self._frequencies:
            held, _ = self._whole.search([term], self._whole.frequency(term))
            self._frequencies[term] = int(np.isin(held, self._keys).sum())
        return self._frequencies[term]
