"""What a file holds: one article, or, where it is a collection, several.

A part is an article that is not made yet. Its digest says whether it has changed, so that one that
has not is neither read again nor embedded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rag.errors import ArticleError
from rag.types import Article


@dataclass(frozen=True, slots=True)
class Part:
    """One article of a file. ``load`` raises ArticleError, naming the reason but not the path."""

    path: str  # the file's own, or one below it: "news.jsonl/17", "old.zip/2019/flood.html"
    digest: str  # sha256 of all that it is made from but its path
    load: Callable[[], Article]


def sha256(data: bytes) -> str:
    """Return the digest of a part that is made from these bytes."""
    return hashlib.sha256(data).hexdigest()


def unreadable(path: str, reason: str) -> Part:
    """Return a part that says why it, or the rest of its collection, cannot be read."""

    def load() -> Article:
        raise ArticleError(reason)

    return Part(path, "", load)


def distinct(parts: Iterable[Part]) -> list[Part]:
    """Return the parts under paths that differ: the second "a" is "a (2)"."""
    found: dict[str, Part] = {}
    counts: dict[str, int] = {}
    for part in parts:
        path = part.path
        while path in found:
            counts[part.path] = counts.get(part.path, 1) + 1
            path = f"{part.path} ({counts[part.path]})"
        found[path] = part if path == part.path else _moved(part, path)
    return list(found.values())


def _moved(part: Part, path: str) -> Part:
    return Part(path, part.digest, lambda: replace(part.load(), path=path))
