"""The articles of one index: what they say, and keeping up with their folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.changes import Changes, Progress, silent
from rag.config import Config
from rag.index.embedding import Pace, Until, about, fill, never
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import Encoder
from rag.types import Article, ArticleSummary, Sentence


class Library:
    """An opened index. Safe to use from several threads."""

    def __init__(self, index: Index, config: Config, encoder: Encoder) -> None:
        self.index = index
        self.config = config
        self._encoder = encoder
        self._pace = Pace()
        self._syncs: set[object] = set()  # that run or wait

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what the index records about itself."""
        return self.index.manifest

    def sync(
        self, articles: Path, progress: Progress = silent, embedding: Progress = silent, *,
        vectors: bool = True,
    ) -> Changes:  # fmt: skip
        """Bring the index up to date; ``refresh`` then uses it. As ``rag.index.sync``, also in
        errors.
        """
        folder, config, encoder = self.index.folder, self.config, self._encoder
        self._syncs.add(turn := object())
        try:
            return sync(articles, folder, config, encoder, progress, embedding, vectors=vectors)
        finally:
            self._syncs.discard(turn)

    def fill(self, until: Until = never) -> int:
        """Embed what a sync has left; return how many passages still are. As
        ``rag.index.embedding``.

        Ends early for a ``sync`` of this object: new text does not wait for the vectors of other.
        """

        def over() -> bool:
            return bool(self._syncs) or until()

        return fill(self.index.folder, self.config, self._encoder, self._pace, until=over)

    def behind(self) -> str:
        """Say what part of the index is not embedded yet, and for how long; "" when all is."""
        if not (left := self.index.unembedded):
            return ""
        until = f" ({about(self._pace.seconds)} left)" if self._pace.seconds else ""
        return (
            f"{left:,} of {self.index.lexical.passages:,} passages are not embedded yet{until}: "
            "for now they are found by their words alone."
        )

    def refresh(self) -> bool:
        """Use the index as it is now; return whether it has changed. Raises as ``open`` does."""
        newer = self.index.newer(self.config, self._encoder)
        self.index = newer or self.index
        return newer is not None

    def article(self, path: str) -> Article:
        """Return an article. Raises ArticleError when there is none of that path."""
        return self.index.article(path)

    def sentences(self, path: str) -> tuple[Sentence, ...]:
        """Return the sentences of an article, in order."""
        return self.index.sentences(path)

    def sentences_from(self, path: str, position: int = 0) -> Iterator[Sentence]:
        """Yield the sentences of an article that begin at or after a position, in order.

        Only what is asked for is read, however long the article is; so it is below.
        """
        return self.index.sentences_from(path, position)

    def sentences_before(self, path: str, position: int) -> Iterator[Sentence]:
        """Yield those that end at or before a position, the nearest first."""
        return self.index.sentences_before(path, position)

    def contents(self) -> tuple[ArticleSummary, ...]:
        """Return what is indexed, by path."""
        return self.index.contents()

    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Return the files that the last sync could not read, each with the reason."""
        return self.index.skipped()
