"""The index's one source of truth: a SQLite file with articles, passages and the manifest.

Every row carries its own hash, and a row that fails it is never used. Vector and lexical files
are made from here and can always be made again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.command import command
from rag.errors import IndexCorrupt
from rag.index.schema import (
    CIRCUMSTANCES,
    COLUMNS,
    NAME,
    SCHEMA,
    TABLES,
    PassageVectors,
    Rows,
    StoredPassage,
    article_values,
    passage_values,
    row_hash,
    to_article,
    to_passage,
)
from rag.types import Article, ArticleSummary, Keys, Passage, Sentence

# The store's SQLite file: opening it, statements, transactions, and its upkeep.

BUSY_SECONDS = 5.0  # how long a writer waits for another one


class Connection:
    """The store's file. Transactions are the caller's: ``begin``, ``commit``, ``rollback``."""

    def __init__(self, folder: Path, *, write: bool = False, name: str = NAME) -> None:
        """Open or (for writing) create the store. Raises IndexCorrupt when it is no such file."""
        self.path = folder / name
        mode = "mode=rwc" if write else "mode=rw"
        if not write and not os.access(folder, os.W_OK) and not Path(f"{self.path}-wal").exists():
            mode = "mode=ro&immutable=1"  # it cannot make the files that readers share
        location = f"{self.path.absolute().as_uri()}?{mode}"
        self._connection = sqlite3.connect(
            location, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        try:
            self.execute("PRAGMA cell_size_check = ON")  # finds damage before it is followed
            self.execute("PRAGMA trusted_schema = OFF")
            if write:
                self.execute("PRAGMA journal_mode=WAL")
                self.execute("PRAGMA secure_delete=ON")  # deleted text is gone
                self._create()
            self.execute("SELECT count(*) FROM sqlite_master")
        except BaseException:
            self._connection.close()
            raise

    def _create(self) -> None:
        # All tables or none, whenever the process ends; also within a transaction.
        self.execute("SAVEPOINT tables")
        for statement in SCHEMA.split(";"):
            self.execute(statement)
        self.execute("RELEASE tables")

    def empty(self) -> bool:
        """Return whether there is no table yet."""
        return not self.execute("SELECT 1 FROM sqlite_master LIMIT 1")

    def corrupt(self, detail: object) -> IndexCorrupt:
        """Return the error that says so, and what helps."""
        line = " ".join(str(detail).removeprefix("*** in database main ***").split())
        return IndexCorrupt(
            f"The index store {self.path} is damaged ({line[:80]}). "
            f"Repair it with: {command()} index ARTICLES --repair"
        )

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement.

        Raises IndexCorrupt when the file is damaged, OperationalError when it is in use or cannot
        be reached.
        """
        return list(self.each(sql, values))

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield what ``execute`` returns, row by row."""
        try:
            yield from self._connection.execute(sql, values)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in CIRCUMSTANCES:
                raise
            raise self.corrupt(error) from error

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

    def check_pages(self) -> None:
        """Raise IndexCorrupt when the structure of the file is damaged."""
        problems = self.execute("PRAGMA integrity_check(1)")
        if problems != [("ok",)]:
            raise self.corrupt(problems[0][0])

    def compact(self) -> None:
        """Give the space of removed rows back, if it is most of the file. Not in a transaction."""
        (free,), (pages,) = (
            self.execute(f"PRAGMA {name}")[0] for name in ("freelist_count", "page_count")
        )
        if free > pages // 2:
            self.execute("VACUUM")

    def checkpoint(self) -> bool:
        """Empty the write-ahead log, as far as no reader needs it; return whether it is empty."""
        self.execute("PRAGMA busy_timeout = 0")
        ((busy, _, _),) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")
        return not busy


ROWS_AT_ONCE = 500  # rows fetched by one statement


class Database(Connection):
    """Reads and writes rows. Transactions are the caller's: ``begin``, ``commit``, ``rollback``."""

    # The manifest.

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; empty in a new store."""
        rows = self.execute("SELECT value, row_hash FROM manifest")
        if not rows and not self.execute("SELECT 1 FROM articles LIMIT 1"):
            return {}
        if len(rows) != 1 or row_hash(rows[0][0]) != rows[0][1]:
            raise self.corrupt("the manifest fails its checksum")
        found: dict[str, Any] = json.loads(rows[0][0])
        return found

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        value = json.dumps(manifest)
        self.execute("DELETE FROM manifest")
        self.execute("INSERT INTO manifest VALUES (?, ?)", (value, row_hash(value)))

    # Articles.

    def content_hashes(self) -> dict[str, tuple[int, str]]:
        """Return {path: (row, sha256 of the file)} of all articles."""
        rows = self.execute("SELECT path, id, content_hash FROM articles")
        return {path: (row, digest) for path, row, digest in rows}

    def add_article(self, article: Article, content_hash: str, sentences: int) -> int:
        """Add an article that has so many sentences; return its row."""
        (of_passages,) = self.execute("SELECT coalesce(max(article), 0) FROM passages")[0]
        row = max(self._next_row("articles"), int(of_passages) + 1)  # orphans must not be adopted
        self._insert("articles", row, content_hash, sentences, *article_values(article))
        return row

    def rename_article(self, row: int, path: str) -> None:
        values = list(self._article_row(row))
        values[COLUMNS.split(", ").index("path")] = path
        changed = path, row_hash(*values), row
        self.execute("UPDATE articles SET path = ?, row_hash = ? WHERE id = ?", changed)

    def clear(self) -> None:
        """Remove all articles and passages, and tables of another version with them."""
        for table in TABLES:
            self.execute(f"DROP TABLE {table}")
        self._create()

    def remove_article(self, row: int) -> None:
        """Remove an article; its passages are left for ``vectors_of`` until ``drop_orphans``."""
        self.execute("DELETE FROM articles WHERE id = ?", (row,))

    def article(self, row: int) -> Article:
        """Return an article. Raises IndexCorrupt when its row fails its hash."""
        return to_article(self._article_row(row)[3:])

    def _article_row(self, row: int) -> tuple[Any, ...]:
        found = self.execute(f"SELECT {COLUMNS}, row_hash FROM articles WHERE id = ?", (row,))
        return self._checked("article", row, found[0] if found else ())

    def article_paths(self) -> dict[str, int]:
        """Return {path: row} of all articles, by path."""
        return dict(self.execute("SELECT path, id FROM articles ORDER BY path"))

    def summaries(self) -> tuple[ArticleSummary, ...]:
        """Return what a list of the articles shows, by path. Raises IndexCorrupt."""
        found = []
        for row in sorted(self.article_paths().values()):
            _, _, sentences, *values = self._article_row(row)
            article = to_article(values)
            summary = ArticleSummary(
                path=article.path,
                title=article.title,
                published=article.published,
                source=article.source,
                sentences=sentences,
                characters=len(article.text),
            )
            found.append(summary)
        return tuple(sorted(found, key=lambda summary: summary.path))

    # Passages.

    def add_passage(
        self, article: int, passage: Passage, vectors: PassageVectors, input_hash: str, terms: str
    ) -> None:
        """Add a passage: its vectors, the hash of what they were made from, and its terms."""
        key = self._next_row("passages")
        self._insert("passages", key, article, *passage_values(passage, vectors))
        self._insert("inputs", key, input_hash, terms)

    def set_terms(self, key: int, terms: str) -> None:
        """Replace the terms of a passage."""
        ((input_hash,),) = self.execute("SELECT input_hash FROM inputs WHERE id = ?", (key,))
        self.execute("DELETE FROM inputs WHERE id = ?", (key,))
        self._insert("inputs", key, input_hash, terms)

    def vectors_of(self, input_hash: str) -> PassageVectors | None:
        """Return the vectors that were made from the same input, if a passage has them."""
        found = self.execute(
            "SELECT min(id) FROM inputs JOIN passages USING (id) "
            "WHERE input_hash = ? AND length(vector) > 0",
            (input_hash,),
        )
        if found[0][0] is None:
            return None
        (stored,) = self.passages([found[0][0]])
        return stored.vector, stored.sentence_vectors

    def drop_orphans(self) -> None:
        """Remove the passages of articles that are gone."""
        self.execute("DELETE FROM passages WHERE article NOT IN (SELECT id FROM articles)")
        self.execute("DELETE FROM inputs WHERE id NOT IN (SELECT id FROM passages)")

    def set_vectors(self, stored: StoredPassage, vectors: PassageVectors) -> None:
        """Give a passage its vectors."""
        spans, *parts = passage_values(stored.passage, vectors)
        digest = row_hash(stored.key, stored.article, spans, *parts)
        self.execute(
            "UPDATE passages SET vector = ?, sentence_vectors = ?, row_hash = ? WHERE id = ?",
            (*parts, digest, stored.key),
        )

    def unembedded(self) -> list[int]:
        """Return the keys of the passages without vectors, the shortest first: little padding."""
        rows = self.execute("SELECT id, spans FROM passages WHERE length(vector) = 0 ORDER BY id")
        length = {key: int(np.ptp(np.frombuffer(spans, np.int32))) for key, spans in rows}
        return sorted(length, key=length.__getitem__)

    def all_vectors(self, dimensions: int) -> tuple[Keys, Rows]:
        """Return the embedded passages' keys (n,), ascending, and vectors (n, dim), unchecked."""
        keys, data = [], bytearray()  # no list of a million rows beside what is made of them
        for key, vector in self.each(
            "SELECT id, vector FROM passages WHERE length(vector) > 0 ORDER BY id"
        ):
            keys.append(key)
            data += vector
        rows = np.frombuffer(data, np.float16).reshape(len(keys), dimensions)
        return np.array(keys, np.int64), rows

    def all_terms(self) -> Iterator[tuple[int, str]]:
        """Yield the passages' keys, ascending, and terms, unchecked."""
        yield from self.each("SELECT id, terms FROM inputs ORDER BY id")

    def passage_keys(self) -> Keys:
        """Return the keys of all passages (n,), ascending."""
        rows = self.execute("SELECT id FROM passages ORDER BY id")
        return np.fromiter((key for (key,) in rows), np.int64, len(rows))

    def embedded_keys(self) -> Keys:
        """Return the keys of the passages that have vectors (n,), ascending."""
        rows = self.execute("SELECT id FROM passages WHERE length(vector) = 0")
        return np.setdiff1d(self.passage_keys(), np.array(rows, np.int64).reshape(-1))

    def passages(self, keys: Iterable[int]) -> Iterator[StoredPassage]:
        """Yield the passages of these keys, in order.

        Raises IndexCorrupt when a row fails its hash.
        """
        wanted = [int(key) for key in keys]
        for at in range(0, len(wanted), ROWS_AT_ONCE):
            some = wanted[at : at + ROWS_AT_ONCE]
            found = self.execute(
                f"SELECT {TABLES['passages']}, row_hash FROM passages"
                f" WHERE id IN ({', '.join('?' * len(some))})",
                some,
            )
            rows = {row[0]: row for row in found}
            for key in some:
                yield to_passage(*self._checked("passage", key, rows.get(key, ())))

    def sentences(self, article: int) -> tuple[Sentence, ...]:
        """Return the sentences of an article, in order. Raises IndexCorrupt."""
        keys = self.execute("SELECT id FROM passages WHERE article = ? ORDER BY id", (article,))
        found = tuple(
            sentence
            for stored in self.passages(key for (key,) in keys)
            for sentence in stored.passage.sentences
        )
        if len(found) != self._article_row(article)[2]:
            raise self.corrupt(f"article row {article} lacks passages")
        return found

    def passage_at(self, article: int, position: int) -> int | None:
        """Return the key of the last passage of an article that begins at or before a position, or
        of its first one; None where it has none. Of n passages log n are read. Raises IndexCorrupt.
        """
        first = self.passage_beside(article, 0, after=True)
        last = self.passage_beside(article, 2**63 - 1, after=False)
        if first is None or last is None:
            return None
        keys = range(first, last + 1)  # not all of them are the article's, or there

        def start(key: int) -> int:
            following = self.passage_beside(article, key - 1, after=True)
            (stored,) = self.passages([following or last])
            return stored.passage.start

        return keys[max(0, bisect_right(keys, position, key=start) - 1)]

    def passage_beside(self, article: int, key: int, *, after: bool) -> int | None:
        """Return the key of an article's passage after, or before, the one of this key."""
        wanted = "id > ? ORDER BY id" if after else "id < ? ORDER BY id DESC"
        found = self.execute(
            f"SELECT id FROM passages WHERE article = ? AND {wanted} LIMIT 1", (article, key)
        )
        return found[0][0] if found else None

    # Rows.

    def forget_articles(self) -> None:
        """Remove all articles; their passages are left for ``vectors_of``."""
        self.execute("DELETE FROM articles")

    def _next_row(self, table: str) -> int:
        # Given here and not by SQLite, since the row's hash covers it.
        return int(self.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0][0])

    def _insert(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * (len(values) + 1))
        self.execute(f"INSERT INTO {table} VALUES ({marks})", (*values, row_hash(*values)))

    def _checked(self, kind: str, key: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
        if not row or row_hash(*row[:-1]) != row[-1]:
            raise self.corrupt(f"{kind} row {key} fails its checksum")
        return row[:-1]
