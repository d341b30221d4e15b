"""The ways of others, as systems that answer from an opened Rag's index, encoder and language
model: what differs is only what a name says.

prompted      the passages go into the prompt, the model writes the numbers itself
similarity    the same drafts without numbers; each sentence cites the most similar one
fuzzy_quotes  the model quotes; a quote cites what matches it at 35 % of its length or more
copy_top      the best passage, citing itself
decline       never answers
bm25          BM25 alone, for passages and for sentences; answers with the best sentence
dense_chunks  vectors alone, over chunks of 1,000 characters; answers with the best chunk

The first five search as Rag does. The first three show the model the three best passages whole,
about 400 tokens, and decline when the draft begins with a refusal. Nothing is checked, so every
support is 0. The systems have no confidence of their own: it is 1 when they answer and 0 when they
decline; for the last two it is the score of what they found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.baselines.drafts import (
    NUMBERS,
    QUOTES,
    Draft,
    Drafts,
    Statement,
    cite_numbers,
    cite_quotes,
    cite_similar,
    prompt,
    refuses,
)
from benchmarks.baselines.search import ChunkIndex, find_lexically, with_history
from rag.answering.collection import as_evidence
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.models.encoder import Encoder
from rag.retrieval.question import checked
from rag.text.untrusted import MARKERS
from rag.types import Answer, Citation, Claim, Evidence, Hit, SearchResult, Sentence, Turn

SHOWN = 3  # passages that the language model reads
QUOTE_TOKENS = 160  # most tokens of an answer with its quotes


@dataclass(frozen=True, slots=True)
class Said:
    """What a system makes of what was found; without statements, it declines."""

    statements: tuple[Statement, ...]
    shown: tuple[Evidence, ...] = ()
    reason: str = "Nothing was found."
    confidence: float = 1.0
    draft: Draft | None = None  # None: it only copies
    citing: float = 0.0  # milliseconds


Find = Callable[[str, int, str | None], SearchResult]  # question, k, its date
Respond = Callable[[str, Sequence[Turn], SearchResult], Said]
Cite = Callable[[str, Sequence[Evidence]], list[Statement]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A system out of two steps: how it finds, and what it makes of it. Asked like a Rag."""

    name: str
    rag: Rag
    find: Find
    respond: Respond

    @property
    def config(self) -> Config:
        return self.rag.config

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what tells what it searches, and how, from all others."""
        return {**self.rag.manifest, "system": self.name}

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult:
        """Return the best k passages and k pieces of evidence. Raises InputError."""
        most = self.config.question_characters
        asked = with_history(checked(question, most), history or ())[-most:]
        return self.find(asked, k, date)

    def answer(
        self, question: str, *, history: Sequence[Turn] | None = None, date: str | None = None
    ) -> Answer:
        """Return the finished answer. Raises InputError or ModelError."""
        most, turns = self.config.question_characters, history or ()
        question = checked(question, most)
        begun = time.perf_counter()
        found = self.find(with_history(question, turns)[-most:], self.config.evidence, date)
        retrieve = 1000 * (time.perf_counter() - begun)
        said = self.respond(question, turns, found)
        models = {
            "system": self.name,
            "encoder": self.config.encoder,
            "verifier": "none",
            "generator": self.config.generator if said.draft else "none",
            "model": said.draft.model if said.draft else "none",
        }
        return _answer(question, said, _timings(retrieve, said), models)


def _timings(retrieve: float, said: Said) -> dict[str, float]:
    draft = said.draft or Draft("", "", 0.0, 0.0)
    timings = {
        "retrieve": retrieve,
        "first_evidence": retrieve,
        "first_token": retrieve + draft.first_token,
        "generate": draft.generate,
        "verify": said.citing,
        "total": retrieve + draft.generate + said.citing,
    }
    return {stage: round(milliseconds, 1) for stage, milliseconds in timings.items()}


def _answer(question: str, said: Said, timings: dict[str, float], models: dict[str, str]) -> Answer:
    numbers: dict[Evidence, int] = {}
    claims = []
    for statement in said.statements:
        cited = [numbers.setdefault(source, len(numbers) + 1) for source in statement.sources]
        claims.append(
            Claim(statement.text, tuple(cited), "supported" if said.draft else "quoted", 0.0)
        )
    citations = [
        Citation(n, s.article, s.title, s.published, s.start, s.end, s.quote, 0.0)
        for s, n in numbers.items()
    ]
    reason = None if claims else said.reason
    return Answer(
        question=question,
        claims=tuple(claims),
        citations=tuple(citations),
        evidence=said.shown,
        declined=not claims,
        reason=reason,
        confidence=said.confidence if claims else 0.0,
        notes=(reason,) if reason else (),
        timings_ms=timings,
        models=models,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Lets the language model read the best passages, and cites in its own way."""

    rag: Rag
    drafts: Drafts
    system: str  # NUMBERS or QUOTES
    tokens: int
    cite: Cite

    def __call__(self, question: str, history: Sequence[Turn], found: SearchResult) -> Said:
        shown = tuple(_whole(self.rag, hit) for hit in found.passages[:SHOWN])
        draft = self.drafts.write(prompt(self.system, question, shown, history), self.tokens)
        begun = time.perf_counter()
        statements = tuple(self.cite(draft.text, shown))
        citing = 1000 * (time.perf_counter() - begun)
        if not statements or refuses(statements[0].text):
            reason = " ".join(draft.text.split()) or "The model wrote nothing."
            return Said((), shown, reason, draft=draft, citing=citing)
        return Said(statements, shown, draft=draft, citing=citing)


