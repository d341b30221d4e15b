"""BM25 index over passages, on tantivy. Terms come from rag/text/terms.py."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from rag.types import Keys

HEAP = 64_000_000  # bytes the writer may use before it flushes a segment


class LexicalIndex:
    """BM25 (k1 = 1.2, b = 0.75; Robertson and Zaragoza 2009, section 3.4) over passages."""

    def __init__(self, index: tantivy.Index) -> None:
        self._searcher = index.searcher()
        self.passages: int = self._searcher.num_docs

    @classmethod
    def build(cls, folder: Path, rows: Iterable[tuple[int, Sequence[str]]]) -> LexicalIndex:
        """Write (key, terms) rows into an empty folder and open it. Raises OSError."""
        try:
            index = tantivy.Index(_schema(), path=str(folder))
            writer = index.writer(HEAP, 1)
            for key, terms in rows:
                writer.add_document(tantivy.Document(key=key, terms=" ".join(terms)))
            writer.commit()
            writer.wait_merging_threads()
            index.reload()
        except ValueError as error:  # tantivy's only kind of error, for a full disk too
            raise OSError(f"the search terms cannot be written ({error})") from error
        return cls(index)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open a folder whose files the caller has verified."""
        if os.access(folder, os.W_OK):
            return cls(tantivy.Index.open(str(folder)))
        # Tantivy's readers take a lock there, too. The copy's files are mapped: they may go.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as copy:
            shutil.copytree(folder, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
            Path(copy).chmod(0o700)
            return cls(tantivy.Index.open(copy))

    def search(
        self, terms: Iterable[str], k: int, similar: Iterable[str] = ()
    ) -> tuple[Keys, NDArray[np.float32]]:
        """Return the keys (m,) and BM25 scores (m,) of the best m ≤ k passages.

        ``similar``: terms that count where one letter is another, missing, added or swapped, too.

        Best first; equal scores in ascending order of their keys.
        """
        wanted = sorted(set(terms))
        schema = _schema()
        clauses = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "terms", term))
            for term in wanted
        ]
        near = tantivy.Query.fuzzy_term_query
        clauses += [
            (tantivy.Occur.Should, near(schema, "terms", term, distance=1))
            for term in sorted(set(similar))
        ]
        if not clauses or not self.passages or k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        found = self._searcher.search(tantivy.Query.boolean_query(clauses), k, count=False).hits
        addresses = [address for _, address in found]
        keys = np.array(self._searcher.fast_field_values("key", addresses), np.int64)  # (m,)
        scores = np.array([score for score, _ in found], np.float32)  # (m,)
        order = np.lexsort((keys, -scores))
        return keys[order], scores[order]

    def idf(self, term: str) -> float:
        """Return BM25's inverse document frequency of a term over the passages, in nats."""
        frequency = self.frequency(term)
        return math.log(1 + (self.passages - frequency + 0.5) / (frequency + 0.5))

    def frequency(self, term: str) -> int:
        """Return how many passages hold a term."""
        return int(self._searcher.doc_freq("terms", term))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("key", fast=True)
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    return builder.build()
