"""Question → passages → evidence sentences, each scored by a mix of what dense and lexical
search say about the sentence and about its passage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.config import Config
from rag.database import StoredPassage
from rag.encoder import Encoder
from rag.index import Index
from rag.period import Period, Years, overlap, period_of, years_in
from rag.rules import names
from rag.terms import content_terms, stem, terms, words
from rag.types import Article, Evidence, Hit, Sentence, Vectors
from rag.variants import Variants, near_spelling, variants_of

FEATURES = (
    "sentence_cosine",
    "passage_cosine",
    "coverage",  # idf-weighted share of the question's terms in the sentence
    "context_coverage",  # … in the sentence, its neighbours and the title
    "answer_type",  # whether the sentence holds what this kind of question asks for
    "period",  # how close the article was published to the time that the question speaks of
    "asks",  # whether the sentence is a question itself, as in a quiz or a headline
    "lead",  # how close to its beginning the sentence stands in an article with a date: news
    # says what matters first
    "years",  # whether the sentence, or in part one beside it, has a year that the question has
)
# Fitted by `benchmarks/retrieval.py squad --fit squad --most 500`; what they reach on other sets
# stands in results/retrieval.md.
WEIGHTS = (6.65, 3.95, 5.81, 5.91, 1.80)
# Set by hand: the sets that may be fitted on have no dates, no quizzes and no news. They are zero
# for most questions and sentences, so they are no part of what scores are divided by.
BY_HAND = (3.0, -3.0, 2.0, 3.0)  # period, asks, lead, years
BESIDE = 1 / 3  # what a year in the sentence before or after counts
LEAD = 500.0  # characters within which an article has said most of what it is about
_WEIGHTS = np.array((*WEIGHTS, *BY_HAND), np.float32)


@dataclass(frozen=True, slots=True)
class Query:
    """A question, made ready for searching."""

    text: str
    vector: Vectors  # (dim,)
    terms: tuple[str, ...]
    idf: dict[str, float]
    known: frozenset[str]  # those of the terms that occur in the articles
    wants: re.Pattern[str] | None  # what the answer's sentence must contain
    variants: Variants  # other ways to write what is asked for
    period: Period | None  # the time that the question speaks of, relative to its own date
    years: Years  # those that it names


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be evidence, with its features (FEATURES,)."""

    article: Article
    sentence: Sentence
    passage: StoredPassage
    features: NDArray[np.float32]
    lowered: float = 0.0  # taken from its score

    @property
    def quote(self) -> str:
        return self.article.text[self.sentence.start : self.sentence.end]

    @property
    def score(self) -> float:
        """Return the weighted mean of the features, about 0..1."""
        return float(self.features @ _WEIGHTS) / sum(WEIGHTS) - self.lowered

    def feature(self, name: str) -> float:
        return float(self.features[FEATURES.index(name)])


def make_query(
    question: str, index: Index, encoder: Encoder, date: str | None = None,
    vector: Vectors | None = None,
) -> Query:  # fmt: skip
    """Encode a question, asked on an ISO date if that is known, and weigh its terms.

    ``vector``: its vector (dim,), where it has been encoded already.
    """
    wanted = tuple(dict.fromkeys(content_terms(question) or terms(question)))
    known = {term for term in wanted if index.lexical.frequency(term)}
    variants = variants_of(question, set(wanted) - known)
    for name, others in variants.names:
        if any(all(map(index.lexical.frequency, other)) for other in others):
            known.update(name)
    return Query(
        text=question,
        vector=encoder.encode_texts([question])[0] if vector is None else vector,
        terms=wanted,
        idf={term: index.lexical.idf(term) for term in wanted},
        known=frozenset(known.intersection(wanted)),
        wants=answer_type(question),
        variants=variants,
        period=period_of(question, date),
        years=years_in(question),
    )


def find_candidates(query: Query, index: Index, config: Config) -> list[Candidate]:
    """Return the sentences of the best passages by vectors and by BM25 together."""
    dense, lexical = find_passages(query, index, config.candidates)
    return candidates_of(query, index, dict.fromkeys([*dense, *lexical]))


def find_passages(query: Query, index: Index, k: int) -> tuple[list[int], list[int]]:
    """Return the keys of the best k passages by vectors, and of those by BM25."""
    dense, _ = index.vectors.search(query.vector, k)
    wanted = [*query.terms, *query.variants.terms]
    misspelt = [term for term, _ in query.variants.unknown]
    lexical, _ = index.lexical.search(wanted, k, similar=misspelt)
    return dense.tolist(), lexical.tolist()


def candidates_of(query: Query, index: Index, keys: Iterable[int]) -> list[Candidate]:
    """Return the sentences of these passages."""
    return [
        candidate
        for stored in index.passages(keys)
        for candidate in _candidates(
            query, stored, index.article_at(stored.article), index.terms(stored)
        )
    ]


