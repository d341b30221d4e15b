"""What the choices in cutting and embedding are worth: length and overlap of passages, what stands
in front of them, where sentence vectors come from, the encoder.

    python -m benchmarks.retrieval.ablation_index rtqa22 --articles 12

For each row the articles are embedded anew in memory and the weights fitted anew, on the questions
about the first half of so many articles of `squad`; they are shown on those about the other half,
and on the sets named. Differences to the first row are paired, with 95 % bootstrap intervals.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.retrieval.ablation import BASE, HEAD, VARIANTS, case_of, fitted, row_of
from benchmarks.retrieval.retrieval import questions
from rag.config import Config
from rag.index.embedding import header
from rag.index.index import Index
from rag.index.lexical import LexicalIndex
from rag.index.schema import StoredPassage
from rag.index.vectors import NumpyStore
from rag.ingest.folder import find_articles
from rag.ingest.passages import make_passages
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import FEATURES
from rag.text.terms import terms
from rag.types import Article, Passage

SHIPPED = Config()


@dataclass(frozen=True)
class Shape:
    """How articles become vectors."""

    tokens: int = SHIPPED.passage_tokens
    overlap: int = 0  # sentences of the passage before
    title: int = SHIPPED.title_tokens  # tokens of it in front
    date: bool = False  # the day of publication in front, too
    separate: bool = False  # each sentence embedded by itself with the title, not pooled
    encoder: str = SHIPPED.encoder

    def passages(self, article: Article, encoder: Encoder) -> Iterator[Passage]:
        most = min(self.tokens, encoder.window - self.title - 1)
        before: Passage | None = None
        for passage in make_passages(article, encoder.token_spans(article.text), most):
            first = before.sentences[-self.overlap :] if before and self.overlap else ()
            yield Passage((*first, *passage.sentences))
            before = passage

    def head(self, article: Article, encoder: Encoder) -> str:
        date = f"{article.published}\n" if self.date and article.published else ""
        return date + header(article, encoder, self.title)


SHAPES = {
    "as shipped: 128 tokens, title in front, late pooling": Shape(),
    "passages of 64 tokens": Shape(tokens=64),
    "passages of 192 tokens": Shape(tokens=192),
    "the last sentence of the passage before, too": Shape(overlap=1),
    "no title in front": Shape(title=0),
    "date and title in front": Shape(date=True),
    "sentences embedded by themselves": Shape(separate=True),
    "the larger encoder, all-mpnet-base-v2": Shape(encoder="all-mpnet-base-v2"),
}


class MemoryIndex:
    """What ranking asks of an index."""

    def __init__(self, articles: Sequence[Article], shape: Shape, encoder: Encoder) -> None:
        self._articles = articles
        self._stored: list[StoredPassage] = []
        for row, article in enumerate(articles):
            self._add(row, article, shape, encoder)
        keys = np.arange(len(self._stored), dtype=np.int64)
        self.vectors = NumpyStore(keys, np.array([s.vector for s in self._stored]))
        with tempfile.TemporaryDirectory() as folder:
            rows = ((s.key, self._terms(s)) for s in self._stored)
            self.lexical = LexicalIndex.build(Path(folder), rows)

    def _add(self, row: int, article: Article, shape: Shape, encoder: Encoder) -> None:
        head = shape.head(article, encoder)
        passages = list(shape.passages(article, encoder))
        if not passages:
            return
        texts = [head + article.text[p.start : p.end] for p in passages]
        spans = [
            [(s.start + len(head) - p.start, s.end + len(head) - p.start) for s in p.sentences]
            for p in passages
        ]
        vectors, parts = encoder.encode_passages(texts, spans)
        for passage, vector, part in zip(passages, vectors, parts, strict=True):
            if shape.separate:
                quotes = [head + article.text[s.start : s.end] for s in passage.sentences]
                part = encoder.encode_texts(quotes)  # noqa: PLW2901
            half = np.float16
            self._stored.append(
                StoredPassage(
                    len(self._stored), row, passage, vector.astype(half), part.astype(half)
                )
            )

    def terms(self, stored: StoredPassage) -> list[list[str]]:
        text = self._articles[stored.article].text
        return [terms(text[s.start : s.end]) for s in stored.passage.sentences]

    def _terms(self, stored: StoredPassage) -> list[str]:
        article = self._articles[stored.article]
        body = article.text[stored.passage.start : stored.passage.end]
        return terms(f"{article.title}\n{body}")

    def passages(self, keys: Iterable[int]) -> list[StoredPassage]:
        return [self._stored[key] for key in keys]

    def article_at(self, row: int) -> Article:
        return self._articles[row]


def articles_of(folder: Path, names: set[str] | None = None) -> list[Article]:
    return [
        part.load()
        for file in find_articles(folder)
        for part in file.parts(SHIPPED)
        if names is None or Path(file.path).stem in names
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+", help="sets to report besides squad's second half")
    parser.add_argument("--articles", type=int, default=12, help="articles of squad")
    parser.add_argument("--most", type=int, default=300, help="questions of a set")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    rows = {name: questions(data, name) for name in ("squad", *arguments.sets)}
    picked = sorted({r["article_id"] for r in rows["squad"]})  # the same ones each time
    random.Random(0).shuffle(picked)
    picked = picked[: arguments.articles]
    corpora = {name: articles_of(data / name / "articles") for name in arguments.sets}
    corpora["squad"] = articles_of(data / "squad" / "articles", set(picked))
    halves = [set(picked[: len(picked) // 2]), set(picked[len(picked) // 2 :])]
    base: dict[str, Any] = {}
    print(HEAD)
    for label, shape in SHAPES.items():
        encoder = load_encoder(shape.encoder)
        weights = np.zeros(len(FEATURES))
        for name in ("squad", *arguments.sets):
            begun = time.perf_counter()
            index = cast("Index", MemoryIndex(corpora[name], shape, encoder))
            seconds = time.perf_counter() - begun
            asked = rows[name]
            if name == "squad":
                train = [r for r in asked if r["article_id"] in halves[0]][: arguments.most]
                weights = fitted([[case_of(r, index, encoder) for r in train]], FEATURES)
                asked = [r for r in asked if r["article_id"] in halves[1]]
            cases = [case_of(row, index, encoder) for row in asked[: arguments.most]]
            orders = [VARIANTS[BASE].order(case, weights) for case in cases]
            line, hits = row_of(f"{name} ({len(cases)}) | {label}", cases, orders, base.get(name))
            base.setdefault(name, hits)
            print(line, flush=True)
            print(f"{name}, {label}: embedded in {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
