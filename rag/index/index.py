"""An index, opened for reading: checked first, then one consistent state of it."""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from rag.command import command
from rag.config import Config
from rag.errors import ArticleError, IndexCorrupt, IndexMismatch
from rag.index.database import Database
from rag.index.embedding import Pace, Until, about, fill, never, vectors_for
from rag.index.ivf import open_store
from rag.index.lexical import LexicalIndex
from rag.index.manifest import lexical_generation, mismatch, no_index, unfinished, verify_files
from rag.index.schema import NAME, PassageVectors, StoredPassage
from rag.index.sync import sync
from rag.index.vectors import VectorStore
from rag.models.encoder import Encoder
from rag.text.terms import terms
from rag.types import (
    Article,
    ArticleSummary,
    Changes,
    Keys,
    Passage,
    Progress,
    Scope,
    Sentence,
    silent,
)

CACHED_ARTICLES = 256
CACHED_PARTS = 16
CACHED_PASSAGES = 20_000  # whose terms are kept: about 25 MB
CACHED_VECTORS = 2_000  # of passages that are not embedded yet, made when they were found
ScopePart: TypeAlias = tuple[tuple[ArticleSummary, ...], Keys, Keys]


class Index:
    """Articles, passages, vectors and terms at one generation. Safe to use from several threads."""

    def __init__(
        self,
        manifest: dict[str, Any],
        database: Database,
        vectors: VectorStore,
        lexical: LexicalIndex,
        config: Config,
        encoder: Encoder,
    ) -> None:
        self.manifest = manifest
        self.vectors = vectors
        self.lexical = lexical
        self.folder = database.path.parent
        self._database = database
        self._lock = threading.Lock()  # one SQLite connection, so that one snapshot is seen
        self._rows = database.article_paths()
        self._articles: dict[int, Article] = {}
        self._terms: dict[int, list[list[str]]] = {}
        self._config, self._encoder = config, encoder
        self._vectors: dict[int, PassageVectors] = {}  # of passages without any in the store
        self._contents: tuple[ArticleSummary, ...] | None = None
        self._parts: dict[Scope, ScopePart] = {}
        self._log_emptied = False
        # For the one who lets go of it last, and does not know that: a question in progress.
        weakref.finalize(self, database.close)

    @classmethod
    def open(cls, folder: Path, config: Config, encoder: Encoder) -> Index:
        """Check and open an index.

        Raises IndexMissing, IndexMismatch (naming the field) or IndexCorrupt (naming the file),
        each with the command that helps.
        """
        if not (folder / NAME).is_file():
            raise no_index(folder)
        generation = _generation(folder)
        while True:
            try:
                return cls._open(folder, config, encoder)
            except IndexCorrupt:
                # A sync may have put new files in place of the old ones between two steps.
                if (now := _generation(folder)) == generation:
                    raise
                generation = now

    def newer(self, config: Config, encoder: Encoder) -> Index | None:
        """Return the index as it is now, opened, or None when this is it.

        Costs a look at the manifest when nothing has changed. Raises what ``open`` raises.
        """
        if _generation(self.folder) == self.manifest["generation"]:
            with contextlib.suppress(IndexCorrupt, OSError, sqlite3.OperationalError):
                self._empty_log()
            return None
        return Index.open(self.folder, config, encoder)

    def _empty_log(self) -> None:
        # A reader that opened while an older one was there keeps the write-ahead log in use, and
        # deleted text in it. One that opens now, from the same state, does not.
        if self._log_emptied:
            return
        with contextlib.closing(Database(self.folder)) as other:
            other.checkpoint()
            fresh = Database(self.folder)
            weakref.finalize(self, fresh.close)
            fresh.begin()
            if fresh.manifest() != self.manifest:
                fresh.close()
                return
            with self._lock:
                self._database.close()
                self._database = fresh
            self._log_emptied = other.checkpoint()

    @classmethod
    def _open(cls, folder: Path, config: Config, encoder: Encoder) -> Index:
        try:
            database = Database(folder)
            try:
                return cls._checked(folder, database, config, encoder)
            except BaseException:
                database.close()
                raise
        except (OSError, sqlite3.OperationalError, ValueError) as error:
            raise IndexCorrupt(
                f"The index {folder} cannot be opened ({error}). "
                f"Repair it with: {command()} index ARTICLES --repair"
            ) from error

    @classmethod
    def _checked(cls, folder: Path, database: Database, config: Config, encoder: Encoder) -> Index:
        if database.empty() and not any(folder.glob("vectors-*.bin")):
            raise unfinished(folder)  # its first build ended at once
        database.begin()
        manifest = database.manifest()
        if not manifest:
            raise unfinished(folder)
        if reason := mismatch(manifest, config, encoder):
            source = manifest.get("articles_folder", "ARTICLES")
            raise IndexMismatch(
                f"The index {folder} was made with other settings: {reason}. "
                "Rebuild it with: "
                f"{command()} index {shlex.quote(source)} --index {shlex.quote(str(folder))}"
            )
        verify_files(folder, manifest["files"])
        generation = manifest["generation"]
        keys = database.embedded_keys()
        path = folder / f"vectors-{generation}.bin"
        vectors = open_store(config.store, manifest.get("vectors", {}), path, keys)
        lexical = LexicalIndex.open(folder / f"lexical-{lexical_generation(manifest)}")
        return cls(manifest, database, vectors, lexical, config, encoder)

    @property
    def empty(self) -> bool:
        """Return whether it has no article: its folder has none that can be read."""
        return not self._rows

    @property
    def unembedded(self) -> int:
        """Return how many passages have no vectors yet: only their words find them."""
        return self.lexical.passages - len(self.vectors)

    def embedded_keys(self) -> Keys:
        """Return the keys of the passages that have vectors (n,), ascending."""
        with self._lock:
            return self._database.embedded_keys()

    def passages(self, keys: Iterable[int]) -> list[StoredPassage]:
        """Return the passages of these keys, in their order, all with vectors."""
        with self._lock:
            found = list(self._database.passages(keys))
        if all(len(of.vector) for of in found):
            return found
        vectors = self._meanwhile([of for of in found if not len(of.vector)])
        return [
            replace(of, vector=vectors[of.key][0], sentence_vectors=vectors[of.key][1])
            if of.key in vectors
            else of
            for of in found
        ]

    def _meanwhile(self, waiting: Sequence[StoredPassage]) -> dict[int, PassageVectors]:
        """Embed passages that were found by their words before a sync came to it."""
        held = self._vectors
        found = {of.key: held[of.key] for of in waiting if of.key in held}
        if new := [of for of in waiting if of.key not in found]:
            articles = [self.article_at(of.article) for of in new]
            made = vectors_for(new, articles, self._encoder, self._config.title_tokens)
            found |= zip((of.key for of in new), made, strict=True)
            self._vectors = {**(held if len(held) < CACHED_VECTORS else {}), **found}
        return found

    def terms(self, stored: StoredPassage) -> list[list[str]]:
        """Return the terms of each sentence of a passage; not to be changed."""
        if (held := self._terms.get(stored.key)) is None:
            text = self.article_at(stored.article).text
            held = [terms(text[s.start : s.end]) for s in stored.passage.sentences]
            if len(self._terms) >= CACHED_PASSAGES:
                self._terms.clear()
            self._terms[stored.key] = held
        return held

    def article(self, path: str) -> Article:
        """Return an article by its path. Raises ArticleError when there is none."""
        if path not in self._rows:
            raise ArticleError(f"There is no article {path!r} in the index.")
        article = self.article_at(self._rows[path])
        if article.path != path:
            raise self._database.corrupt(f"its list of paths has {path!r} wrong")
        return article

    def article_at(self, row: int) -> Article:
        """Return the article of a passage."""
        with self._lock:
            if row not in self._articles:
                if len(self._articles) >= CACHED_ARTICLES:
                    self._articles.clear()
                self._articles[row] = self._database.article(row)
            return self._articles[row]

    def sentences(self, path: str) -> tuple[Sentence, ...]:
        """Return the sentences of an article, in order."""
        self.article(path)
        with self._lock:
            return self._database.sentences(self._rows[path])

    def sentences_from(self, path: str, position: int = 0) -> Iterator[Sentence]:
        """Yield the sentences of an article that begin at or after a position, in order.

        Only what is asked for is read, however long the article is; so it is below.
        """
        for passage in self._passages(path, position, after=True):
            yield from (s for s in passage.sentences if s.start >= position)

    def sentences_before(self, path: str, position: int) -> Iterator[Sentence]:
        """Yield those that end at or before a position, the nearest first."""
        for passage in self._passages(path, position, after=False):
            yield from (s for s in reversed(passage.sentences) if s.end <= position)

    def _passages(self, path: str, position: int, *, after: bool) -> Iterator[Passage]:
        self.article(path)
        row = self._rows[path]
        with self._lock:
            key = self._database.passage_at(row, position)
        while key is not None:
            with self._lock:
                (stored,) = self._database.passages([key])
                key = self._database.passage_beside(row, key, after=after)
            yield stored.passage

    def part(self, scope: Scope, holds: Callable[[Scope, ArticleSummary], bool]) -> ScopePart:
        """Return the articles that a scope holds, the keys of their passages (n,), ascending, and
        of those that are embedded (m,).

        The last ones are kept: a conversation often stays with its selection.
        """
        if (found := self._parts.get(scope)) is None:
            listed = tuple(article for article in self.contents() if holds(scope, article))
            wanted = [self._rows[article.path] for article in listed]
            with self._lock:
                rows = self._database.execute("SELECT id, article FROM passages ORDER BY id")
                embedded = self._database.embedded_keys()
            all_keys, articles = np.array(rows, np.int64).reshape(-1, 2).T  # (n,), (n,)
            keys = all_keys[np.isin(articles, wanted)]
            found = listed, keys, np.intersect1d(keys, embedded, assume_unique=True)
            if len(self._parts) >= CACHED_PARTS:
                self._parts.clear()
            self._parts[scope] = found
        return found

    def contents(self) -> tuple[ArticleSummary, ...]:
        """Return what is indexed, by path."""
        with self._lock:
            if self._contents is None:
                self._contents = self._database.summaries()
            return self._contents

    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Return the files that the last sync could not read, each with the reason."""
        manifest = manifest_of(self.folder) or self.manifest
        return tuple((path, reason) for path, reason in manifest.get("skipped", ()))

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._database.close()


def _generation(folder: Path) -> int | None:
    """Return the number of the newest generation; None when that cannot be told."""
    return manifest_of(folder).get("generation")


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of an index as it is now; empty when that cannot be told."""
    try:
        with contextlib.closing(Database(folder)) as database:
            return database.manifest()
    except (IndexCorrupt, OSError, sqlite3.OperationalError, ValueError):
        return {}


class OpenIndex:
    """An index that keeps up with its folder. Safe to use from several threads."""

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
        self,
        articles: Path,
        progress: Progress = silent,
        embedding: Progress = silent,
        *,
        vectors: bool = True,
    ) -> Changes:
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