def _candidates(
    query: Query, stored: StoredPassage, article: Article, said: Sequence[Sequence[str]]
) -> Iterable[Candidate]:
    vectors = stored.sentence_vectors.astype(np.float32)  # (sentences, dim)
    cosines = vectors @ query.vector  # (sentences,)
    passage_cosine = float(stored.vector.astype(np.float32) @ query.vector)
    held = [
        _with_variants(query, found, article.text[s.start : s.end])
        for s, found in zip(stored.passage.sentences, said, strict=True)
    ]
    closeness = query.period.closeness(article.published) if query.period else 0.0
    title = terms(article.title)
    dated = [
        bool(query.years) and overlap(query.years, years_in(article.text[s.start : s.end]))
        for s in stored.passage.sentences
    ]
    for n, sentence in enumerate(stored.passage.sentences):
        quote = article.text[sentence.start : sentence.end]
        around = {*title, *(w for near in held[max(0, n - 1) : n + 2] for w in near)}
        features = (
            cosines[n],
            passage_cosine,
            coverage(query, set(held[n])),
            coverage(query, around),
            bool(query.wants and query.wants.search(quote)),
            closeness,
            quote.rstrip("\"'”’»)] ").endswith("?"),
            _lead(article, sentence),
            1.0 if dated[n] else BESIDE * any(dated[max(0, n - 1) : n + 2]),
        )
        yield Candidate(article, sentence, stored, np.array(features, np.float32))


def _lead(article: Article, sentence: Sentence) -> float:
    return math.exp(-(sentence.start - article.body_start) / LEAD) if article.published else 0.0


def _with_variants(query: Query, found: Sequence[str], text: str) -> Sequence[str]:
    """Return the terms of a text, and those of the question that it holds in another way."""
    added = query.variants.added(found, text)
    return [*found, *added] if added else found


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, best first, each wording once."""
    best: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.article.path, c.sentence.start)):
        best.setdefault(" ".join(candidate.quote.split()), candidate)
    return list(best.values())


def unknown_names(query: Query, best: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the names in a question, as written there, that no article holds in this or a near
    spelling. The first word does not count: it is capitalised anyway.
    """
    near = {word for c in best[:10] for word in words(f"{c.article.title} {c.quote}")}
    missing = {
        word
        for run in names(query.text)
        for word in run
        if (term := stem(word)) in query.idf and term not in query.known
        and not any(near_spelling(word, other) for other in near)
    }  # fmt: skip
    written = re.findall(r"(?<!\A)\b[^\W\d_][\w’'-]*", query.text)
    return tuple(dict.fromkeys(name for name in written if missing.intersection(words(name))))


def evidence_of(candidate: Candidate) -> Evidence:
    """Return the candidate as evidence."""
    article, sentence = candidate.article, candidate.sentence
    return Evidence(
        article.path, article.title, article.published, sentence.start, sentence.end,
        candidate.quote, round(candidate.score, 4),
    )  # fmt: skip


def passages_of(candidates: Iterable[Candidate]) -> list[Hit]:
    """Return the passages of ranked candidates, each with the score of its best sentence."""
    best: dict[int, Hit] = {}
    for candidate in candidates:
        key, passage = candidate.passage.key, candidate.passage.passage
        if key not in best:
            score = round(candidate.score, 4)
            best[key] = Hit(key, candidate.article.path, passage.start, passage.end, score)
    return list(best.values())


def coverage(query: Query, words: AbstractSet[str]) -> float:
    """Return the idf-weighted share of the question's terms that are among the words, 0..1."""
    found = sum(idf for term, idf in query.idf.items() if term in words)
    return found / max(1e-9, sum(query.idf.values()))


MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|half|twice|double)\b"
)
ANSWER_TYPES = (
    (r"\bhow (?:many|much|old|long|far|tall|big|large|fast|often)\b|\bwhat (?:number|percent"
     r"|proportion|amount|age|price|share)", NUMBER),
    (r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b",
     rf"\d|\b(?:{MONTHS}|{DAYS}|yesterday|today|century|week|month|year|ago)\b"),
    (r"\bwho(?:m|se)?\b", r"(?<!^)(?<![.!?] )\b[A-Z][a-z]|\b(?:he|she|they)\b"),
    (r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|county|continent|region)\b",
     r"\b(?:in|at|near|from|to|of|on) (?:the )?(?:\w+ )?[A-Z]"),
    (r"\bwhy\b", r"\b(?:because|since|due|to|so|after|for|as|therefore|cause)\b"),
)  # fmt: skip
_ANSWER_TYPES = [(re.compile(q, re.IGNORECASE), re.compile(a)) for q, a in ANSWER_TYPES]


def answer_type(question: str) -> re.Pattern[str] | None:
    """Return what a sentence that answers this kind of question contains, where that is known."""
    return next((answer for asked, answer in _ANSWER_TYPES if asked.search(question)), None)
