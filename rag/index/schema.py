"""The tables of the store, and how values lie in their rows. Every row carries its checksum."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.types import Article, Passage, Sentence

NAME = "store.sqlite"
ARTICLE = tuple(field.name for field in fields(Article))
COLUMNS = ", ".join(("id", "content_hash", "sentences", *ARTICLE))
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS manifest (value TEXT NOT NULL, row_hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS articles (
    id INTEGER PRIMARY KEY, content_hash TEXT NOT NULL, sentences INTEGER NOT NULL,
    {", ".join(ARTICLE)}, row_hash TEXT NOT NULL, UNIQUE (path));
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY, article INTEGER NOT NULL,
    spans BLOB NOT NULL, vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL,
    row_hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of_article ON passages (article);
CREATE INDEX IF NOT EXISTS passages_unembedded ON passages (id) WHERE length(vector) = 0;
CREATE TABLE IF NOT EXISTS inputs (
    id INTEGER PRIMARY KEY, input_hash TEXT NOT NULL, terms TEXT NOT NULL,
    row_hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of_input ON inputs (input_hash);
"""
# Table: its columns, without the row's checksum.
TABLES = {
    "articles": COLUMNS,
    "passages": "id, article, spans, vector, sentence_vectors",
    "inputs": "id, input_hash, terms",  # of the passage of the same id
}

# What goes wrong with the disk or another process, not with the file's content.
CIRCUMSTANCES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
}


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its vectors; both empty while it is not embedded."""

    key: int
    article: int  # the article's row
    passage: Passage
    vector: NDArray[np.float16]  # (dim,)
    sentence_vectors: NDArray[np.float16]  # (sentences, dim)


Rows: TypeAlias = "NDArray[np.float16]"  # (n, dim)
PassageVectors: TypeAlias = "tuple[NDArray[Any], NDArray[Any]]"  # (dim,), (sentences, dim)


def article_values(article: Article) -> list[str | int | None]:
    """Return the values of an article's row."""
    values = {name: getattr(article, name) for name in ARTICLE}
    return list({**values, "pages": json.dumps(article.pages)}.values())


def to_article(values: Sequence[Any]) -> Article:
    """Return the article of a row."""
    article = dict(zip(ARTICLE, values, strict=True))
    return Article(**{**article, "pages": tuple(json.loads(article["pages"]))})


def passage_values(passage: Passage, vectors: PassageVectors) -> list[bytes]:
    """Return the values of a passage's row: its sentences' spans and its vectors."""
    spans = np.array([(s.start, s.end) for s in passage.sentences], np.int32)  # (n, 2)
    return [spans.tobytes(), *(part.astype(np.float16).tobytes() for part in vectors)]


def to_passage(
    key: int, article: int, spans: bytes, vector: bytes, sentence_vectors: bytes
) -> StoredPassage:
    pairs = np.frombuffer(spans, np.int32).reshape(-1, 2).tolist()
    half = np.frombuffer(vector, np.float16)
    return StoredPassage(
        key=key,
        article=article,
        passage=Passage(tuple(Sentence(start, end) for start, end in pairs)),
        vector=half,
        sentence_vectors=np.frombuffer(sentence_vectors, np.float16).reshape(
            len(pairs) if len(half) else 0, len(half)
        ),
    )


def row_hash(*values: object) -> str:
    """Return the checksum of a row's values."""
    digest = hashlib.sha256()
    for value in values:
        data = value if isinstance(value, bytes) else str(value).encode()
        # So that fields cannot run together, nor None be taken for "None".
        digest.update(f"{type(value).__name__} {len(data)} ".encode())
        digest.update(data)
    return digest.hexdigest()