def _whole(rag: Rag, hit: Hit) -> Evidence:
    return as_evidence(rag.article(hit.article), Sentence(hit.start, hit.end), hit.score)


def _similar(rag: Rag, draft: str, passages: Sequence[Evidence]) -> list[Statement]:
    sentences: list[Evidence] = []
    for passage in passages:
        article = rag.article(passage.article)
        for sentence in rag.sentences_from(passage.article, passage.start):
            if sentence.end > passage.end:
                break
            sentences.append(as_evidence(article, sentence, passage.score))
    return cite_similar(draft, sentences, _encoder(rag))


def _encoder(rag: Rag) -> Encoder:
    return rag._encoder  # noqa: SLF001 - a baseline is the same machine in other steps


def _copy(best: Evidence | None, confidence: float) -> Said:
    if best is None:
        return Said(())
    # Footnote marks of the article itself would read like ours; the citation keeps them.
    text = MARKERS.sub("", " ".join(best.quote.split()))
    return Said((Statement(text, (best,)),), (best,), confidence=confidence)


def _copy_passage(rag: Rag, _question: str, _history: Sequence[Turn], found: SearchResult) -> Said:
    return _copy(next((_whole(rag, hit) for hit in found.passages), None), 1.0)


def _copy_evidence(_question: str, _history: Sequence[Turn], found: SearchResult) -> Said:
    return _copy(next(iter(found.evidence), None), found.confidence)


def _decline(_question: str, _history: Sequence[Turn], _found: SearchResult) -> Said:
    return Said((), reason="This system never answers.")


def _reader(rag: Rag, cache: Path, system: str, cite: Cite) -> Reader:
    tokens = rag.config.answer_tokens if system == NUMBERS else QUOTE_TOKENS
    generator = rag._generator  # noqa: SLF001 - as above
    return Reader(rag, Drafts(cache / "drafts", rag.config, generator), system, tokens, cite)


def _as_rag(rag: Rag, question: str, k: int, date: str | None) -> SearchResult:
    return rag.search(question, k, date=date)


def _bm25(rag: Rag, question: str, k: int, _date: str | None) -> SearchResult:
    return find_lexically(rag.index, rag.config, question, k)


def _dense(chunks: ChunkIndex, question: str, k: int, _date: str | None) -> SearchResult:
    return chunks.search(question, k)


# Name → how it finds and what it makes of it, for a Rag and a folder for what is kept.
_STEPS: dict[str, Callable[[Rag, Path], tuple[Find, Respond]]] = {
    "prompted": lambda rag, cache: (
        partial(_as_rag, rag),
        _reader(rag, cache, NUMBERS, cite_numbers),
    ),
    "similarity": lambda rag, cache: (
        partial(_as_rag, rag),
        _reader(rag, cache, NUMBERS, partial(_similar, rag)),
    ),
    "fuzzy_quotes": lambda rag, cache: (
        partial(_as_rag, rag),
        _reader(rag, cache, QUOTES, cite_quotes),
    ),
    "copy_top": lambda rag, _: (partial(_as_rag, rag), partial(_copy_passage, rag)),
    "decline": lambda rag, _: (partial(_as_rag, rag), _decline),
    "bm25": lambda rag, _: (partial(_bm25, rag), _copy_evidence),
    "dense_chunks": lambda rag, cache: (
        partial(_dense, ChunkIndex(rag.index, _encoder(rag), cache)),
        _copy_evidence,
    ),
}


def _made(name: str, rag: Rag, cache: Path) -> Baseline:
    return Baseline(name, rag, *_STEPS[name](rag, cache))


BASELINES: dict[str, Callable[[Rag, Path], Baseline]] = {
    name: partial(_made, name) for name in _STEPS
}
