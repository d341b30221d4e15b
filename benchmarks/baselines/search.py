"""Searching as the baselines do: by BM25 alone, and by vectors alone over chunks of fixed size; a
question that leans on the one before together with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from rag.answering.collection import as_evidence
from rag.config import Config
from rag.index.index import Index
from rag.index.vectors import NumpyStore
from rag.models.encoder import Encoder, HashedEncoder
from rag.retrieval.ranking import Query, make_query
from rag.text.names import names
from rag.text.terms import terms
from rag.types import Article, Evidence, Hit, SearchResult, Sentence, Turn

K1, B = 1.2, 0.75  # of BM25, as in the lexical index
SENTENCE_WORDS = 22.0  # usual length, for BM25's length normalisation
CHUNK, OVERLAP = 1_000, 200  # characters
SEPARATORS = ("\n\n", "\n", " ")
SPACE = re.compile(r"\s+")
LEANS = re.compile(
    r"^(?:and|but|so|why|how so|what about|how about)\b|\b(?:he|she|it|they|him|her|them|his|its|"
    r"their|this|those|these)\b",
    re.IGNORECASE,
)


def with_history(question: str, history: Sequence[Turn]) -> str:
    """Return what to search for: a question that leans on the one before, together with it."""
    earlier = [turn.text for turn in history if turn.role == "user"]
    if earlier and LEANS.search(question) and not names(question):
        return f"{earlier[-1]} {question}"
    return question


def find_lexically(index: Index, config: Config, question: str, k: int) -> SearchResult:
    """Return the best k passages by BM25, and of all that were found the best k sentences by BM25.

    Scores and confidence are shares of the most that the question's terms can reach.
    """
    query = make_query(question, index, HashedEncoder())  # its vector is not used
    most = most_bm25(query)
    keys, scores = index.lexical.search(query.terms, max(k, config.candidates))
    passages: list[Hit] = []
    evidence: list[Evidence] = []
    for stored, score in zip(index.passages(keys.tolist()), scores.tolist(), strict=True):
        article, passage = index.article_at(stored.article), stored.passage
        share = round(score / most, 4)
        passages.append(Hit(stored.key, article.path, passage.start, passage.end, share))
        for sentence in passage.sentences:
            words = terms(article.text[sentence.start : sentence.end])
            share = round(bm25(query, words) / most, 4)
            evidence.append(as_evidence(article, sentence, share))
    best = sorted(evidence, key=lambda e: (-e.score, e.article, e.start))[:k]
    return SearchResult(
        question, _limited(best[0].score if best else 0.0), tuple(passages[:k]), tuple(best)
    )


def bm25(query: Query, words: Sequence[str]) -> float:
    """BM25 of a sentence for the query (Robertson and Zaragoza 2009, section 3.4)."""
    length = K1 * (1 - B + B * len(words) / SENTENCE_WORDS)
    score = 0.0
    for term, idf in query.idf.items():
        if count := words.count(term):
            score += idf * count * (K1 + 1) / (count + length)
    return score


def most_bm25(query: Query) -> float:
    """Return BM25's upper bound for the query, so that scores can be brought to 0..1."""
    return max(1e-9, sum(query.idf.values()) * (K1 + 1))


def chunks(text: str, size: int = CHUNK, overlap: int = OVERLAP) -> Iterator[Sentence]:
    """Yield spans of at most ``size`` characters that cover the text, each beginning at most
    ``overlap`` before the end of the one before.

    They end behind a blank line, else a line, else a word, as LangChain's
    RecursiveCharacterTextSplitter cuts, and begin with a word; sentences do not matter.
    """
    start, end = 0, 0
    while end < len(text):
        end = _cut(text, start + overlap + 1, start + size)
        yield Sentence(start, end)
        back = end - overlap
        space = SPACE.search(text, back - 1, end)
        start = space.end() if space else back


def _cut(text: str, first: int, last: int) -> int:
    """Return where a chunk that may end from ``first`` to ``last`` ends."""
    if last >= len(text):
        return len(text)
    for separator in SEPARATORS:
        at = text.rfind(separator, first, last)
        if at >= 0:
            return at + len(separator)
    return last


class ChunkIndex:
    """Chunks of all articles with their vectors, which are kept in a folder."""

    def __init__(self, index: Index, encoder: Encoder, folder: Path) -> None:
        """Read the vectors or, if they are not there, encode the chunks: minutes for a thousand
        articles.
        """
        self._encoder = encoder
        self._chunks = [
            (article, span)
            for summary in index.contents()
            for article in [index.article(summary.path)]
            for span in chunks(article.text)
        ]
        self._store = self._read(folder / f"chunks-{_key(index, encoder)}.npy")

    def search(self, question: str, k: int) -> SearchResult:
        """Return the best k chunks, as passages and as evidence."""
        keys, scores = self._store.search(self._encoder.encode_texts([question])[0], k)
        found = [
            (key, *self._chunks[key], round(score, 4))
            for key, score in zip(keys.tolist(), scores.tolist(), strict=True)
        ]
        confidence = _limited(found[0][3] if found else 0.0)
        passages = tuple(Hit(key, a.path, s.start, s.end, score) for key, a, s, score in found)
        evidence = tuple(as_evidence(a, s, score) for _, a, s, score in found)
        return SearchResult(question, confidence, passages, evidence)

    def _read(self, path: Path) -> NumpyStore:
        keys = np.arange(len(self._chunks))  # (n,)
        with suppress(OSError, ValueError, EOFError):  # none, or a damaged one
            return NumpyStore.load(path, keys)
        vectors = self._encoder.encode_texts([_text(a, s) for a, s in self._chunks])  # (n, dim)
        store = NumpyStore(keys, vectors)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        store.save(part)
        part.replace(path)
        return store


def _text(article: Article, span: Sentence) -> str:
    return article.text[span.start : span.end]


def _key(index: Index, encoder: Encoder) -> str:
    what = [index.manifest, encoder.fingerprint, CHUNK, OVERLAP]
    text = json.dumps(what, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _limited(score: float) -> float:
    return min(1.0, max(0.0, score))
