"""The index's one source of truth: a SQLite file with articles, passages and the manifest.

Every row carries its own hash, and a row that fails it is never used. Vector and lexical files
are made from here and can always be made again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexCorrupt
from rag.types import Article, ArticleSummary, Keys, Passage, Sentence, Vectors

NAME = "store.sqlite"
BUSY_SECONDS = 5.0  # how long a writer waits for another one
ARTICLE = tuple(field.name for field in fields(Article))
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS manifest (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content_hash TEXT NOT NULL,
    {", ".join(ARTICLE)}, row_hash TEXT NOT NULL, UNIQUE (path));
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL,
    spans BLOB NOT NULL, vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL,
    row_hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of_article ON passages (article);
"""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its vectors."""

    key: int
    article: int  # the article's row
    passage: Passage
    vector: NDArray[np.float16]  # (dim,)
    sentence_vectors: NDArray[np.float16]  # (sentences, dim)


class Database:
    """Reads and writes rows. Transactions are the caller's: ``begin``, ``commit``, ``rollback``."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        """Open or (for writing) create the store. Raises IndexCorrupt when it is no such file."""
        self.path = folder / NAME
        location = f"{self.path.absolute().as_uri()}?mode={'rwc' if write else 'rw'}"
        self._connection = sqlite3.connect(
            location, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        try:
            if write:
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA secure_delete=ON")  # deleted text is gone
                self._connection.executescript(SCHEMA)
            self.execute("SELECT count(*) FROM manifest")
        except (sqlite3.DatabaseError, IndexCorrupt) as error:
            self._connection.close()
            if "locked" in str(error):
                raise
            raise self._corrupt(error) from error

    def _corrupt(self, detail: object) -> IndexCorrupt:
        return IndexCorrupt(
            f"The index store {self.path} is damaged ({detail}). "
            "Rebuild it with: python -m rag index ARTICLES"
        )

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement. Raises IndexCorrupt when the file is damaged."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise self._corrupt(error) from error
            raise
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    def begin(self, *, write: bool = False) -> None:
        """Start a transaction; a reader sees one consistent state until it ends."""
        self.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        self.execute("SELECT count(*) FROM manifest")  # the snapshot is taken by the first read

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    # The manifest.

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; empty in a new store."""
        rows = self.execute("SELECT value, name FROM manifest")
        try:
            found = {name: json.loads(value) for value, name in rows}
        except ValueError as error:
            raise self._corrupt("unreadable manifest") from error
        return found

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        self.execute("DELETE FROM manifest")
        for name, value in manifest.items():
            self.execute("INSERT INTO manifest VALUES (?, ?)", (name, json.dumps(value)))

    # Articles.

    def content_hashes(self) -> dict[str, tuple[int, str]]:
        """Return {path: (row, sha256 of the file)} of all articles."""
        rows = self.execute("SELECT path, id, content_hash FROM articles")
        return {path: (row, digest) for path, row, digest in rows}

    def add_article(self, article: Article, content_hash: str) -> int:
        values = [getattr(article, name) for name in ARTICLE]
        marks = ", ".join("?" * (len(values) + 2))
        rows = self.execute(
            f"INSERT INTO articles (content_hash, {', '.join(ARTICLE)}, row_hash)"
            f" VALUES ({marks}) RETURNING id",
            (content_hash, *values, _hash(content_hash, *values)),
        )
        return int(rows[0][0])

    def rename_article(self, row: int, article: Article, content_hash: str) -> None:
        values = [getattr(article, name) for name in ARTICLE]
        self.execute(
            "UPDATE articles SET path = ?, row_hash = ? WHERE id = ?",
            (article.path, _hash(content_hash, *values), row),
        )

    def remove_article(self, row: int) -> None:
        self.execute("DELETE FROM passages WHERE article = ?", (row,))
        self.execute("DELETE FROM articles WHERE id = ?", (row,))

    def article(self, row: int) -> Article:
        """Return an article. Raises IndexCorrupt when its row fails its hash."""
        columns = ", ".join(ARTICLE)
        found = self.execute(
            f"SELECT content_hash, {columns}, row_hash FROM articles WHERE id = ?", (row,)
        )
        if not found or _hash(*found[0][:-1]) != found[0][-1]:
            raise self._corrupt(f"article row {row} fails its checksum")
        return Article(*found[0][1:-1])

    def article_paths(self) -> dict[str, int]:
        """Return {path: row} of all articles, by path."""
        return dict(self.execute("SELECT path, id FROM articles ORDER BY path"))

    def summaries(self) -> tuple[ArticleSummary, ...]:
        """Return what a list of the articles shows, by path."""
        rows = self.execute(
            "SELECT path, title, published, source, length(text),"
            " (SELECT total(length(spans)) / 8 FROM passages WHERE article = articles.id)"
            " FROM articles ORDER BY path"
        )
        return tuple(
            ArticleSummary(path, title, published, source, int(sentences), characters)
            for path, title, published, source, characters, sentences in rows
        )

    # Passages.

    def add_passage(
        self, article: int, passage: Passage, vector: Vectors, sentence_vectors: Vectors
    ) -> None:
        spans = np.array([(s.start, s.end) for s in passage.sentences], np.int32)  # (n, 2)
        blobs = [
            spans.tobytes(),
            vector.astype(np.float16).tobytes(),
            sentence_vectors.astype(np.float16).tobytes(),
        ]
        self.execute(
            "INSERT INTO passages (article, spans, vector, sentence_vectors, row_hash)"
            " VALUES (?, ?, ?, ?, ?)",
            (article, *blobs, _hash(article, *blobs)),
        )

    def passage_keys(self) -> Keys:
        """Return the keys of all passages (n,), ascending."""
        rows = self.execute("SELECT id FROM passages ORDER BY id")
        return np.fromiter((key for (key,) in rows), np.int64, len(rows))

    def passages(self, keys: Iterable[int]) -> Iterator[StoredPassage]:
        """Yield the passages of these keys. Raises IndexCorrupt when a row fails its hash."""
        for key in keys:
            rows = self.execute(
                "SELECT article, spans, vector, sentence_vectors, row_hash"
                " FROM passages WHERE id = ?",
                (int(key),),
            )
            if not rows or _hash(*rows[0][:-1]) != rows[0][-1]:
                raise self._corrupt(f"passage row {key} fails its checksum")
            article, spans, vector, sentence_vectors, _ = rows[0]
            half = np.frombuffer(vector, np.float16)
            yield StoredPassage(
                key=int(key),
                article=article,
                passage=Passage(_sentences(spans)),
                vector=half,
                sentence_vectors=np.frombuffer(sentence_vectors, np.float16).reshape(-1, len(half)),
            )

    def sentences(self, article: int) -> tuple[Sentence, ...]:
        """Return the sentences of an article, in order."""
        rows = self.execute("SELECT spans FROM passages WHERE article = ? ORDER BY id", (article,))
        return tuple(sentence for (spans,) in rows for sentence in _sentences(spans))


def _sentences(spans: bytes) -> tuple[Sentence, ...]:
    pairs = np.frombuffer(spans, np.int32).reshape(-1, 2).tolist()
    return tuple(Sentence(start, end) for start, end in pairs)


def _hash(*values: object) -> str:
    digest = hashlib.sha256()
    for value in values:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        digest.update(len(data).to_bytes(8, "little"))  # so that fields cannot run together
        digest.update(data)
    return digest.hexdigest()
