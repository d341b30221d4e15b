"""Vectors of passages. New text is found by its words at once; its vectors are made behind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from rag.index.database import Database
from rag.index.schema import PassageVectors, StoredPassage, row_hash
from rag.models.encoder import Encoder, Spans
from rag.types import Article, Passage

UNEMBEDDED: PassageVectors = (np.empty(0, np.float16), np.empty((0, 0), np.float16))
PassageInput = tuple[str, Spans]  # what the encoder sees: a text, and its sentences' places in it


def header(article: Article, encoder: Encoder, title_tokens: int) -> str:
    """Return what stands before a passage's sentences when it is embedded: the title, cut."""
    spans = encoder.token_spans(article.title)[:title_tokens]
    return article.title[: spans[-1][1]] + "\n" if spans else ""


def input_of(head: str, article: Article, passage: Passage) -> PassageInput:
    """Return what the encoder sees of a passage, below the header of its article."""
    shift = len(head) - passage.start
    spans = [(s.start + shift, s.end + shift) for s in passage.sentences]
    return head + article.text[passage.start : passage.end], spans


def input_hash(encoder: Encoder, of: PassageInput) -> str:
    """Return what says that vectors are those of an input, made by this encoder."""
    return row_hash(encoder.fingerprint, *of)


def vectors_for(
    stored: Sequence[StoredPassage], articles: Sequence[Article], encoder: Encoder,
    title_tokens: int,
) -> list[PassageVectors]:  # fmt: skip
    """Embed passages of these articles; equal inputs once. Half precision, as they are stored."""
    inputs = []
    for article, group in groupby(zip(articles, stored, strict=True), key=lambda pair: pair[0]):
        head = header(article, encoder, title_tokens)
        inputs += [input_of(head, article, of.passage) for _, of in group]
    hashes = [input_hash(encoder, of) for of in inputs]
    different = dict(zip(hashes, inputs, strict=True))
    texts, spans = zip(*different.values(), strict=True)
    vectors, parts = encoder.encode_passages(texts, spans)  # (n, dim), n × (m, dim)
    halves = [
        (vector.astype(np.float16), part.astype(np.float16))
        for vector, part in zip(vectors, parts, strict=True)
    ]
    found = dict(zip(different, halves, strict=True))
    return [found[digest] for digest in hashes]


def embed(database: Database, encoder: Encoder, title_tokens: int, keys: Sequence[int]) -> None:
    """Give the passages of these keys their vectors, inside the caller's transaction."""
    stored = sorted(database.passages(keys), key=attrgetter("article"))
    if not stored:
        return
    rows = {row: database.article(row) for row in {of.article for of in stored}}
    articles = [rows[of.article] for of in stored]
    for of, vectors in zip(
        stored, vectors_for(stored, articles, encoder, title_tokens), strict=True
    ):
        database.set_vectors(of, vectors)
